// What aimed probing reaches on paths whose delays are random, and that it never lies. Everything
// is on virtual time, from a seed.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "probe_world.hpp"

#ifndef SKEWGUARD_HISTORY_SHARE
#define SKEWGUARD_HISTORY_SHARE 1
#endif

namespace skewguard::testing {
namespace {

constexpr Duration kLeastLeg = milliseconds{20};
constexpr Duration kLeastRtt = 2 * kLeastLeg;

// One direction: 20 ms and a tail.
Duration exponential_leg(Random& random) {
  return kLeastLeg + of_ms(5 * random.exponential());
}
Duration lognormal_leg(Random& random) {
  return kLeastLeg + of_ms(3 * std::exp(random.normal()));
}

Clock some_clock(Random& random) {
  return {.offset = seconds{1'767'225'600} + random.between(-seconds{400}, seconds{400})};
}

/// Median and 99th percentile.
struct Spread {
  explicit Spread(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    median = values.at(values.size() / 2);
    p99 = values.at(values.size() * 99 / 100);
  }
  double median = 0;
  double p99 = 0;
};

struct Reached {
  Spread width;  ///< over the shortest round trip that the path has
  Spread error;  ///< of the best estimate, over the same
  Spread seconds_taken;
};

Reached reached(const ProbeBudget& budget, const Leg& leg, std::size_t runs) {
  std::vector<double> widths;
  std::vector<double> errors;
  std::vector<double> times;
  const auto in_rtts = [](Duration d) {
    return static_cast<double>(d.count()) / static_cast<double>(kLeastRtt.count());
  };
  Random random(20'261'125);
  for (std::size_t i = 0; i < runs; ++i) {
    const Server server{{some_clock(random)}};
    const Measured measured = measure(random, budget, leg, server);
    const auto shown = measured.plan.estimator().prompt_plain(measured.end);
    const auto best = measured.plan.best(measured.end);
    widths.push_back(in_rtts(shown->width() - ProbePlan::kPrompt));
    errors.push_back(std::abs(in_rtts(*best - server.clocks.front().offset)));
    times.push_back(static_cast<double>((measured.end - measured.start).count()) / 1e9);
  }
  return {Spread(widths), Spread(errors), Spread(times)};
}

struct Wanted {
  std::size_t probes;
  double width_median;
  double width_p99;
};

/// As many probes as are named, all of them aimed, and all the time in the world.
ProbeBudget unhurried(std::size_t probes) {
  return {.probes = probes, .time = std::chrono::hours{1}, .flanks = 0, .drift = 0};
}

void expect_reached(const Leg& leg, const std::vector<Wanted>& all) {
  for (const Wanted& wanted : all) {
    const Reached got = reached(unhurried(wanted.probes), leg, 40000);
    EXPECT_LE(got.width.median, wanted.width_median) << wanted.probes << " probes";
    EXPECT_LE(got.width.p99, wanted.width_p99) << wanted.probes << " probes";
    ::testing::Test::RecordProperty(
        "probes_" + std::to_string(wanted.probes),
        std::to_string(got.width.median) + "/" + std::to_string(got.width.p99));
  }
}

TEST(ProbePlan, ReachesTheRoundTripOnAPathWithAnExponentialTail) {
  expect_reached(
      exponential_leg,
      {{8, 1.46, 1.91}, {10, 1.28, 1.60}, {16, 1.14, 1.29}, {20, 1.11, 1.22}, {40, 1.055, 1.115}});
}

TEST(ProbePlan, ReachesTheRoundTripOnAPathWithALognormalTail) {
  expect_reached(lognormal_leg, {{10, 1.265, 1.57}, {20, 1.105, 1.20}, {40, 1.065, 1.11}});
}

TEST(ProbePlan, EstimatesWithinAFractionOfTheRoundTrip) {
  const Reached ten = reached(unhurried(10), exponential_leg, 40000);
  EXPECT_LE(ten.error.median, 0.045);
  EXPECT_LE(ten.error.p99, 0.18);
  const Reached twenty = reached(unhurried(20), exponential_leg, 40000);
  EXPECT_LE(twenty.error.median, 0.017);
  EXPECT_LE(twenty.error.p99, 0.07);
}

TEST(ProbePlan, SpendsProbesToSaveTime) {
  const Reached got =
      reached({.probes = 48, .time = milliseconds{3500}, .flanks = 0}, exponential_leg, 40000);
  EXPECT_LE(got.width.median, 1.10);
  EXPECT_LE(got.width.p99, 1.24);
  EXPECT_LE(got.seconds_taken.p99, 3.5);
}

TEST(ProbePlan, OnALocalNetworkSixteenProbesGiveAMillisecond) {
  const Leg leg = [](Random& random) { return of_ms(0.1 + 0.03 * random.exponential()); };
  const Reached got = reached({}, leg, 1000);  // in units of 40 ms
  EXPECT_LE(got.error.median * 40, 0.3);
  EXPECT_LE(got.error.p99 * 40, 0.8);
  EXPECT_LE(got.seconds_taken.p99, 6.0);
}

/// Random paths, drifts up to the bound, date strings late by up to what counts as prompt.
TEST(ProbePlan, TheIntervalHoldsTheTruthInEveryOfAMillionMeasurements) {
  Random random(7);
  const std::size_t runs = 1'000'000 / SKEWGUARD_HISTORY_SHARE;
  std::size_t misses = 0;
  for (std::size_t i = 0; i < runs; ++i) {
    const double excess = std::exp(random.unit() * 5);
    const Duration least = random.between(Duration{10'000}, milliseconds{60});
    const bool tailed = random.chance(0.5);
    const Leg leg = [&](Random& r) {
      return least + of_ms(tailed ? excess * std::exp(r.normal()) : excess * r.exponential());
    };
    Clock clock = some_clock(random);
    clock.drift = (2 * random.unit() - 1) * 600e-6;
    clock.late = random.chance(0.3) ? ProbePlan::kPrompt : Duration{0};
    const ProbeBudget budget{.probes = 1 + static_cast<std::size_t>(random.between(0, 9)),
                             .time = random.between(milliseconds{500}, seconds{8})};
    const Measured measured = measure(random, budget, leg, {{clock}});
    const auto shown = measured.plan.estimator().prompt_plain(measured.end);
    ASSERT_TRUE(shown);
    if (!shown->holds(offset_at(clock, measured.end))) ++misses;
  }
  EXPECT_EQ(misses, 0U);
}

/// Another clock behind the same name, at random distances, for 0.3 of the answers or more.
TEST(ProbePlan, AHiddenSecondClockIsNoticedOrInsideTheHull) {
  Random random(8);
  const std::size_t runs = 10'000 / SKEWGUARD_HISTORY_SHARE;
  std::size_t hidden = 0;
  for (std::size_t i = 0; i < runs; ++i) {
    Server server{{some_clock(random)}, 0.3 + 0.4 * random.unit()};
    server.clocks.push_back(server.clocks.front());
    const Duration apart = random.between(milliseconds{20}, seconds{3});
    server.clocks.back().offset += random.chance(0.5) ? apart : -apart;
    const Measured measured =
        measure(random, {.probes = 40, .time = seconds{10}}, exponential_leg, server);
    const auto& known = measured.plan.estimator();
    const bool stepped = known.steps() > 0;  // the two answered one after the other
    const bool noticed = stepped || known.picture() != clocks::Picture::one_clock;
    const auto hull = known.prompt_hull(measured.end);
    const bool inside =
        hull->holds(server.clocks.front().offset) && hull->holds(server.clocks.back().offset);
    if (!noticed && !inside) ++hidden;
    EXPECT_TRUE(inside || stepped || !noticed) << "noticed, and yet the hull holds not both";
  }
  EXPECT_EQ(hidden, 0U);
}

/// By up to 300 ms, another amount for each answer, on a local network.
TEST(ProbePlan, DatesThatAreLateByAVaryingAmountAreFoundOut) {
  const Leg leg = [](Random& random) { return of_ms(0.1 + 0.03 * random.exponential()); };
  Random random(10);
  const std::size_t runs = 2000 / SKEWGUARD_HISTORY_SHARE;
  std::size_t missed = 0;
  for (std::size_t i = 0; i < runs; ++i) {
    Clock clock = some_clock(random);
    clock.late = milliseconds{300};
    const Measured measured = measure(random, {.probes = 40, .time = seconds{10}}, leg, {{clock}});
    if (measured.plan.estimator().picture() == clocks::Picture::one_clock) ++missed;
  }
  EXPECT_LE(missed, runs / 50);
}

/// What is claimed to be excluded is met by chance no oftener than once in a hundred times.
TEST(ProbePlan, WhatIsExcludedIsNotThere) {
  Random random(9);
  const std::size_t runs = 4000 / SKEWGUARD_HISTORY_SHARE;
  std::size_t wrong = 0;
  std::size_t claims = 0;
  for (std::size_t i = 0; i < runs; ++i) {
    Server server{{some_clock(random)}, 0.2 + 0.5 * random.unit()};
    server.clocks.push_back(server.clocks.front());
    const Duration apart = random.between(milliseconds{20}, seconds{3});
    server.clocks.back().offset += random.chance(0.5) ? apart : -apart;
    const Measured measured =
        measure(random, {.probes = 40, .time = seconds{10}}, exponential_leg, server);
    const auto excluded = measured.plan.excluded(measured.end);
    ++claims;
    if (excluded.share < server.second_share && apart > excluded.beyond) ++wrong;
  }
  EXPECT_LE(wrong, claims / 50);
}

TEST(ProbePlan, StepsOfTheClockDoNotHoldTheMeasurementUp) {
  Random random(10);
  std::size_t seen = 0;
  for (std::size_t i = 0; i < 500; ++i) {
    Clock clock = some_clock(random);
    clock.step = random.chance(0.5) ? seconds{30} : -seconds{30};
    clock.stepped = UnslewedTime{seconds{100} + random.between(seconds{2}, seconds{4})};
    const Measured measured = measure(random, {}, exponential_leg, {{clock}});
    EXPECT_LE(measured.end - measured.start, seconds{7});
    if (measured.plan.estimator().steps() == 0) continue;
    ++seen;
    EXPECT_TRUE(
        measured.plan.estimator().prompt_hull(measured.end)->holds(offset_at(clock, measured.end)));
  }
  EXPECT_GT(seen, 400U);
}

TEST(ProbePlan, TellsDatesOfKeptAnswersFromClocksThatTakeTurns) {
  Random random(11);
  std::size_t cached = 0;
  for (std::size_t i = 0; i < 500; ++i) {
    Clock clock = some_clock(random);
    clock.kept = random.between(milliseconds{2500}, seconds{6});
    const Measured kept = measure(random, {}, exponential_leg, {{clock}});
    if (kept.plan.kept_dates()) ++cached;
    Server two{{some_clock(random)}, 0.3 + 0.4 * random.unit()};
    two.clocks.push_back(two.clocks.front());
    two.clocks.back().offset += random.between(milliseconds{1200}, seconds{3});
    EXPECT_FALSE(measure(random, {}, exponential_leg, two).plan.kept_dates());
    const Measured honest = measure(random, {}, exponential_leg, {{some_clock(random)}});
    EXPECT_FALSE(honest.plan.kept_dates());
  }
  EXPECT_GT(cached, 450U);
}

TEST(ProbePlan, AServerThatNeverAnswersIsGivenUp) {
  ProbePlan plan({.probes = 3}, UnslewedTime{seconds{10}});
  UnslewedTime const now{seconds{10}};
  for (int i = 0; i < 3; ++i) {
    const auto next = plan.next(now);
    ASSERT_TRUE(next.shot);
    plan.sent(next.shot->at);
    EXPECT_EQ(plan.next(now).wait, ProbePlan::Wait::answer);
    EXPECT_FALSE(plan.next(now).shot);
    plan.lost();
  }
  EXPECT_EQ(plan.next(now).wait, ProbePlan::Wait::over);
  EXPECT_FALSE(plan.best(now));
}

TEST(ProbePlan, AskedTwiceItSaysTheSame) {
  ProbePlan plan({.probes = 9, .drift = 0}, UnslewedTime{seconds{10}});
  const auto first = plan.next(UnslewedTime{seconds{10}});
  ASSERT_TRUE(first.shot);
  plan.sent(first.shot->at);
  plan.answered({.sent = reading(UnslewedTime{seconds{10}}),
                 .received = reading(UnslewedTime{seconds{10} + milliseconds{40}}),
                 .date = seconds{1'767'225'600}});
  const auto once = plan.next(UnslewedTime{seconds{10} + milliseconds{40}});
  const auto again = plan.next(UnslewedTime{seconds{10} + milliseconds{60}});
  ASSERT_TRUE(once.shot && again.shot);
  EXPECT_EQ(once.shot->at, again.shot->at);
}

}  // namespace
}  // namespace skewguard::testing
