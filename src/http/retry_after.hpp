#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "skewguard/http.hpp"
#include "skewguard/time.hpp"

namespace skewguard::http {

/// The longest wait that a server may request; longer times are cut to this.
inline constexpr std::chrono::seconds kLongestWait = std::chrono::days{400};

/// How long the answer asks us to wait (Retry-After, RFC 9110 section 10.2.3), >= 0, at most
/// kLongestWait: delay-seconds, with a fraction rounded up, or an HTTP date minus the *same
/// answer's* Date, so that no other clock is involved. Empty for a date without a usable Date in
/// the answer, garbage, a sign, or two different fields.
std::optional<Duration> retry_after(const Headers& headers);

/// The same from the fields that servers use instead, the first one present of
/// `inin-ratelimit-reset` and `RateLimit-Reset` (seconds), `X-RateLimit-Reset` and
/// `X-Rate-Limit-Reset` (seconds, or seconds since 1970 if over 1e9, milliseconds if over 1e11,
/// minus the answer's own Date). A field whose limit has requests left is ignored: another limit
/// was hit.
std::optional<Duration> rate_limit_reset(const Headers& headers);

}  // namespace skewguard::http
