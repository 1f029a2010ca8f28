#include "skewguard/event_queue.hpp"

#include <unistd.h>

#include <atomic>
#include <deque>
#include <mutex>
#include <utility>

#include "base/fork_mutex.hpp"

namespace skewguard {
namespace {

/// Above all levels: no line is composed.
constexpr auto kNoLogLines = static_cast<LogLevel>(static_cast<int>(LogLevel::critical) + 1);

LogLevel level_of(const EventQueue::Wanted& wanted) {
  return wanted.log ? wanted.level : kNoLogLines;
}

}  // namespace

class [[gnu::visibility("hidden")]] EventQueue::State {
 public:
  explicit State(const Wanted& wanted)
      : level(std::make_shared<std::atomic<LogLevel>>(level_of(wanted))), wanted_(wanted) {}

  void want(const Wanted& wanted, std::function<void()> on_news) {
    level->store(level_of(wanted), std::memory_order_relaxed);
    std::function<void()> news;
    {
      const std::lock_guard lock(mutex_);
      begin_anew_after_fork();
      wanted_ = wanted;
      on_news_ = std::move(on_news);
      if (!wanted.log && !wanted.rejections && !wanted.resolved) forget();
      asked_in_vain_ = true;
      news = news_if_any();
    }
    if (news) news();
  }

  template <typename What>
  void put(const What& what, bool Wanted::* kind) {
    std::function<void()> news;
    {
      const std::lock_guard lock(mutex_);
      begin_anew_after_fork();
      if (!(wanted_.*kind)) return;
      if (events_.size() == kCapacity) drop_oldest();
      events_.push_back({what, 0});
      news = news_if_any();
    }
    if (news) news();
  }

  std::optional<Event> next() {
    const std::lock_guard lock(mutex_);
    begin_anew_after_fork();
    if (events_.empty()) {
      asked_in_vain_ = true;
      return std::nullopt;
    }
    Event oldest = std::move(events_.front());
    events_.pop_front();
    oldest.dropped = std::exchange(dropped_, 0);
    return oldest;
  }

  const std::shared_ptr<std::atomic<LogLevel>> level;

 private:
  void forget() {
    events_.clear();
    dropped_ = 0;
  }
  void drop_oldest() {
    events_.pop_front();
    ++dropped_;
  }
  /// What is to be called, without the lock, because there is an event that nobody knows of.
  std::function<void()> news_if_any() {
    if (events_.empty() || !asked_in_vain_ || !on_news_) return {};
    asked_in_vain_ = false;
    return on_news_;
  }
  void begin_anew_after_fork() {
    if (process_ == ::getpid()) return;
    process_ = ::getpid();
    forget();
    on_news_ = {};
    asked_in_vain_ = true;
  }

  ForkMutex mutex_;  // over all below
  Wanted wanted_;
  std::function<void()> on_news_;
  std::deque<Event> events_;
  std::uint64_t dropped_ = 0;  // since the last next()
  bool asked_in_vain_ = true;  // by next(), or nobody has asked yet
  pid_t process_ = ::getpid();
};

EventQueue::EventQueue(const Wanted& wanted) : state_(std::make_shared<State>(wanted)) {}

Hooks EventQueue::hooks() const {
  Hooks hooks;
  hooks.on_rejection = [state = state_](const Rejection& rejection) {
    state->put(rejection, &Wanted::rejections);
  };
  hooks.on_resolved = [state = state_](const CallReport& report) {
    state->put(report, &Wanted::resolved);
  };
  hooks.log = [state = state_](const LogLine& line) { state->put(line, &Wanted::log); };
  hooks.changing_log_level = state_->level;
  return hooks;
}

void EventQueue::want(const Wanted& wanted, std::function<void()> on_news) {
  state_->want(wanted, std::move(on_news));
}

std::optional<Event> EventQueue::next() {
  return state_->next();
}

}  // namespace skewguard
