#pragma once

#include "skewguard/time.hpp"

namespace skewguard::settings {

// The most that may be set, by the command line and by programs alike.

/// Of `timeout` and `max_wait`: a day. No time computed from it overflows.
inline constexpr Duration kLongestTimeout = std::chrono::hours{24};
/// Of `staleness`: a Date that is older by design tells nothing.
inline constexpr Duration kLongestStaleness = std::chrono::hours{1};

}  // namespace skewguard::settings
