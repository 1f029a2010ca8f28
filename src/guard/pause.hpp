#pragma once

#include <cstddef>
#include <optional>

#include "skewguard/time.hpp"

namespace skewguard::guard {

/// A call's sleep: until when and what for; and, for the report, which attempt the wait follows.
/// Not thread-safe.
class Pause {
 public:
  /// What follows the sleep.
  enum class Then { first_use, send_again, look, renew, check };

  void sleep(Instant until, Then then) noexcept {
    until_ = until;
    then_ = then;
  }
  [[nodiscard]] Instant until() const noexcept { return until_; }
  [[nodiscard]] Then then() const noexcept { return then_; }

  /// The call begins to wait after that attempt, or goes on waiting: a look at the API's clock and
  /// the wait after it count as one wait.
  void begin_wait(std::size_t attempt, Instant now) noexcept {
    if (waiting_after(attempt)) return;
    wait_ = Wait{attempt, now};
  }
  [[nodiscard]] bool waiting_after(std::size_t attempt) const noexcept {
    return wait_ && wait_->attempt == attempt;
  }
  /// A wait that has ended.
  struct Waited {
    std::size_t attempt;
    Duration waited;
  };
  /// Nullopt if the call was not waiting.
  std::optional<Waited> end_wait(Instant now) noexcept {
    if (!wait_) return std::nullopt;
    const Waited ended{wait_->attempt, now - wait_->since};
    wait_.reset();
    return ended;
  }

 private:
  struct Wait {
    std::size_t attempt;
    Instant since;
  };
  Instant until_{};
  Then then_ = Then::send_again;
  std::optional<Wait> wait_;
};

}  // namespace skewguard::guard
