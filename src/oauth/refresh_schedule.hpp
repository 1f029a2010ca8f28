#pragma once

#include "oauth/token_machine.hpp"
#include "skewguard/time.hpp"

/// When a token is used, replaced and given up: pure functions of its life and of what was learned.
namespace skewguard::oauth {

/// A token's life in boot time: from the sending of its request to the earlier of its two ends.
struct LifeSpan {
  Instant sent;
  Instant end;
  Duration took{0};  ///< from the sending of its request to the answer; 0 = not known
};

/// What the API's clock taught us about the issuer's (each >= 0).
struct Learned {
  Duration lag{0};   ///< the API's clock is at most this far behind the issuer's
  Duration lead{0};  ///< the API's clock is this far ahead of the issuer's
};

/// The end of the life by what was learned: earlier by the lead, but at least half of it stays.
Instant end_for_api(const LifeSpan& life, const Learned& learned) noexcept;

/// From here on the token is no longer sent: at least 1 s before its end (of a short life a
/// quarter), since issuers count `exp` from a begin that was truncated to a whole second.
Instant usable_until(const LifeSpan& life, const TokenMachineOptions& options,
                     const Learned& learned) noexcept;

/// From here on a new token is asked for. Margin and lag move it earlier only, never before the
/// middle of the usable life; `jitter` in [0, 1) spreads it over the last quarter of the margin. A
/// login host that was slow is asked earlier: by twice the time that it took, within the largest
/// margin.
Instant refresh_at(const LifeSpan& life, const TokenMachineOptions& options, const Learned& learned,
                   double jitter) noexcept;

/// From here on a new token may be sent. With a lag known: when the API's clock surely has reached
/// its begin, the earlier one of nbf and iat. The issuer's clock showed issuer_date no later than
/// `received`, the API's follows within the lag. Without one: at once, whatever its nbf says, as
/// most APIs never look.
Instant first_use(const Token& token, const Learned& learned) noexcept;

/// The delay after the n-th refusal (n = 0, 1, ...): first * 2^n, at most `most`.
Duration growing_pause(Duration first, Duration most, unsigned n) noexcept;

}  // namespace skewguard::oauth
