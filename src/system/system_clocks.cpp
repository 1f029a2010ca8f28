#include "system/system_clocks.hpp"

#include <time.h>  // NOLINT: clock_gettime is not in <ctime>

#include <cstdlib>

namespace skewguard::system {
namespace {

/// The time since the clock's own zero. Linux has had these clocks since 2.6.39, and reading one
/// then cannot fail; continuing with a made-up time would be worse than stopping.
Duration read(clockid_t clock) noexcept {
  timespec time{};
  if (::clock_gettime(clock, &time) != 0) std::abort();
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

}  // namespace

Instant SystemClocks::boot_now() {
  return Instant{read(CLOCK_BOOTTIME)};
}

Now SystemClocks::now() {
  const Duration before = read(CLOCK_BOOTTIME);
  const WallTime wall{read(CLOCK_REALTIME)};
  const MonotonicTime mono{read(CLOCK_MONOTONIC)};
  const RawTime raw{read(CLOCK_MONOTONIC_RAW)};
  const Duration after = read(CLOCK_BOOTTIME);
  const Duration gap = after - before;
  return {.boot = Instant{before + gap / 2}, .wall = wall, .mono = mono, .raw = raw, .gap = gap};
}

}  // namespace skewguard::system
