#include "emulator/skewed_clock.hpp"

#include <gtest/gtest.h>

#include "fixture.hpp"

namespace skewguard::emulator {
namespace {

constexpr HostTime kTrue{seconds{kStart}};

TEST(SkewedClock, ReadsTrueTimePlusItsOffset) {
  const SkewedClock clock(at(Duration{0}), {.offset = milliseconds{-1500}});
  EXPECT_EQ(clock.reading(at(seconds{10}).boot), kTrue + milliseconds{8500});
}

TEST(SkewedClock, AStepOfTheWallClockMovesItNot) {
  const SkewedClock clock(at(Duration{0}), {});
  auto later = at(seconds{10});
  later.wall += std::chrono::hours{24 * 365};
  EXPECT_EQ(clock.reading(later.boot), kTrue + seconds{10});
}

TEST(SkewedClock, DriftsFromTheStartAndFromEachChangeOn) {
  SkewedClock clock(at(Duration{0}), {.drift_ppm = 200});
  const auto two_days = std::chrono::hours{48};
  EXPECT_EQ(clock.offset(at(two_days).boot), milliseconds{34'560});  // 172,800 s * 200e-6
  clock.set_drift(-500, at(two_days).boot);
  EXPECT_EQ(clock.offset(at(two_days).boot), milliseconds{34'560});
  EXPECT_EQ(clock.offset(at(two_days + seconds{100}).boot), milliseconds{34'510});
  clock.set_offset(seconds{1}, at(two_days + seconds{100}).boot);
  EXPECT_EQ(clock.offset(at(two_days + seconds{300}).boot), milliseconds{900});
}

TEST(SkewedClock, StepsAtOnceAndLater) {
  SkewedClock clock(at(Duration{0}), {});
  clock.step(seconds{30}, at(seconds{1}).boot);
  ASSERT_TRUE(clock.step_at(at(seconds{5}).boot, seconds{-30}));
  EXPECT_EQ(clock.steps_to_come(at(seconds{1}).boot), 1U);
  EXPECT_EQ(clock.offset(at(milliseconds{4999}).boot), seconds{30});
  EXPECT_EQ(clock.offset(at(seconds{5}).boot), seconds{0});
  EXPECT_EQ(clock.steps_to_come(at(seconds{5}).boot), 0U);
}

TEST(SkewedClock, AStepThatIsDueSurvivesAChangeOfDrift) {
  SkewedClock clock(at(Duration{0}), {});
  clock.step_at(at(seconds{5}).boot, seconds{7});
  clock.set_drift(1000, at(seconds{5}).boot);
  EXPECT_EQ(clock.offset(at(seconds{6}).boot), seconds{7} + milliseconds{1});
}

TEST(SkewedClock, StaysWithinAHundredYearsWhateverIsAsked) {
  SkewedClock clock(at(Duration{0}), {.offset = Duration::max(), .drift_ppm = 1e300});
  EXPECT_EQ(clock.offset(at(seconds{1}).boot), SkewedClock::kMaxOffset);
  clock.step(Duration::max(), at(seconds{1}).boot);
  clock.set_drift(0, at(seconds{1}).boot);
  clock.step(-SkewedClock::kMaxOffset, at(seconds{2}).boot);
  EXPECT_EQ(clock.offset(at(seconds{3}).boot), Duration{0});
  for (std::size_t i = 0; i < SkewedClock::kMaxSteps; ++i)
    ASSERT_TRUE(clock.step_at(at(seconds{9}).boot, Duration::min()));
  EXPECT_FALSE(clock.step_at(at(seconds{9}).boot, seconds{1}));
  EXPECT_EQ(clock.offset(at(seconds{9}).boot), -SkewedClock::kMaxOffset);
}

}  // namespace
}  // namespace skewguard::emulator
