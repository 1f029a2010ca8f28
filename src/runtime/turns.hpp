#pragma once

#include <deque>
#include <functional>
#include <utility>

#include "base/secret_text.hpp"

namespace skewguard::runtime {

/// One event at a time, so that a machine is never entered from within itself.
class Turns {
 public:
  /// Runs `first` and all that it leads to; from within a turn it only joins the queue. What throws
  /// (no memory, say) ends its own event alone, and leaves neither us nor the user's loop.
  void enter(std::function<void()> first) {
    next(std::move(first));
    if (std::exchange(in_turn_, true)) return;  // the turn under way will come to it
    while (!queue_.empty()) {
      const std::function<void()> event = std::move(queue_.front());
      queue_.pop_front();
      try {
        event();
      } catch (...) {
        continue;
      }
    }
    in_turn_ = false;
    wipe_stack();  // tokens pass through
  }
  /// After what runs now, and all that was queued before.
  void next(std::function<void()> function) { queue_.emplace_back(std::move(function)); }

 private:
  std::deque<std::function<void()>> queue_;
  bool in_turn_ = false;
};

}  // namespace skewguard::runtime
