#include "clocks/clock_book.hpp"

#include <gtest/gtest.h>

#include "machine.hpp"

namespace skewguard::clocks {
namespace {

using testing::at;
using testing::Heard;
using testing::kEpoch;
using namespace std::chrono_literals;

constexpr EstimatorOptions kExact{.drift = 0, .staleness = 0s};

class TwoServers : public ::testing::Test {
 protected:
  ClockBook book;
  ServerId login = book.id("https://login.example");
  ServerId api = book.id("https://api.example");

  /// Both answer `count` times, a second apart, from `start` on.
  void hear_both(Duration start, int count, Duration ahead = 0s) {
    for (int i = 0; i < count; ++i) {
      book.observe(login, Heard{.sent = start + i * 1s, .ahead = ahead});
      book.observe(api, Heard{.sent = start + i * 1s + 300ms, .ahead = ahead});
    }
  }
};

TEST_F(TwoServers, AnOriginHasOneId) {
  EXPECT_NE(login, api);
  EXPECT_EQ(book.id("https://login.example"), login);
  EXPECT_EQ(book.origin(api), "https://api.example");
  EXPECT_EQ(book.servers(), (std::vector<ServerId>{login, api}));
}

TEST_F(TwoServers, NothingIsKnownOfAServerThatHasNotAnswered) {
  book.observe(login, Heard{.sent = 1s});
  EXPECT_TRUE(book.to_boot(login, at(2s)));
  EXPECT_FALSE(book.to_boot(api, at(2s)));
  EXPECT_FALSE(book.between(login, api, at(2s)));
  EXPECT_FALSE(book.reading(api, at(2s)));
  EXPECT_FALSE(book.when(ServerTime(api, kEpoch), at(2s)));
}

TEST(ClockBook, OffsetsAreServerMinusLocalWithTheReadingGapAdded) {
  ClockBook book(kExact);
  const ServerId server = book.id("s");
  // Stamped at the very start of its second, 5 s ahead: [5 s, 6 s].
  book.observe(server, Heard{.sent = 10s, .ahead = 5s, .rtt = 0s});
  Now now = at(20s, 0s, -900s);
  EXPECT_EQ(book.to_boot(server, now), (OffsetBound{kEpoch + 5s, kEpoch + 6s}));
  EXPECT_EQ(book.to_wall(server, now), (OffsetBound{905s, 906s}));
  now.gap = 3ms;
  EXPECT_EQ(book.to_boot(server, now), (OffsetBound{kEpoch + 5s - 3ms, kEpoch + 6s + 3ms}));
  EXPECT_EQ(book.to_wall(server, now), (OffsetBound{905s - 6ms, 906s + 6ms}));
}

TEST(ClockBook, ASlewedBootClockIsConvertedWhenAsked) {
  ClockBook book(kExact);
  const ServerId server = book.id("s");
  book.observe(server, Heard{.sent = 10s, .ahead = 5s, .rtt = 0s});
  Now now = at(20s);
  now.mono += 70ms;  // NTP has slewed both by 70 ms; the crystal shows 20 s
  now.boot += 70ms;
  EXPECT_EQ(book.to_boot(server, now), (OffsetBound{kEpoch + 4930ms, kEpoch + 5930ms}));
}

TEST(ClockBook, BetweenIsTheDifferenceOfTwoIntervals) {
  ClockBook book({.drift = 0, .staleness = 1s});
  const ServerId a = book.id("a");
  const ServerId b = book.id("b");
  book.observe(a, Heard{.sent = 10s, .ahead = 5s, .rtt = 0s});  // [5, 6] + staleness: [5, 7]
  book.observe(b, Heard{.sent = 11s, .ahead = 1s, .rtt = 0s});  // [1, 2] + staleness: [1, 3]
  EXPECT_EQ(book.between(a, b, at(12s)), (OffsetBound{2s, 6s}));
  EXPECT_EQ(book.between(b, a, at(12s)), (OffsetBound{-6s, -2s}));
  EXPECT_EQ(book.between(a, a, at(12s)), (OffsetBound{-2s, 2s}));
}

TEST(ClockBook, BetweenPlainUsesTheIntersections) {
  ClockBook book(kExact);
  const ServerId a = book.id("a");
  const ServerId b = book.id("b");
  for (int i = 0; i < 50; ++i) {
    book.observe(a, Heard{.sent = i * 1020ms, .ahead = 5s});
    book.observe(b, Heard{.sent = i * 1020ms, .ahead = 1s});
  }
  const OffsetBound plain = *book.between_plain(a, b, at(60s));
  EXPECT_TRUE(plain.holds(4s));
  EXPECT_LE(plain.width(), 80ms);
  EXPECT_GE(book.between(a, b, at(60s))->width(), 1s);
  EXPECT_EQ(book.between_plain(a, a, at(60s)), OffsetBound{});
}

// C6
TEST_F(TwoServers, WallClockStepsMoveToWallAndNothingElse) {
  hear_both(1s, 5, 2s);
  const Now right = at(10s);
  for (const Duration step :
       {Duration{1h}, Duration{-1h}, -Duration{490'000h}, Duration{650'000h}}) {
    const Now stepped = at(10s, 0s, step);
    EXPECT_EQ(book.to_boot(api, stepped), book.to_boot(api, right));
    EXPECT_EQ(book.between(login, api, stepped), book.between(login, api, right));
    const auto wall = book.to_wall(api, right);
    EXPECT_EQ(book.to_wall(api, stepped), (OffsetBound{wall->low - step, wall->high - step}));
  }
}

TEST_F(TwoServers, ASuspendSinceTheLastAnswerWidens) {
  hear_both(1s, 2);
  const OffsetBound awake = *book.between(login, api, at(7210s));
  const OffsetBound slept = *book.between(login, api, at(7210s, 2h));
  EXPECT_EQ(slept, (OffsetBound{awake.low - 4s, awake.high + 4s}));  // 2 s for each server
}

TEST(ClockBook, ReadingAndWhenAreInverse) {
  ClockBook book(kExact);
  const ServerId server = book.id("s");
  book.observe(server, Heard{.sent = 10s, .ahead = 5s, .rtt = 0s});  // 5 to 6 s ahead
  const auto reading = book.reading(server, at(20s));
  ASSERT_TRUE(reading);
  EXPECT_EQ(reading->earliest, ServerTime(server, kEpoch + 25s));
  EXPECT_EQ(reading->latest, ServerTime(server, kEpoch + 26s));
  // It will show :35 in 9 to 10 s, give or take what NTP may slew us: 500 ppm, doubled.
  const auto due = book.when(ServerTime(server, kEpoch + 35s), at(20s));
  ASSERT_TRUE(due);
  EXPECT_LE(due->earliest, Instant{29s - 9ms});
  EXPECT_GT(due->earliest, Instant{29s - 9ms - 3ns});
  EXPECT_GE(due->latest, Instant{30s + 10ms});
  EXPECT_LT(due->latest, Instant{30s + 10ms + 3ns});
}

TEST(ClockBook, TimesBeyondAllClocksStayInRange) {
  ClockBook book;
  const ServerId server = book.id("s");
  book.observe(server, Heard{.sent = 10s});
  for (const Duration time : {Duration::max(), Duration::min()}) {
    const auto due = book.when(ServerTime(server, time), at(20s));
    ASSERT_TRUE(due);
    EXPECT_LE(due->earliest, due->latest);
  }
  Now now = at(20s);
  now.wall = WallTime::min();
  EXPECT_LE(book.to_wall(server, now)->low, book.to_wall(server, now)->high);
}

// C18
TEST_F(TwoServers, TwoServersThatJumpTogetherMeanThisMachineStoodStill) {
  hear_both(1s, 4);
  const Observation first = book.observe(login, Heard{.sent = 20s, .ahead = 1h});
  EXPECT_FALSE(first.machine_stood_still);
  ASSERT_TRUE(first.jump);
  EXPECT_NEAR(std::chrono::duration<double>(*first.jump).count(), 3600, 2);
  const Observation second = book.observe(api, Heard{.sent = 21s, .ahead = 1h});
  ASSERT_TRUE(second.machine_stood_still);
  EXPECT_NEAR(std::chrono::duration<double>(*second.machine_stood_still).count(), 3600, 2);
  // What was known before no longer counts, for either.
  for (const ServerId server : {login, api}) {
    EXPECT_TRUE(book.to_boot(server, at(22s))->holds(kEpoch + 1h));
    EXPECT_FALSE(book.to_boot(server, at(22s))->holds(kEpoch));
    EXPECT_EQ(book.estimator(server).steps(), 0U);
  }
}

TEST_F(TwoServers, OneServerIsEnoughWhereTheHypervisorReportsAStop) {
  hear_both(1s, 4);
  book.note_disruption(at(19s).unslewed());
  const Observation seen = book.observe(login, Heard{.sent = 20s, .ahead = 1h});
  ASSERT_TRUE(seen.machine_stood_still);
  EXPECT_NEAR(std::chrono::duration<double>(*seen.machine_stood_still).count(), 3600, 2);
  EXPECT_FALSE(book.observe(api, Heard{.sent = 21s, .ahead = 1h}).jump) << "counted once";
}

TEST_F(TwoServers, AStopThatWasToldExplainsNoJumpAfterIt) {
  hear_both(1s, 4);
  book.note_disruption(at(10s).unslewed());  // moved to another host, in no time
  hear_both(11s, 4);
  EXPECT_FALSE(book.observe(login, Heard{.sent = 20s, .ahead = 1h}).machine_stood_still);
}

TEST_F(TwoServers, AStandstillIsSeenThoughOneServerHasAnsweredManyTimesSince) {
  hear_both(1s, 4);
  for (int i = 0; i < 3; ++i) book.observe(login, Heard{.sent = 20s + i * 1s, .ahead = 1h});
  EXPECT_EQ(book.estimator(login).steps(), 1U);
  EXPECT_TRUE(book.observe(api, Heard{.sent = 90s, .ahead = 1h}).machine_stood_still);
}

TEST_F(TwoServers, AThirdServerForgetsWhatItSaidBeforeTheStandstill) {
  const ServerId third = book.id("https://third.example");
  hear_both(1s, 4);
  book.observe(third, Heard{.sent = 3s});
  book.observe(login, Heard{.sent = 20s, .ahead = 1h});
  book.observe(api, Heard{.sent = 21s, .ahead = 1h});
  EXPECT_FALSE(book.to_boot(third, at(22s)));
  const Observation later = book.observe(third, Heard{.sent = 23s, .ahead = 1h});
  EXPECT_FALSE(later.jump);  // and is not counted again
  EXPECT_FALSE(later.machine_stood_still);
}

TEST_F(TwoServers, OneServerAloneIsItsOwnStep) {
  hear_both(1s, 4);
  Observation seen;
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(seen.step);
    seen = book.observe(login, Heard{.sent = 20s + i * 1s, .ahead = 30s});
    EXPECT_EQ(seen.jump.has_value(), i == 0);
    EXPECT_FALSE(book.observe(api, Heard{.sent = 20s + i * 1s}).jump);
  }
  EXPECT_EQ(seen.outcome, Observed::stepped);
  ASSERT_TRUE(seen.step);
  EXPECT_NEAR(std::chrono::duration<double>(*seen.step).count(), 30, 1.1);
  EXPECT_FALSE(seen.machine_stood_still);
}

TEST_F(TwoServers, JumpsOfDifferentSizesAreTwoSteps) {
  hear_both(1s, 4);
  book.observe(login, Heard{.sent = 20s, .ahead = 1h});
  const Observation second = book.observe(api, Heard{.sent = 21s, .ahead = 2h});
  EXPECT_TRUE(second.jump);
  EXPECT_FALSE(second.machine_stood_still);
}

TEST_F(TwoServers, JumpsAtDifferentTimesAreTwoSteps) {
  hear_both(1s, 4);
  book.observe(login, Heard{.sent = 20s, .ahead = 30s});
  book.observe(api, Heard{.sent = 25s});  // not yet
  EXPECT_FALSE(book.observe(api, Heard{.sent = 40s, .ahead = 30s}).machine_stood_still);
}

TEST_F(TwoServers, JumpsBackAreNoStandstill) {
  hear_both(1s, 4);
  book.observe(login, Heard{.sent = 20s, .ahead = -1h});
  const Observation second = book.observe(api, Heard{.sent = 21s, .ahead = -1h});
  ASSERT_TRUE(second.jump);
  EXPECT_NEAR(std::chrono::duration<double>(*second.jump).count(), -3600, 2);
  EXPECT_FALSE(second.machine_stood_still);
}

TEST_F(TwoServers, ASecondClockBehindBothNamesIsNoStandstillTwice) {
  hear_both(1s, 4);
  // Both names lead to the same two machines, 10 s apart. Each shows the other one, goes back,
  // then shows it again after the first look has been forgotten.
  book.observe(login, Heard{.sent = 20s, .ahead = 10s});
  book.observe(login, Heard{.sent = 21s});
  EXPECT_FALSE(book.observe(api, Heard{.sent = 21s, .ahead = 10s}).machine_stood_still);
  book.observe(api, Heard{.sent = 22s});
  for (int i = 0; i < 64; ++i) {
    book.observe(login, Heard{.sent = 23s + i * 1s});
    book.observe(api, Heard{.sent = 23s + i * 1s});
  }
  EXPECT_TRUE(book.observe(login, Heard{.sent = 100s, .ahead = 10s}).jump);
  const Observation again = book.observe(api, Heard{.sent = 101s, .ahead = 10s});
  EXPECT_TRUE(again.jump);
  EXPECT_FALSE(again.machine_stood_still);
}

TEST_F(TwoServers, ADateStallsThatMovesLessThanTimePasses) {
  book.observe(api, Heard{.sent = 10s, .rtt = 0s});
  EXPECT_FALSE(book.stalls(api)) << "one answer tells nothing";
  book.observe(api, Heard{.sent = 20s, .rtt = 0s});
  EXPECT_FALSE(book.stalls(api));
  book.observe(api, Heard{.sent = 30s, .rtt = 0s, .late = 3s});
  EXPECT_TRUE(book.stalls(api)) << "late by more than a tick and the staleness";
  book.observe(api, Heard{.sent = 31s, .rtt = 0s});
  EXPECT_TRUE(book.stalls(api)) << "too soon to compare";
  book.observe(api, Heard{.sent = 40s, .rtt = 0s});
  EXPECT_FALSE(book.stalls(api));
  book.observe(api, Heard{.sent = 50s, .rtt = 0s, .late = 60s});
  EXPECT_FALSE(book.stalls(api)) << "it went back";
}

TEST_F(TwoServers, AnAnswerThatIsNoSampleChangesNothing) {
  hear_both(1s, 2);
  const auto before = book.to_boot(login, at(5s));
  time::DateSample backwards = Heard{.sent = 4s};
  backwards.received = at(3s);
  EXPECT_EQ(book.observe(login, backwards).outcome, Observed::dropped);
  EXPECT_EQ(book.to_boot(login, at(5s)), before);
}

}  // namespace
}  // namespace skewguard::clocks
