#pragma once

#include <optional>
#include <utility>

#include "oauth/refusal_budget.hpp"
#include "oauth/token_events.hpp"
#include "skewguard/time.hpp"

namespace skewguard::oauth {

/// Holds the one token request that may be under way, and what pays for those that refusals cause.
/// Not thread-safe.
class FetchSlot {
 public:
  [[nodiscard]] bool busy() const noexcept { return under_way_.has_value(); }
  /// The latest request: 1, 2, ...; 0 = none so far.
  [[nodiscard]] FetchId latest() const noexcept { return latest_; }
  /// When the budget can pay for another request; not after now if it can at once.
  [[nodiscard]] Instant next_paid() const noexcept { return budget_.next(); }

  /// Precondition: !busy(); and next_paid() <= now if the budget `pays`.
  FetchId start(bool pays, Instant now) noexcept {
    if (pays) budget_.pay(now);
    paid_ = pays;
    under_way_ = ++latest_;
    return latest_;
  }
  /// The login host answered, or failed to. False: another request is under way, or none; this is
  /// a late or doubled answer.
  bool end(FetchId fetch) noexcept {
    if (under_way_ != fetch) return false;
    under_way_.reset();
    return true;
  }
  /// It ended without a request having been sent, so it cost nothing. False: as above.
  bool end_unsent(FetchId fetch) noexcept {
    if (!end(fetch)) return false;
    if (std::exchange(paid_, false)) budget_.give_back();
    return true;
  }
  /// Other processes have drawn on the same budget: it pays for nothing before `when`.
  void wait_until(Instant when) noexcept { budget_.wait_until(when); }

 private:
  std::optional<FetchId> under_way_;
  bool paid_ = false;  ///< that one, out of the budget
  FetchId latest_ = 0;
  RefusalBudget budget_;
};

}  // namespace skewguard::oauth
