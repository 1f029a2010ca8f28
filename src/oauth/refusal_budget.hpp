#pragma once

#include <algorithm>
#include <chrono>

#include "skewguard/time.hpp"

namespace skewguard::oauth {

/// Pays for the token requests that are made because a server refused a token before its end: a
/// bucket of kMax that gets one back every kEvery. Whatever servers say, there are at most
/// kMax + t / kEvery such requests in any time t. Nothing else refills it.
class RefusalBudget {
 public:
  static constexpr int kMax = 6;
  static constexpr Duration kEvery = std::chrono::seconds{5};

  /// When the next request can be paid for; at or before `now` if at once.
  [[nodiscard]] Instant next() const noexcept { return full_at_ - (kMax - 1) * kEvery; }
  /// Precondition: next() <= now.
  void pay(Instant now) noexcept { full_at_ = std::max(full_at_, now) + kEvery; }
  /// Other processes have used it as well: nothing can be paid for before `when`.
  void wait_until(Instant when) noexcept {
    full_at_ = std::max(full_at_, when + (kMax - 1) * kEvery);
  }
  /// Refunds the last payment, which was not needed after all.
  void give_back() noexcept { full_at_ -= kEvery; }

 private:
  Instant full_at_{};
};

}  // namespace skewguard::oauth
