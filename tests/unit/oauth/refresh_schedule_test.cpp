#include "oauth/refresh_schedule.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace skewguard::oauth {
namespace {

using namespace std::chrono_literals;

constexpr Instant kSent{1000s};

LifeSpan life_of(Duration life) {
  return {kSent, kSent + life};
}

TEST(RefreshSchedule, AnHourIsRefreshedInTheLastNinetySecondsAndNotUsedInTheLastTwo) {
  const Margins margins;
  EXPECT_EQ(usable_until(life_of(1h), margins, {}), kSent + 1h - 2s);
  EXPECT_EQ(refresh_at(life_of(1h), margins, {}, 0.0), kSent + 1h - 2s - 67500ms);
  EXPECT_EQ(refresh_at(life_of(1h), margins, {}, 1.0), kSent + 1h - 2s - 90s);
}

TEST(RefreshSchedule, MarginsArePartsOfShortLives) {
  const Margins margins;
  EXPECT_EQ(usable_until(life_of(1s), margins, {}), kSent + 750ms);
  EXPECT_EQ(refresh_at(life_of(1s), margins, {}, 1.0), kSent + 705ms);
}

TEST(RefreshSchedule, CostsLessThanFivePercentMoreTokensFromFiveMinutesOn) {
  const Margins margins;
  for (const Duration life : {Duration{300s}, Duration{1h}, Duration{24h}, Duration{48h}}) {
    const Duration mean = refresh_at(life_of(life), margins, {}, 0.5) - kSent;
    EXPECT_LT(static_cast<double>(life.count()) / static_cast<double>(mean.count()), 1.05);
  }
}

TEST(RefreshSchedule, LeavesTenSecondsForTheLoginHostFromFiveMinutesOn) {
  const Margins margins;
  EXPECT_LT(refresh_at(life_of(300s), margins, {}, 0.0), kSent + 298s - 10s);
}

TEST(RefreshSchedule, ASlowLoginHostIsAskedEarlierByTwiceTheTimeThatItTook) {
  const Margins margins;
  LifeSpan slow = life_of(300s);
  slow.took = 10s;
  EXPECT_EQ(refresh_at(slow, margins, {}, 0.5), kSent + 298s - 20s);
  slow.took = 1s;
  EXPECT_EQ(refresh_at(slow, margins, {}, 0.5), refresh_at(life_of(300s), margins, {}, 0.5));
  slow.took = 1h;
  EXPECT_EQ(refresh_at(slow, margins, {}, 0.5), kSent + 298s - 90s) << "the largest margin";
}

TEST(RefreshSchedule, KeepsClearOfTheSecondThatATruncatedExpMayTake) {
  const Margins margins;
  EXPECT_EQ(usable_until(life_of(5s), margins, {}), kSent + 4s);
  EXPECT_EQ(usable_until(life_of(20s), margins, {}), kSent + 19s);
  EXPECT_EQ(usable_until(life_of(100s), margins, {}), kSent + 98s) << "the larger of the two";
}

TEST(RefreshSchedule, ALargerMarginNeverMeansALaterRefresh) {
  for (const Duration life : {Duration{1s}, Duration{5s}, Duration{300s}, Duration{24h} * 450}) {
    for (const double jitter : {0.0, 0.3, 0.999}) {
      Instant last = Instant::max();
      for (int percent = -50; percent < 300; percent += 5) {
        Margins margins;
        margins.refresh_part = percent / 100.0;
        const Instant at = refresh_at(life_of(life), margins, {}, jitter);
        EXPECT_LE(at, last);
        EXPECT_GE(at - kSent, (usable_until(life_of(life), margins, {}) - kSent) / 2);
        last = at;
      }
      last = Instant::max();
      for (Duration most = -1s; most < 1000s; most += 7s) {
        Margins margins;
        margins.refresh_max = most;
        const Instant at = refresh_at(life_of(life), margins, {}, jitter);
        EXPECT_LE(at, last);
        last = at;
      }
    }
  }
}

TEST(RefreshSchedule, OfMarginsThatMakeNoSenseOnlyTheTruncationIsLeft) {
  Margins margins;
  margins.refresh_part = std::numeric_limits<double>::quiet_NaN();
  margins.use_part = -1;
  EXPECT_EQ(usable_until(life_of(300s), margins, {}), kSent + 299s);
  EXPECT_EQ(refresh_at(life_of(300s), margins, {}, 0.5), kSent + 299s);
}

TEST(RefreshSchedule, ALagMovesTheRefreshAndNotTheLastUse) {
  const Margins margins;
  const Learned lagging{.lag = 5s, .lead = 0s};
  EXPECT_EQ(usable_until(life_of(300s), margins, lagging),
            usable_until(life_of(300s), margins, {}));
  EXPECT_EQ(refresh_at(life_of(300s), margins, lagging, 0.2),
            refresh_at(life_of(300s), margins, {}, 0.2) - 5s);
  // A lag longer than the life: the middle of it, never before.
  EXPECT_EQ(refresh_at(life_of(100s), margins, {.lag = 1h, .lead = 0s}, 0.2), kSent + 49s);
}

TEST(RefreshSchedule, ALeadEndsTokensEarlierButLeavesHalfOfTheLife) {
  const Margins margins;
  EXPECT_EQ(end_for_api(life_of(300s), {.lag = 0s, .lead = 120s}), kSent + 180s);
  EXPECT_EQ(usable_until(life_of(300s), margins, {.lag = 0s, .lead = 120s}), kSent + 178s);
  EXPECT_EQ(end_for_api(life_of(300s), {.lag = 0s, .lead = 1h}), kSent + 150s);
}

TEST(RefreshSchedule, ALifeOfNothingIsNeverUsable) {
  const Margins margins;
  const LifeSpan over{kSent, kSent - 10s};
  EXPECT_EQ(usable_until(over, margins, {.lag = 3s, .lead = 3s}), kSent - 10s);
  EXPECT_EQ(refresh_at(over, margins, {.lag = 3s, .lead = 3s}, 0.5), kSent - 10s);
}

TEST(FirstUse, IsAtOnceWhereNoLagIsKnown) {
  Token token;
  token.received = kSent;
  token.issuer_date = ServerTime{ServerId{0}, 5000s};
  token.begins = ServerTime{ServerId{0}, 5003s};
  EXPECT_EQ(first_use(token, {}), kSent);
}

TEST(FirstUse, WaitsForTheLagAfterTheIssuerSurelyShowedTheBegin) {
  Token token;
  token.received = kSent;
  token.issuer_date = ServerTime{ServerId{0}, 5000s};
  token.begins = ServerTime{ServerId{0}, 5000s};
  const Learned lagging{.lag = 5s, .lead = 0s};
  EXPECT_EQ(first_use(token, lagging), kSent + 5s);
  token.begins = ServerTime{ServerId{0}, 5003s};  // nbf ahead of the issuer's own now
  EXPECT_EQ(first_use(token, lagging), kSent + 8s);
  token.begins = ServerTime{ServerId{0}, 4997s};  // nbf before iat
  EXPECT_EQ(first_use(token, lagging), kSent + 2s);
  token.begins = ServerTime{ServerId{0}, 4000s};
  EXPECT_EQ(first_use(token, lagging), kSent);
}

TEST(GrowingPause, DoublesUpToTheLongest) {
  EXPECT_EQ(growing_pause(5s, 5min, 0), 5s);
  EXPECT_EQ(growing_pause(5s, 5min, 1), 10s);
  EXPECT_EQ(growing_pause(5s, 5min, 5), 160s);
  EXPECT_EQ(growing_pause(5s, 5min, 6), 300s);
  EXPECT_EQ(growing_pause(5s, 5min, 4'000'000'000U), 300s);
}

}  // namespace
}  // namespace skewguard::oauth
