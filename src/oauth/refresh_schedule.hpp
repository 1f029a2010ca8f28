#pragma once

#include <chrono>

#include "oauth/token.hpp"
#include "skewguard/time.hpp"

/// When a token is first used, refreshed and no longer used: pure functions of its lifetime and of
/// what was learned.
namespace skewguard::oauth {

/// A token's lifetime in boot time: from the sending of its request to the earlier of its two ends.
struct LifeSpan {
  Instant sent;
  Instant end;
  Duration took{0};  ///< from the sending of its request to the answer; 0 = not known
};

/// What was learned about the API's clock relative to the issuer's (each >= 0).
struct Learned {
  Duration lag{0};   ///< the API's clock is at most this far behind the issuer's
  Duration lead{0};  ///< the API's clock is this far ahead of the issuer's
};

/// How long before its end a token is refreshed, and no longer used.
struct Margins {
  /// The refresh, as a fraction of the lifetime (before jitter). For 300 s, the platform's shortest
  /// lifetime, that leaves time for a login host that takes 10 s, and costs, with the margin of
  /// use, less than 5% more tokens.
  double refresh_part = 0.045;
  Duration refresh_max = std::chrono::seconds{90};  ///< room for two tries of 30 s and backoff
  /// The last fraction of the lifetime in which the token is no longer sent: it must still be valid
  /// on arrival.
  double use_part = 0.02;
  Duration use_max = std::chrono::seconds{2};
};

/// The end of the lifetime given what was learned: earlier by the lead, but at least half of the
/// lifetime remains.
Instant end_for_api(const LifeSpan& life, const Learned& learned) noexcept;

/// From this time on the token is no longer sent: at least 1 s before its end (or a quarter of a
/// short lifetime), because issuers count `exp` from a time that was truncated to a whole second.
Instant usable_until(const LifeSpan& life, const Margins& margins, const Learned& learned) noexcept;

/// From this time on a new token is requested. Margin and lag only move it earlier, never before
/// the middle of the usable life; `jitter` in [0, 1) spreads it over the last quarter of the
/// margin. If the login host was slow, it is asked earlier: by twice the time that it took, within
/// the largest margin.
Instant refresh_at(const LifeSpan& life, const Margins& margins, const Learned& learned,
                   double jitter) noexcept;

/// From this time on a new token may be sent. If a lag is known: when the token is certainly valid
/// by the API's clock, that is, at the earlier of nbf and iat. The issuer's clock showed
/// issuer_date no later than `received`; the API's clock follows within the lag. Without a lag: at
/// once, whatever its nbf says, since most APIs never check.
Instant first_use(const Token& token, const Learned& learned) noexcept;

/// The delay after the n-th refusal (n = 0, 1, ...): first * 2^n, at most `max`.
Duration growing_pause(Duration first, Duration max, unsigned n) noexcept;

}  // namespace skewguard::oauth
