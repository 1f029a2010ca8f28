#include "system/seed.hpp"

#include <sys/random.h>
#include <time.h>  // NOLINT: clock_gettime is not in <ctime>
#include <unistd.h>

namespace skewguard::system {

std::uint64_t hardware_seed() noexcept {
  std::uint64_t seed = 0;
  if (::getrandom(&seed, sizeof seed, GRND_NONBLOCK) == sizeof seed) return seed;
  // Early during boot, or if a policy forbids the call: process id and start time still differ,
  // which is enough for jitter.
  timespec time{};
  (void)::clock_gettime(CLOCK_MONOTONIC_RAW, &time);
  return (static_cast<std::uint64_t>(::getpid()) << 32U) ^
         static_cast<std::uint64_t>(time.tv_sec * 1'000'000'000 + time.tv_nsec);
}

}  // namespace skewguard::system
