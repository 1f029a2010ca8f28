#include "runtime/io_loop.hpp"

#include <pthread.h>

#include <algorithm>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>
#include <unordered_map>

namespace skewguard::runtime {

class IoLoop::Impl {
 public:
  explicit Impl(std::shared_ptr<ClockSource> clock)
      : clock_(std::move(clock)), work_(boost::asio::make_work_guard(context_)) {}

  static void start(const std::shared_ptr<Impl>& self) {
    self->thread_ = std::thread([self] { self->run(); });
    pthread_setname_np(self->thread_.native_handle(), "skewguard");
  }

  void stop() {
    if (!thread_.joinable()) return;
    context_.stop();
    if (inside()) {
      thread_.detach();
    } else {
      thread_.join();
    }
    timers_.clear();
  }

  bool inside() const noexcept { return thread_.get_id() == std::this_thread::get_id(); }

  void post(std::function<void()> function) { boost::asio::post(context_, std::move(function)); }

  Timer call_at(Instant at, std::function<void()> function) {
    const Timer id = ++last_timer_;
    const Duration delay = at - clock_->now().boot;
    if (delay <=
        Duration{0}) {  // posted: a timer that is already due may never fire under faketime
      timers_.emplace(id, nullptr);
      boost::asio::post(context_, [this, id, function = std::move(function)] {
        if (timers_.erase(id) > 0) function();
      });
      return id;
    }
    // steady_timer stands still in suspend, so this is a hint. Never armed far beyond a day: an
    // early wake-up costs nothing, and time points far ahead overflow nowhere.
    auto timer = std::make_unique<boost::asio::steady_timer>(context_);
    timer->expires_after(std::clamp<Duration>(delay, Duration{0}, std::chrono::hours{24}));
    timer->async_wait(
        [this, id, function = std::move(function)](const boost::system::error_code& error) {
          if (error || timers_.erase(id) == 0) return;
          function();
        });
    timers_.emplace(id, std::move(timer));
    return id;
  }

  void cancel(Timer timer) { timers_.erase(timer); }

  boost::asio::io_context& context() noexcept { return context_; }

 private:
  // What throws here (no memory, say) ends its own event; the loop goes on for all others.
  void run() noexcept {
    while (true) {
      try {
        context_.run();
        return;
      } catch (...) {
        continue;
      }
    }
  }

  std::shared_ptr<ClockSource> clock_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  std::unordered_map<Timer, std::unique_ptr<boost::asio::steady_timer>> timers_;
  Timer last_timer_ = 0;
  std::thread thread_;  // shares this with it
};

IoLoop::IoLoop(std::shared_ptr<ClockSource> clock)
    : impl_(std::make_shared<Impl>(std::move(clock))) {
  Impl::start(impl_);
}
IoLoop::~IoLoop() {
  impl_->stop();
}

void IoLoop::post(std::function<void()> function) {
  impl_->post(std::move(function));
}
Executor::Timer IoLoop::call_at(Instant at, std::function<void()> function) {
  return impl_->call_at(at, std::move(function));
}
void IoLoop::cancel(Timer timer) {
  impl_->cancel(timer);
}
void IoLoop::stop() {
  impl_->stop();
}
bool IoLoop::inside() const noexcept {
  return impl_->inside();
}
boost::asio::io_context& IoLoop::context() noexcept {
  return impl_->context();
}

}  // namespace skewguard::runtime
