#pragma once

#include "skewguard/time.hpp"

namespace skewguard::settings {

// The most that may be set, by the command line and by programs alike.

/// Of `timeout` and `max_wait`: a day. No time computed from it overflows.
inline constexpr Duration kMaxTimeout = std::chrono::hours{24};
/// Of `staleness`: a Date that is older by design tells nothing.
inline constexpr Duration kMaxStaleness = std::chrono::hours{1};

/// What a setting may be; the minimum catches a slip of the unit. docs/guide/settings.md names
/// them.
struct Bounds {
  Duration min;
  Duration max;
};
inline constexpr Bounds kTimeoutBounds{std::chrono::milliseconds{1}, kMaxTimeout};
inline constexpr Bounds kMaxWaitBounds{Duration{0}, kMaxTimeout};
inline constexpr Bounds kStalenessBounds{Duration{0}, kMaxStaleness};
inline constexpr Bounds kMaxSkewBounds{std::chrono::milliseconds{1}, std::chrono::hours{24}};
inline constexpr int kMaxAttempts = 100;  ///< at least 1

}  // namespace skewguard::settings
