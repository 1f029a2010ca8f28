#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <utility>

#include "skewguard/executor.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::engine {

/// The control loop as the parts of one engine see it: turns and timers, one at a time, and the
/// time. A turn is one event from outside (an answer, a timer, a caller) and all that follows from
/// it at once. The clocks are read when a turn begins, and not again until it ends.
/// For the thread that runs the executor, except where noted.
class Loop {
 public:
  /// Both must outlive this.
  Loop(Executor& executor, ClockSource& clock) : executor_(executor), clock_(clock) {}
  /// Pending functions are dropped.
  ~Loop() { *alive_ = false; }
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Runs `event` as a turn: now, or after the turn under way. If something throws (no memory, for
  /// example), only the function that threw ends early; the user's loop never sees the exception.
  void enter(std::function<void()> event);
  /// Runs `function` at once, within the turn under way or as a turn of its own: for destructors.
  void within(const std::function<void()>& function);
  /// Only within a turn: runs `function` later in the same turn.
  void next(std::function<void()> function) { rest_.push_back(std::move(function)); }
  /// The time at which the turn under way began. Only within a turn.
  [[nodiscard]] const Now& now() const noexcept { return now_; }

  /// Runs `function` as a turn, soon. Any thread may call it.
  void later(std::function<void()> function);
  /// Runs `function` as a turn, at about `when`.
  Executor::Timer at(Instant when, std::function<void()> function);
  void cancel(Executor::Timer timer) { executor_.cancel(timer); }

  /// `function`, for someone who may call it, on this thread, when this loop is long gone: then it
  /// does nothing.
  template <typename F>
  [[nodiscard]] auto while_alive(F function) const {
    return [alive = alive_, function = std::move(function)](auto&&... args) mutable {
      if (*alive) function(std::forward<decltype(args)>(args)...);
    };
  }
  /// For what must reach the executor when this is gone. It outlives this.
  [[nodiscard]] Executor& executor() noexcept { return executor_; }

 private:
  using Queue = std::deque<std::function<void()>>;
  static void run_first(Queue& queue) noexcept;

  Executor& executor_;
  ClockSource& clock_;
  Queue waiting_;  ///< turns
  Queue rest_;     ///< of the turn under way
  bool in_turn_ = false;
  Now now_{};
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace skewguard::engine
