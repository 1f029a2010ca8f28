#include "clocks/skew_estimator.hpp"

#include <gtest/gtest.h>

#include <array>

#include "machine.hpp"

namespace skewguard::clocks {
namespace {

using testing::at;
using testing::Heard;
using testing::kEpoch;
using testing::offset;
using testing::unslewed;
using namespace std::chrono_literals;

constexpr EstimatorOptions kNoDrift{.drift = 0};

time::DateSample sample(Duration sent, Duration received, std::chrono::seconds date) {
  return {.sent = at(sent), .received = at(received), .date = date};
}

TEST(SkewEstimator, KnowsNothingBeforeTheFirstSample) {
  const SkewEstimator estimator;
  EXPECT_FALSE(estimator.hull(unslewed(1s)));
  EXPECT_FALSE(estimator.plain(unslewed(1s)));
  EXPECT_FALSE(estimator.rtt_min());
  EXPECT_EQ(estimator.picture(), Picture::none);
  EXPECT_TRUE(estimator.groups(unslewed(1s)).empty());
}

TEST(SkewEstimator, OneSampleGivesDateMinusReceivedToDatePlusOneSecondMinusSent) {
  SkewEstimator estimator(kNoDrift);
  EXPECT_EQ(estimator.observe(sample(100'200ms, 100'300ms, 1000s)), Observed::narrowed);
  // 1000 - 100.3 and 1000 + 1 - 100.2; staleness of 1 s on the high end alone.
  EXPECT_EQ(estimator.prompt_hull(unslewed(101s)), (OffsetBound{899'700ms, 900'800ms}));
  EXPECT_EQ(estimator.hull(unslewed(101s)), (OffsetBound{899'700ms, 901'800ms}));
  EXPECT_EQ(estimator.rtt_min(), 100ms);
  EXPECT_EQ(estimator.picture(), Picture::one_clock);
}

namespace {
/// Each end is as in `exact`, or by less than 3 ns further out.
void expect_just_outside(const std::optional<OffsetBound>& bound, const OffsetBound& exact) {
  ASSERT_TRUE(bound);
  EXPECT_LE(bound->low, exact.low);
  EXPECT_GT(bound->low, exact.low - 3ns);
  EXPECT_GE(bound->high, exact.high);
  EXPECT_LT(bound->high, exact.high + 3ns);
}
}  // namespace

TEST(SkewEstimator, EachEndDriftsFromItsOwnMoment) {
  SkewEstimator estimator({.drift = 600e-6, .staleness = 0s});
  estimator.observe(sample(100s, 110s, 1000s));
  // At 1110: low is 1000 s old since received (0.6 s), high 1010 s since sent (0.606 s).
  expect_just_outside(estimator.hull(unslewed(1110s)), {890s - 600ms, 901s + 606ms});
}

TEST(SkewEstimator, DriftIsRoundedOutward) {
  SkewEstimator estimator({.drift = 600e-6, .staleness = 0s});
  estimator.observe(sample(100s, 100s, 1000s));
  // 1 ns of age is 0.0006 ns of drift: a whole ns outward on each side.
  EXPECT_EQ(estimator.hull(unslewed(100s + 1ns)), (OffsetBound{900s - 1ns, 901s + 1ns}));
}

TEST(SkewEstimator, AsOfATimeBeforeTheSampleItIsWiderToo) {
  SkewEstimator estimator({.drift = 600e-6, .staleness = 0s});
  estimator.observe(sample(1100s, 1100s, 2000s));
  expect_just_outside(estimator.hull(unslewed(100s)), {900s - 600ms, 901s + 600ms});
}

TEST(SkewEstimator, AReadingGapWidensBothEnds) {
  SkewEstimator estimator({.drift = 0, .staleness = 0s});
  time::DateSample blurred = sample(100s, 101s, 1000s);
  blurred.sent.gap = 1ms;
  blurred.received.gap = 2ms;
  estimator.observe(blurred);
  // An unslewed time is raw + boot - mono: off by two gaps at most.
  EXPECT_EQ(estimator.hull(unslewed(101s)), (OffsetBound{899s - 4ms, 901s + 2ms}));
}

TEST(SkewEstimator, AnAnswerBeforeItsRequestIsTakenWithinTheReadingGaps) {
  // Sent and received are each off by two gaps at most: 2 ms and 4 ms.
  const auto observed = [](Duration before) {
    SkewEstimator estimator(kNoDrift);
    time::DateSample blurred = sample(100s, 100s - before, 1000s);
    blurred.sent.gap = 1ms;
    blurred.received.gap = 2ms;
    return estimator.observe(blurred);
  };
  EXPECT_NE(observed(6ms), Observed::dropped);
  EXPECT_EQ(observed(6ms + 1ns), Observed::dropped);
}

TEST(SkewEstimator, PlainNarrowsToTheRoundTripAndHullDoesNot) {
  SkewEstimator estimator({.drift = 0, .staleness = 0s});
  for (int i = 0; i < 50; ++i) estimator.observe(Heard{.sent = i * 1020ms, .ahead = 5s});
  const OffsetBound plain = *estimator.plain(unslewed(60s));
  EXPECT_TRUE(plain.holds(offset(5s)));
  EXPECT_LE(plain.width(), 40ms);
  const OffsetBound hull = *estimator.hull(unslewed(60s));
  EXPECT_TRUE(hull.holds(plain.low) && hull.holds(plain.high));
  // The intersection widened by 1 s + the longest round trip, and no wider.
  EXPECT_GE(hull.low, plain.low - 1020ms);
  EXPECT_LE(hull.high, plain.high + 1020ms);
}

TEST(SkewEstimator, ASampleThatAgreesAndShowsNothingNewIsConsistent) {
  SkewEstimator estimator(kNoDrift);
  estimator.observe(Heard{.sent = 1s, .rtt = 20ms});
  EXPECT_EQ(estimator.observe(Heard{.sent = 2s, .rtt = 200ms}), Observed::consistent);
  EXPECT_EQ(estimator.observe(Heard{.sent = 3s + 600ms, .rtt = 20ms}), Observed::narrowed);
}

// C8
TEST(SkewEstimator, Drift200PpmFor48HoursStaysInsideBounds) {
  for (const double ppm : {200.0, -200.0, 500.0, -500.0}) {
    SkewEstimator estimator;
    const auto ahead = [&](Duration time) {
      return Duration{static_cast<std::int64_t>(static_cast<double>(time.count()) * ppm * 1e-6)};
    };
    for (Duration time = 0s; time <= 48h; time += 7min + 130ms) {
      estimator.observe(Heard{.sent = time, .ahead = ahead(time)});
      ASSERT_TRUE(estimator.hull(unslewed(time + 20ms))->holds(offset(ahead(time + 20ms))));
      ASSERT_TRUE(estimator.plain(unslewed(time + 20ms))->holds(offset(ahead(time + 20ms))));
    }
    EXPECT_EQ(estimator.picture(), Picture::one_clock);
    // It followed: after 48 h at 500 ppm the clock is 86 s off, and the bounds are a few wide.
    EXPECT_LE(estimator.plain(unslewed(48h))->width(), 4s);
    EXPECT_LE(estimator.hull(unslewed(48h))->width(), 12s);
  }
}

// C8, in silence
TEST(SkewEstimator, TwoDaysOfSilenceAtTheDriftBoundStayInside) {
  for (const int sign : {1, -1}) {
    SkewEstimator estimator;
    estimator.observe(Heard{.sent = 0s});
    const Duration drifted = sign * (48h * 6 / 10'000);  // 600 ppm: 103.68 s
    EXPECT_TRUE(estimator.hull(unslewed(48h))->holds(offset(drifted)));
    EXPECT_TRUE(estimator.plain(unslewed(48h))->holds(offset(drifted)));
  }
}

// C9
TEST(SkewEstimator, AStepOf30SecondsAndBackIsReportedAndBoundedOnBothSides) {
  SkewEstimator estimator;
  Duration time = 0s;
  const auto hear = [&](Duration ahead) {
    time += 1230ms;
    const Observed outcome = estimator.observe(Heard{.sent = time, .ahead = ahead});
    EXPECT_TRUE(estimator.hull(unslewed(time + 20ms))->holds(offset(ahead)));
    return outcome;
  };
  for (int i = 0; i < 5; ++i) hear(0s);
  for (const Duration ahead : {30s, 0s}) {
    EXPECT_EQ(hear(ahead), Observed::rebuilt);
    EXPECT_EQ(estimator.picture(), Picture::several_clocks);
    EXPECT_EQ(hear(ahead), Observed::rebuilt);
    EXPECT_TRUE(estimator.hull(unslewed(time))->holds(offset(30s - ahead)));  // both, until then
    EXPECT_EQ(hear(ahead), Observed::stepped);
    EXPECT_FALSE(estimator.hull(unslewed(time))->holds(offset(30s - ahead)));
    EXPECT_EQ(estimator.picture(), Picture::one_clock);
    EXPECT_EQ(estimator.remembered(), 3U);
    const Duration size = ahead == 30s ? 30s : -30s;
    EXPECT_NEAR(static_cast<double>(estimator.last_step()->count()),
                static_cast<double>(size.count()), 1.1e9);
  }
  EXPECT_EQ(estimator.steps(), 2U);
}

TEST(SkewEstimator, ThreeAnswersOnEachSideMakeAStepAndTwoDoNot) {
  SkewEstimator estimator;
  estimator.observe(Heard{.sent = 1s});
  estimator.observe(Heard{.sent = 2s});
  for (int i = 3; i < 10; ++i) {
    EXPECT_EQ(estimator.observe(Heard{.sent = i * 1s, .ahead = 30s}), Observed::rebuilt);
  }
  EXPECT_EQ(estimator.steps(), 0U);
}

TEST(SkewEstimator, AClockThatComesBackIsASecondClockAndNoStep) {
  SkewEstimator estimator;
  Duration time = 0s;
  for (const Duration ahead : {0s, 0s, 30s, 0s, 30s, 30s, 30s, 30s}) {
    time += 1s;
    EXPECT_NE(estimator.observe(Heard{.sent = time, .ahead = ahead}), Observed::stepped);
  }
  EXPECT_EQ(estimator.picture(), Picture::several_clocks);
  EXPECT_TRUE(estimator.hull(unslewed(9s))->holds(offset(0s)));
  EXPECT_TRUE(estimator.hull(unslewed(9s))->holds(offset(30s)));
}

TEST(SkewEstimator, AnAnswerAskedForBeforeTheStepIsDropped) {
  SkewEstimator estimator;
  for (int i = 1; i <= 3; ++i) estimator.observe(Heard{.sent = i * 1s});
  for (int i = 4; i <= 6; ++i) estimator.observe(Heard{.sent = i * 1s, .ahead = 30s});
  ASSERT_EQ(estimator.steps(), 1U);
  const auto before = estimator.hull(unslewed(40s));
  EXPECT_EQ(estimator.observe(Heard{.sent = 3500ms, .rtt = 30s}), Observed::dropped);
  EXPECT_EQ(estimator.hull(unslewed(40s)), before);
}

TEST(SkewEstimator, AStepTooSmallToTellFromALateDateNamesNeitherAndKeepsBoth) {
  SkewEstimator estimator;
  for (int i = 1; i <= 20; ++i)
    estimator.observe(Heard{.sent = i * 930ms, .ahead = i <= 10 ? 0ms : 700ms, .rtt = 1ms});
  EXPECT_EQ(estimator.steps(), 0U);
  EXPECT_EQ(estimator.picture(), Picture::late_or_second_clock);
  EXPECT_TRUE(estimator.hull(unslewed(20s))->holds(offset(0s)));
  EXPECT_TRUE(estimator.hull(unslewed(20s))->holds(offset(700ms)));
}

// C10: what no contradiction ever shows
TEST(SkewEstimator, HullHoldsTwoCloseClocksWhoseIntersectionHoldsNeither) {
  SkewEstimator estimator({.drift = 0, .staleness = 0s});
  // The first stamps 0.8 s into its second: (.., 0.2]. The other, 0.3 s ahead, 0.2 s into its:
  // [0.1, ..).
  estimator.observe(Heard{.sent = 10s + 800ms, .ahead = 0s, .rtt = 0ms});
  estimator.observe(Heard{.sent = 11s + 900ms, .ahead = 300ms, .rtt = 0ms});
  EXPECT_EQ(estimator.picture(), Picture::one_clock);
  EXPECT_EQ(estimator.plain(unslewed(12s)), (OffsetBound{offset(100ms), offset(200ms)}));
  EXPECT_TRUE(estimator.hull(unslewed(12s))->holds(offset(0s)));
  EXPECT_TRUE(estimator.hull(unslewed(12s))->holds(offset(300ms)));
}

TEST(SkewEstimator, C26_WhatOneConnectionTellsHoldsItsClockWhereTheIntersectionHoldsNeither) {
  SkewEstimator estimator(kNoDrift);
  // Connection 1 ends at a clock that is right, 2 at one 300 ms ahead: 1 tells the high end of the
  // intersection, 2 the low one.
  estimator.observe(Heard{.sent = 10'150ms, .connection = 1});
  estimator.observe(Heard{.sent = 10'900ms, .connection = 1});
  estimator.observe(Heard{.sent = 20'900ms, .ahead = 300ms, .connection = 2});
  EXPECT_EQ(estimator.picture(), Picture::one_clock);
  const auto plain = *estimator.prompt_plain(unslewed(21s));
  EXPECT_FALSE(plain.holds(offset(0ms)) || plain.holds(offset(300ms)));
  const auto best = estimator.by_best_connection(unslewed(21s));
  ASSERT_TRUE(best);
  EXPECT_EQ(best->connection, 1U);
  EXPECT_EQ(best->samples, 2U);
  EXPECT_TRUE(best->offset.holds(offset(0ms)));
  EXPECT_LT(best->offset.width(), 1s);
}

TEST(SkewEstimator, AnUnknownConnectionShowsNothingByItself) {
  SkewEstimator estimator(kNoDrift);
  estimator.observe(Heard{.sent = 10'150ms});
  EXPECT_TRUE(estimator.by_connection(unslewed(11s)).empty());
  EXPECT_FALSE(estimator.by_best_connection(unslewed(11s)));
}

TEST(SkewEstimator, ASuspendWidensWhatAConnectionTold) {
  SkewEstimator estimator(kNoDrift);
  estimator.observe(Heard{.sent = 10'500ms, .connection = 1});
  estimator.observe(Heard{.sent = 3610s, .connection = 2, .slept = 1h});
  const auto told = estimator.by_connection(unslewed(3611s));
  ASSERT_EQ(told.size(), 2U);
  EXPECT_EQ(told[0].offset.width(), 1020ms + 4s);
  EXPECT_EQ(told[1].offset.width(), 1020ms);
}

TEST(SkewEstimator, TwoCloseClocksThatContradictAreLateOrSecond) {
  SkewEstimator estimator({.drift = 0});
  estimator.observe(Heard{.sent = 10s + 950ms, .ahead = 0s, .rtt = 0ms});
  EXPECT_EQ(estimator.observe(Heard{.sent = 11s + 750ms, .ahead = 300ms, .rtt = 0ms}),
            Observed::rebuilt);
  EXPECT_EQ(estimator.picture(), Picture::late_or_second_clock);
  // One late clock would lie where the staleness lets both meet.
  EXPECT_EQ(estimator.plain(unslewed(12s)), (OffsetBound{offset(250ms), offset(1050ms)}));
  EXPECT_TRUE(estimator.hull(unslewed(12s))->holds(offset(0s)));
  EXPECT_TRUE(estimator.hull(unslewed(12s))->holds(offset(300ms)));
}

// C10
TEST(SkewEstimator, ThreeBackendsAreSeveralClocksEachInsideTheHull) {
  SkewEstimator estimator;
  const std::array<Duration, 3> ahead{0ms, 400ms, -3s};
  for (int i = 0; i < 60; ++i)
    estimator.observe(Heard{.sent = i * 1090ms, .ahead = ahead[static_cast<std::size_t>(i % 3)]});
  EXPECT_EQ(estimator.picture(), Picture::several_clocks);
  for (const Duration each : ahead) EXPECT_TRUE(estimator.hull(unslewed(66s))->holds(offset(each)));
  double shares = 0;
  bool holds_the_far_one = false;
  for (const ClockGroup& group : estimator.groups(unslewed(66s))) {
    shares += group.share;
    holds_the_far_one = holds_the_far_one || group.offset.holds(offset(-3s));
  }
  EXPECT_NEAR(shares, 1.0, 1e-9);
  EXPECT_TRUE(holds_the_far_one);
}

TEST(SkewEstimator, EachOfSeveralClocksIsBestToldByTheEndThatIsItsOwn) {
  SkewEstimator estimator({.drift = 0, .staleness = 0s});
  const std::array<Duration, 3> ahead{0ms, 400ms, -3s};
  for (int i = 0; i < 60; ++i)
    estimator.observe(Heard{.sent = i * 1017ms, .ahead = ahead[static_cast<std::size_t>(i % 3)]});
  auto groups = estimator.groups(unslewed(62s));
  ASSERT_EQ(groups.size(), 3U);
  std::ranges::sort(groups, {}, &ClockGroup::best);
  const std::array<Duration, 3> truths{offset(-3s), offset(0ms), offset(400ms)};
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(groups[i].offset.holds(groups[i].best));
    EXPECT_LT(std::chrono::abs(groups[i].best - truths[i]), 60ms) << i;
  }
  EXPECT_GT(std::chrono::abs(groups[1].offset.middle() - truths[1]), 200ms);
}

TEST(SkewEstimator, TheUpperOfTwoCloseClocksIsBestToldByItsLowEnd) {
  SkewEstimator estimator({.drift = 0, .staleness = 0s});
  for (int i = 0; i < 60; ++i)
    estimator.observe(Heard{.sent = i * 1017ms, .ahead = i % 2 == 0 ? 0ms : 400ms});
  auto groups = estimator.groups(unslewed(62s));
  ASSERT_EQ(groups.size(), 2U);
  std::ranges::sort(groups, {}, &ClockGroup::best);
  EXPECT_EQ(groups[0].best, groups[0].offset.high);
  EXPECT_EQ(groups[1].best, groups[1].offset.low);
}

TEST(SkewEstimator, GroupsComeWithTheirSharesLargestFirst) {
  SkewEstimator estimator;
  for (int i = 0; i < 40; ++i)
    estimator.observe(Heard{.sent = i * 1090ms, .ahead = i % 4 == 1 ? 60s : 0s});
  const auto groups = estimator.groups(unslewed(44s));
  ASSERT_EQ(groups.size(), 2U);
  EXPECT_DOUBLE_EQ(groups[0].share, 0.75);
  EXPECT_DOUBLE_EQ(groups[1].share, 0.25);
  EXPECT_EQ(groups[0].samples, 30U);
  EXPECT_TRUE(groups[0].offset.holds(offset(0s)));
  EXPECT_TRUE(groups[1].offset.holds(offset(60s)));
  EXPECT_FALSE(groups[0].offset.meets(groups[1].offset));
}

TEST(SkewEstimator, AnAmbiguousAnswerCountsProRataUnlessItsConnectionTells) {
  for (const bool known : {false, true}) {
    SkewEstimator estimator(kNoDrift);
    // Three of one clock, one of another 10 s ahead, and a slow answer that fits both.
    estimator.observe(Heard{.sent = 1s, .ahead = 0s, .connection = 1});
    estimator.observe(Heard{.sent = 2s, .ahead = 10s, .connection = 2});
    estimator.observe(Heard{.sent = 3s, .ahead = 0s, .connection = 1});
    estimator.observe(Heard{.sent = 4s, .ahead = 0s, .connection = 1});
    estimator.observe(Heard{.sent = 5s, .ahead = 5s, .rtt = 30s, .connection = known ? 2U : 3U});
    const auto groups = estimator.groups(unslewed(36s));
    ASSERT_EQ(groups.size(), 2U);
    EXPECT_EQ(groups[0].samples, 3U);
    EXPECT_NEAR(groups[0].share, known ? 3.0 / 5 : 3.75 / 5, 1e-9);
    EXPECT_NEAR(groups[1].share, known ? 2.0 / 5 : 1.25 / 5, 1e-9);
  }
}

TEST(SkewEstimator, AnAnswerThatMayBeAnothersNarrowsNoGroup) {
  SkewEstimator estimator({.drift = 0, .staleness = 0s});
  estimator.observe(Heard{.sent = 1s});
  estimator.observe(Heard{.sent = 2s, .ahead = 10s + 500ms});  // [9.98 s, 11 s]
  // Of the first clock, 18 s under way: [-9 s, 10 s] meets both, and must not cut the second.
  estimator.observe(Heard{.sent = 5s, .rtt = 18s});
  const auto groups = estimator.groups(unslewed(24s));
  ASSERT_EQ(groups.size(), 2U);
  const ClockGroup& ahead = groups[0].offset.low > groups[1].offset.low ? groups[0] : groups[1];
  EXPECT_EQ(ahead.offset, (OffsetBound{offset(9980ms), offset(11s)}));
}

// C11
TEST(SkewEstimator, ADateOneSecondStaleWidensAndNamesNobody) {
  SkewEstimator estimator;
  for (int i = 1; i < 40; ++i) {
    const Duration time = i * 1070ms;
    estimator.observe(Heard{.sent = time, .ahead = 2s, .late = i % 2 == 0 ? 1s : 0s});
    ASSERT_TRUE(estimator.hull(unslewed(time + 20ms))->holds(offset(2s)));
    ASSERT_TRUE(estimator.plain(unslewed(time + 20ms))->holds(offset(2s)));
  }
  EXPECT_EQ(estimator.picture(), Picture::late_or_second_clock);
  EXPECT_EQ(estimator.steps(), 0U);
}

namespace {
struct Shown {
  Duration at;
  std::chrono::seconds date;
};
/// What the last of these answers did, where answers lie close together.
Observed last_of(std::initializer_list<Shown> answers) {
  SkewEstimator estimator({.drift = 0, .close_together = true});
  Observed outcome = Observed::dropped;
  for (const Shown& shown : answers)
    outcome = estimator.observe(sample(shown.at, shown.at, shown.date));
  return outcome;
}
}  // namespace

// C27
TEST(SkewEstimator, BetweenCloseAnswersADateThatIsRenewedNowAndThenIsNoStep) {
  EXPECT_EQ(last_of({{2500ms, 1000s},  // by the clock 1002.5, and renewed at 1003
                     {2600ms, 1000s},
                     {2700ms, 1000s},
                     {3000ms, 1003s},
                     {3100ms, 1003s},
                     {3200ms, 1003s}}),
            Observed::rebuilt);
}

TEST(SkewEstimator, BetweenCloseAnswersItIsAStepWhereADateWasRenewedBeforeIt) {
  EXPECT_EQ(last_of({{2500ms, 1000s},
                     {3000ms, 1001s},
                     {3100ms, 1001s},
                     {3400ms, 1005s},
                     {3500ms, 1005s},
                     {3600ms, 1005s}}),
            Observed::stepped);
}

TEST(SkewEstimator, BetweenCloseAnswersADateThatGoesBackIsAStep) {
  EXPECT_EQ(last_of({{0ms, 1012s},
                     {100ms, 1012s},
                     {200ms, 1012s},
                     {500ms, 1010s},
                     {600ms, 1010s},
                     {700ms, 1010s}}),
            Observed::stepped);
}

// C19
TEST(SkewEstimator, AFrozenDateIsNoClock) {
  for (const Duration pace : {700ms, 2000ms, 40'000ms}) {
    SkewEstimator estimator;
    for (int i = 0; i < 60; ++i) {
      const Duration sent = i * pace;
      EXPECT_NE(estimator.observe(sample(sent, sent + 20ms, kEpoch)), Observed::stepped);
    }
    EXPECT_EQ(estimator.picture(), Picture::incoherent);
    EXPECT_EQ(estimator.groups(unslewed(60 * pace)).size(), 1U);
  }
}

// C19
TEST(SkewEstimator, AFrozenDateSeenInBurstsIsNoSeriesOfSteps) {
  SkewEstimator estimator;
  for (int i = 0; i < 18; ++i) {
    const Duration sent = i / 3 * 10s + i % 3 * 10ms;
    EXPECT_NE(estimator.observe(sample(sent, sent + 5ms, kEpoch)), Observed::stepped);
  }
  EXPECT_EQ(estimator.picture(), Picture::incoherent);
}

TEST(SkewEstimator, SuspendWidensWhatWasKnownOnBothSides) {
  SkewEstimator estimator({.drift = 0, .staleness = 0s});
  estimator.observe(Heard{.sent = 10s, .rtt = 0ms});
  const OffsetBound before = *estimator.hull(unslewed(11s));
  EXPECT_EQ(estimator.suspend_widening_at(at(11s)), 0s);
  EXPECT_EQ(estimator.suspend_widening_at(at(3611s, 1h)), 2s);
  // 1.7 s more had passed than the kernel thought.
  estimator.observe(Heard{.sent = 3611s, .ahead = 1700ms, .rtt = 0ms, .slept = 1h});
  const OffsetBound after = *estimator.hull(unslewed(3611s));
  EXPECT_EQ(after.low, before.low - 2s);
  EXPECT_TRUE(estimator.plain(unslewed(3611s))->holds(offset(1700ms)));
  EXPECT_EQ(estimator.suspend_widening_at(at(3611s, 1h)), 0s);
}

TEST(SkewEstimator, AnAnswerThatSpansASuspendIsWidenedToo) {
  SkewEstimator estimator({.drift = 0, .staleness = 0s});
  time::DateSample spanning = Heard{.sent = 10s, .rtt = 0ms};
  spanning.received = at(3610s, 1h);
  estimator.observe(spanning);
  // [date - 3610 s - 2 s, date + 1 s - 10 s + 2 s]
  EXPECT_EQ(estimator.hull(unslewed(3610s)), (OffsetBound{kEpoch - 3602s, kEpoch + 3s}));
}

TEST(SkewEstimator, WallClockStepsChangeNothing) {
  SkewEstimator right;
  SkewEstimator stepped;
  constexpr std::array<Duration, 4> kSteps{0s, 1h, -1h, -490'000h};
  for (int i = 0; i < 40; ++i) {
    const Duration wall_ahead = kSteps[static_cast<std::size_t>(i % 4)];
    EXPECT_EQ(right.observe(Heard{.sent = i * 1s}),
              stepped.observe(Heard{.sent = i * 1s, .wall_ahead = wall_ahead}));
  }
  EXPECT_EQ(right.hull(unslewed(41s)), stepped.hull(unslewed(41s)));
  EXPECT_EQ(right.plain(unslewed(41s)), stepped.plain(unslewed(41s)));
}

TEST(SkewEstimator, RemembersTheLast64Samples) {
  SkewEstimator estimator(kNoDrift);
  estimator.observe(Heard{.sent = 0s, .ahead = 30s});
  for (int i = 1; i <= 63; ++i) estimator.observe(Heard{.sent = i * 1s});
  EXPECT_EQ(estimator.remembered(), 64U);
  EXPECT_TRUE(estimator.hull(unslewed(64s))->holds(offset(30s)));
  estimator.observe(Heard{.sent = 64s});
  EXPECT_EQ(estimator.remembered(), 64U);
  EXPECT_EQ(estimator.samples(), 65U);
  EXPECT_FALSE(estimator.hull(unslewed(65s))->holds(offset(30s)));
  EXPECT_EQ(estimator.picture(), Picture::one_clock);
}

TEST(SkewEstimator, OfSamplesOverAnHourOldItRemembersTheLast16) {
  SkewEstimator estimator(kNoDrift);
  estimator.observe(Heard{.sent = 0s, .ahead = 30s});
  for (int i = 1; i <= 15; ++i) estimator.observe(Heard{.sent = 2h + i * 1s});
  EXPECT_EQ(estimator.remembered(), 16U);
  EXPECT_TRUE(estimator.hull(unslewed(3h))->holds(offset(30s)));
  estimator.observe(Heard{.sent = 2h + 16s});
  EXPECT_EQ(estimator.remembered(), 16U);
  EXPECT_FALSE(estimator.hull(unslewed(3h))->holds(offset(30s)));
}

TEST(SkewEstimator, DropsWhatIsNoSample) {
  SkewEstimator estimator;
  EXPECT_EQ(estimator.observe(sample(2s, 1s, kEpoch)), Observed::dropped);
  EXPECT_EQ(estimator.observe(sample(1s, 2s, -1s)), Observed::dropped);
  EXPECT_EQ(estimator.observe(sample(1s, 2s, SkewEstimator::kLatestDate + 1s)), Observed::dropped);
  time::DateSample absurd = sample(1s, 2s, kEpoch);
  absurd.received.boot = Instant::max();
  absurd.received.mono = MonotonicTime::min();
  EXPECT_EQ(estimator.observe(absurd), Observed::dropped);
  EXPECT_EQ(estimator.samples(), 0U);
  EXPECT_EQ(estimator.observe(sample(1s, 2s, SkewEstimator::kLatestDate)), Observed::narrowed);
  EXPECT_EQ(estimator.observe(sample(3s, 4s, 0s)), Observed::rebuilt);
  EXPECT_TRUE(estimator.hull(UnslewedTime::max()));  // nothing leaves int64
}

TEST(SkewEstimator, ForgetsWhatIsOlder) {
  SkewEstimator estimator(kNoDrift);
  estimator.observe(Heard{.sent = 1s});
  estimator.observe(Heard{.sent = 5s, .ahead = 3600s});
  estimator.forget_before(unslewed(5s));
  EXPECT_EQ(estimator.remembered(), 1U);
  EXPECT_EQ(estimator.picture(), Picture::one_clock);
  EXPECT_FALSE(estimator.hull(unslewed(6s))->holds(offset(0s)));
  EXPECT_TRUE(estimator.hull(unslewed(6s))->holds(offset(3600s)));
  EXPECT_EQ(estimator.observe(Heard{.sent = 4s, .rtt = 3s}), Observed::dropped);
  estimator.forget_before(unslewed(60s));
  EXPECT_FALSE(estimator.hull(unslewed(60s)));
  EXPECT_EQ(estimator.picture(), Picture::none);
}

}  // namespace
}  // namespace skewguard::clocks
