#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "base/secret_text.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::runtime {

/// Runs one event at a time, so that a machine is never entered from within itself. A turn is one
/// event from outside (an answer, a timer, a caller) and all that follows from it at once; the
/// clocks are read when it begins, and are not read again until it ends. For one loop's thread.
class Turns {
 public:
  /// `clock` must outlive this.
  explicit Turns(ClockSource& clock) : clock_(clock) {}

  /// Runs `event` as a turn: now, or after the turn under way. If something throws (no memory, for
  /// example), only the function that threw ends early; the user's loop never sees the exception.
  void enter(std::function<void()> event) {
    waiting_.push_back(std::move(event));
    if (std::exchange(in_turn_, true)) return;
    while (!waiting_.empty()) {
      now_ = clock_.now();
      run(take(waiting_));
      while (!rest_.empty()) run(take(rest_));
    }
    in_turn_ = false;
    wipe_stack();  // tokens pass through
  }
  /// Runs `function` at once, within the turn under way or as a turn of its own: for destructors.
  void within(const std::function<void()>& function) {
    if (in_turn_) return run(function);
    enter(function);
  }
  /// Only within a turn: runs `function` later in the same turn.
  void next(std::function<void()> function) { rest_.push_back(std::move(function)); }

  /// The time at which the turn under way began. Only within a turn.
  [[nodiscard]] const Now& now() const noexcept { return now_; }

 private:
  using Queue = std::deque<std::function<void()>>;

  static std::function<void()> take(Queue& queue) {
    std::function<void()> first = std::move(queue.front());
    queue.pop_front();
    return first;
  }
  static void run(const std::function<void()>& function) noexcept {
    try {
      function();
    } catch (...) {
      return;
    }
  }

  ClockSource& clock_;
  Queue waiting_;  ///< turns
  Queue rest_;     ///< of the turn under way
  bool in_turn_ = false;
  Now now_{};
};

}  // namespace skewguard::runtime
