#include "runtime/io_executor.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <unordered_map>
#include <utility>

namespace skewguard::runtime {

struct IoExecutor::State {
  boost::asio::any_io_executor executor;
  std::shared_ptr<ClockSource> clock;
  std::unordered_map<Timer, std::unique_ptr<boost::asio::steady_timer>> timers;  // on the loop
  Timer last = 0;
};

IoExecutor::IoExecutor(boost::asio::any_io_executor executor, std::shared_ptr<ClockSource> clock,
                       std::function<bool()> inside)
    : inside_(std::move(inside)),
      state_(std::make_shared<State>(State{std::move(executor), std::move(clock), {}, 0})) {}

/// Pending timers hold the state: without its timers they never fire. One may be firing now.
IoExecutor::~IoExecutor() {
  boost::asio::post(state_->executor, [state = state_] { state->timers.clear(); });
}

void IoExecutor::post(std::function<void()> function) {
  boost::asio::post(state_->executor, std::move(function));
}

Executor::Timer IoExecutor::call_at(Instant at, std::function<void()> function) {
  const Timer id = ++state_->last;
  auto fire = [state = state_, id, function = std::move(function)] {
    if (state->timers.erase(id) > 0) function();
  };
  const Duration delay = at - state_->clock->now().boot;
  if (delay <= Duration{0}) {  // posted: a timer that is already due may never fire under faketime
    state_->timers.emplace(id, nullptr);
    boost::asio::post(state_->executor, std::move(fire));
    return id;
  }
  // steady_timer stops during suspend, so this is a hint. Never set far beyond a day: waking early
  // costs nothing, and distant time points cannot overflow.
  auto timer = std::make_unique<boost::asio::steady_timer>(state_->executor);
  timer->expires_after(std::min<Duration>(delay, std::chrono::hours{24}));
  timer->async_wait([fire = std::move(fire)](const boost::system::error_code& error) {
    if (!error) fire();
  });
  state_->timers.emplace(id, std::move(timer));
  return id;
}

void IoExecutor::cancel(Timer timer) {
  state_->timers.erase(timer);
}

}  // namespace skewguard::runtime
