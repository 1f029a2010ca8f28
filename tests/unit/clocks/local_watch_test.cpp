#include "clocks/local_watch.hpp"

#include <gtest/gtest.h>

#include "machine.hpp"

namespace skewguard::clocks {
namespace {

using namespace testing;

/// The same reading, of clocks that were read up to `gap` apart.
Now within(Duration gap, Now now) {
  now.gap = gap;
  return now;
}

TEST(LocalWatch, SeesNothingInTheFirstReading) {
  LocalWatch watch;
  EXPECT_EQ(watch.span(), 0s);
  EXPECT_EQ(watch.wall_moved(), OffsetBound{});
  const auto seen = watch.see(at(100s, 40s, -900s));
  EXPECT_EQ(seen.wall_step, 0s);
  EXPECT_EQ(seen.suspended, 0s);
  EXPECT_EQ(watch.rate(), std::nullopt);
}

TEST(LocalWatch, KnowsNothingBeforeTheFirstReading) {
  const LocalWatch watch;
  EXPECT_EQ(watch.span(), Duration{0});
  EXPECT_EQ(watch.wall_moved(), OffsetBound{});
  EXPECT_EQ(watch.suspended(), OffsetBound{});
  EXPECT_FALSE(watch.rate());
}

TEST(LocalWatch, SeesAStepOfTheWallClockWithItsSign) {
  LocalWatch watch;
  watch.see(at(0s));
  EXPECT_EQ(watch.see(at(10s, 0s, 3s)).wall_step, 3s);
  EXPECT_EQ(watch.see(at(20s, 0s, 3s)).wall_step, 0s);
  EXPECT_EQ(watch.see(at(30s, 0s, -1s)).wall_step, -4s);
  EXPECT_EQ(watch.wall_steps(), 2U);
  EXPECT_EQ(watch.wall_moved(), (OffsetBound{-1s, -1s}));
  EXPECT_EQ(watch.span(), 30s);
}

TEST(LocalWatch, TakesNoStepForSureThatTheReadingsMayHaveMade) {
  LocalWatch watch;
  watch.see(within(1us, at(0s)));
  EXPECT_EQ(watch.see(within(2us, at(1s, 0s, 3us))).wall_step, 0s);
  EXPECT_EQ(watch.see(within(2us, at(2s, 0s, 3us + 4001ns))).wall_step, 4001ns);
}

TEST(LocalWatch, AddsUpSmallSteps) {
  LocalWatch watch;
  for (int i = 0; i <= 10; ++i) watch.see(within(1us, at(i * 1s, 0s, i * 1us)));
  EXPECT_EQ(watch.wall_steps(), 0U);
  EXPECT_EQ(watch.wall_moved(), (OffsetBound{8us, 12us}));
}

TEST(LocalWatch, TakesASlewForNoStep) {
  LocalWatch watch;
  Now now = at(0s);
  watch.see(now);
  now.raw += 1000s;  // the three others are slewed alike, by 500 ppm
  now.boot += 1000s + 500ms;
  now.mono += 1000s + 500ms;
  now.wall += 1000s + 500ms;
  const auto seen = watch.see(now);
  EXPECT_EQ(seen.wall_step, 0s);
  EXPECT_EQ(seen.suspended, 0s);
  const auto rate = watch.rate();
  ASSERT_TRUE(rate);
  EXPECT_DOUBLE_EQ(rate->low_ppm, 500);
  EXPECT_DOUBLE_EQ(rate->high_ppm, 500);
}

TEST(LocalWatch, KnowsTheRateOnlyAsWellAsTheReadings) {
  LocalWatch watch;
  watch.see(within(1us, at(0s)));
  watch.see(within(1us, at(1s)));
  const auto rate = watch.rate();
  ASSERT_TRUE(rate);
  EXPECT_DOUBLE_EQ(rate->low_ppm, -2);
  EXPECT_DOUBLE_EQ(rate->high_ppm, 2);
}

TEST(LocalWatch, SeesASuspendAndNoStepInIt) {
  LocalWatch watch;
  watch.see(at(0s));
  const auto seen = watch.see(at(3610s, 3600s));
  EXPECT_EQ(seen.suspended, 3600s);
  EXPECT_EQ(seen.wall_step, 0s);
  watch.see(at(3620s, 3600s));
  EXPECT_EQ(watch.suspends(), 1U);
  EXPECT_EQ(watch.suspended(), (OffsetBound{3600s, 3600s}));
  ASSERT_TRUE(watch.rate());
  EXPECT_DOUBLE_EQ(watch.rate()->high_ppm, 0);
}

TEST(LocalWatch, TakesNoSuspendForSureThatTheReadingsMayHaveMade) {
  LocalWatch watch;
  watch.see(within(1us, at(0s)));
  EXPECT_EQ(watch.see(within(1us, at(1s, 2us))).suspended, 0s);
  EXPECT_EQ(watch.suspends(), 0U);
  EXPECT_EQ(watch.suspended(), (OffsetBound{0s, 4us}));
}

}  // namespace
}  // namespace skewguard::clocks
