#pragma once

#include <cstdint>

#include "skewguard/time.hpp"

/// Interval arithmetic that saturates at the limits of Duration: wall-clock times may be anything.
namespace skewguard::clocks {

inline Duration plus(Duration a, Duration b) noexcept {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a.count(), b.count(), &sum)) return Duration{sum};
  return a.count() < 0 ? Duration::min() : Duration::max();
}
inline Duration minus(Duration a, Duration b) noexcept {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(a.count(), b.count(), &difference)) return Duration{difference};
  return a.count() < 0 ? Duration::min() : Duration::max();
}
inline OffsetBound moved(const OffsetBound& bound, Duration by) noexcept {
  return {plus(bound.low, by), plus(bound.high, by)};
}
inline OffsetBound spread(const OffsetBound& bound, Duration by) noexcept {
  return {minus(bound.low, by), plus(bound.high, by)};
}

/// From (clock minus unslewed local time) to (clock minus boot time), read at `now`.
inline OffsetBound to_boot(const OffsetBound& unslewed, const Now& now) noexcept {
  const Duration unslewed_minus_boot = now.raw.time_since_epoch() - now.mono.time_since_epoch();
  return spread(moved(unslewed, unslewed_minus_boot), now.gap);
}
/// From (clock minus boot time) to (clock minus wall time), read at `now`.
inline OffsetBound boot_to_wall(const OffsetBound& boot, const Now& now) noexcept {
  const Duration boot_minus_wall = minus(now.boot.time_since_epoch(), now.wall.time_since_epoch());
  return spread(moved(boot, boot_minus_wall), now.gap);
}

/// Changes only if the wall clock is set.
inline Duration wall_less_boot(const Now& now) noexcept {
  return minus(now.wall.time_since_epoch(), now.boot.time_since_epoch());
}
/// Whether the wall clock has been set by more than a second since wall_less_boot() was `then`.
inline bool wall_was_set(Duration then, const Now& now) noexcept {
  const Duration moved = minus(wall_less_boot(now), then);
  return moved < -std::chrono::seconds{1} || moved > std::chrono::seconds{1};
}

}  // namespace skewguard::clocks
