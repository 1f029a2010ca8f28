#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "oauth/early_ends.hpp"
#include "oauth/refresh_schedule.hpp"

namespace skewguard::oauth {

/// What calls have found out about the API: which tokens it accepted, which it refused early, and
/// how its clock differs from the issuer's. Not thread-safe.
class Knowledge {
 public:
  /// The API accepted the token of this generation. The last few are remembered.
  void note_accepted(std::uint64_t generation) noexcept {
    if (was_accepted(generation)) return;
    accepted_.at(next_++ % accepted_.size()) = generation;
  }
  [[nodiscard]] bool was_accepted(std::uint64_t generation) const noexcept;
  [[nodiscard]] bool any_accepted() const noexcept { return next_ > 0; }

  [[nodiscard]] EarlyEnds& early_ends() noexcept { return early_ends_; }
  [[nodiscard]] const EarlyEnds& early_ends() const noexcept { return early_ends_; }

  /// The API accepted a token that had not begun by its own Date.
  void note_begin_ignored() noexcept { begins_ignored_ = true; }
  [[nodiscard]] bool begins_ignored() const noexcept { return begins_ignored_; }

  /// The API's clock lags the issuer's by at most `lag`; 0 or less: it does not. True: that is new.
  /// One that lags more than was known has just refused a token until it had begun.
  bool learn_lag(Duration lag) noexcept;
  /// The API's clock leads the issuer's by `lead`; 0 or less: it does not. True: that is new.
  bool learn_lead(Duration lead) noexcept;
  [[nodiscard]] const Learned& learned() const noexcept { return learned_; }

 private:
  std::array<std::uint64_t, 8> accepted_{};  ///< 0 = none: generations count from 1
  std::size_t next_ = 0;
  EarlyEnds early_ends_;
  Learned learned_;
  bool begins_ignored_ = false;
};

}  // namespace skewguard::oauth
