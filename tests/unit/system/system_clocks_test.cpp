#include "system/system_clocks.hpp"

#include <gtest/gtest.h>
#include <time.h>  // NOLINT: clock_gettime is not in <ctime>

#include <thread>

namespace skewguard::system {
namespace {

using namespace std::chrono_literals;

Duration kernel(clockid_t clock) {
  timespec time{};
  EXPECT_EQ(::clock_gettime(clock, &time), 0);
  return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

// No figure of these depends on how fast the test runs: each reading lies between two others.
TEST(SystemClocks, ReadTheKernelsFourClocks) {
  SystemClocks clocks;
  const Duration boot = kernel(CLOCK_BOOTTIME);
  const Duration mono = kernel(CLOCK_MONOTONIC);
  const Duration raw = kernel(CLOCK_MONOTONIC_RAW);
  const Now now = clocks.now();
  EXPECT_LE(Instant{boot}, now.boot);
  EXPECT_LE(now.boot, Instant{kernel(CLOCK_BOOTTIME)});
  EXPECT_LE(MonotonicTime{mono}, now.mono);
  EXPECT_LE(now.mono, MonotonicTime{kernel(CLOCK_MONOTONIC)});
  EXPECT_LE(RawTime{raw}, now.raw);
  EXPECT_LE(now.raw, RawTime{kernel(CLOCK_MONOTONIC_RAW)});
}

TEST(SystemClocks, ReadTheWallClockThatTheKernelBelieves) {
  SystemClocks clocks;
  // The wall clock may step between two readings: one try in three is enough.
  bool between = false;
  for (int i = 0; i < 3 && !between; ++i) {
    const WallTime before{kernel(CLOCK_REALTIME)};
    const WallTime wall = clocks.now().wall;
    between = before <= wall && wall <= WallTime{kernel(CLOCK_REALTIME)};
  }
  EXPECT_TRUE(between);
}

TEST(SystemClocks, TellHowFarApartTheirReadingsMayLie) {
  SystemClocks clocks;
  const Duration before = kernel(CLOCK_BOOTTIME);
  const Now now = clocks.now();
  const Duration after = kernel(CLOCK_BOOTTIME);
  EXPECT_GE(now.gap, 0ns);
  EXPECT_LE(now.gap, after - before);
  // The sandwich itself lies between them: `boot` is its middle.
  EXPECT_LE(Instant{before}, now.boot - now.gap / 2);
  EXPECT_LE(now.boot + now.gap / 2, Instant{after});
}

void expect_never_back(SystemClocks& clocks) {
  Now last = clocks.now();
  for (int i = 0; i < 2000; ++i) {
    const Now now = clocks.now();
    ASSERT_LE(last.boot, now.boot);
    ASSERT_LE(last.mono, now.mono);
    ASSERT_LE(last.raw, now.raw);
    last = now;
  }
}

TEST(SystemClocks, NeverRunBackInAnyThread) {
  SystemClocks clocks;
  std::thread other([&clocks] { expect_never_back(clocks); });
  expect_never_back(clocks);
  other.join();
}

}  // namespace
}  // namespace skewguard::system
