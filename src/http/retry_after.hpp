#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "skewguard/http.hpp"
#include "skewguard/time.hpp"

namespace skewguard::http {

/// What a server may ask for; a longer time counts as this one.
inline constexpr std::chrono::seconds kLongestWait = std::chrono::days{400};

/// How long the answer asks us to wait (Retry-After, RFC 9110 section 10.2.3), >= 0, at most
/// kLongestWait: delay-seconds, a fraction rounded up, or an HTTP date less the *same answer's*
/// Date, so that no other clock takes part. A date without a usable Date in the answer, garbage, a
/// sign, or two differing fields: nothing.
std::optional<Duration> retry_after(const Headers& headers);

/// The same from the fields that servers use in its place, the first that is there of
/// `inin-ratelimit-reset` and `RateLimit-Reset` (seconds), `X-RateLimit-Reset` and
/// `X-Rate-Limit-Reset` (seconds, or seconds since 1970 if over 1e9, milliseconds if over 1e11,
/// less the answer's own Date). A field whose limit has requests left is passed over: it was
/// another one that was hit.
std::optional<Duration> rate_limit_reset(const Headers& headers);

}  // namespace skewguard::http
