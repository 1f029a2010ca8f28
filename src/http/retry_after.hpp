#pragma once

#include <optional>
#include <string_view>

#include "skewguard/http.hpp"
#include "skewguard/time.hpp"

namespace skewguard::http {

/// How long the answer asks us to wait (Retry-After, RFC 9110 section 10.2.3), >= 0, at most 400
/// days: delay-seconds as they stand, or an HTTP date less the *same answer's* Date, so that no
/// other clock takes part. A date without a usable Date in the answer, garbage, a fraction, a sign,
/// or two differing fields: nothing.
std::optional<Duration> retry_after(const Headers& headers);

}  // namespace skewguard::http
