#include <gtest/gtest.h>

#include "skewguard/time.hpp"

namespace skewguard {
namespace {

using namespace std::chrono_literals;

TEST(Now, CountsTheBareCrystalThroughSuspend) {
  // Ten hours since boot, two of them suspended; NTP has slewed mono by 3 ms against the crystal.
  const Now now{.boot = Instant{10h}, .mono = MonotonicTime{8h}, .raw = RawTime{8h - 3ms}};
  EXPECT_EQ(now.unslewed(), UnslewedTime{10h - 3ms});
}

TEST(ServerTime, IsComparedWithTheSameServersTimesAlone) {
  const ServerId login{1};
  const ServerId api{2};
  EXPECT_EQ(ServerTime(login, 10s).since(ServerTime(login, 4s)), 6s);
  EXPECT_EQ(ServerTime(login, 4s).since(ServerTime(login, 10s)), -6s);
  EXPECT_EQ(ServerTime(login, 10s).since(ServerTime(api, 4s)), std::nullopt);
  EXPECT_EQ(ServerTime(login, 10s).as_read_by(api).since(ServerTime(api, 4s)), 6s);
}

TEST(ServerTime, MovesByADurationAndKeepsItsServer) {
  const ServerTime begin(ServerId{1}, 10s);
  EXPECT_EQ(begin + 5s, ServerTime(ServerId{1}, 15s));
  EXPECT_EQ(begin - 5s, ServerTime(ServerId{1}, 5s));
  EXPECT_NE(begin, ServerTime(ServerId{2}, 10s));
}

TEST(OffsetBound, HoldsItsEndsAndNothingBeyond) {
  const OffsetBound bound{-2s, 3s};
  EXPECT_TRUE(bound.holds(-2s));
  EXPECT_TRUE(bound.holds(3s));
  EXPECT_FALSE(bound.holds(-2s - 1ns));
  EXPECT_FALSE(bound.holds(3s + 1ns));
  EXPECT_EQ(bound.width(), 5s);
  EXPECT_EQ(bound.middle(), 500ms);
}

TEST(OffsetBound, MeetsWhatItTouches) {
  const OffsetBound bound{0s, 3s};
  EXPECT_TRUE(bound.meets({3s, 9s}));
  EXPECT_TRUE(bound.meets({-9s, 0s}));
  EXPECT_TRUE(bound.meets({1s, 2s}));
  EXPECT_TRUE(bound.meets({-9s, 9s}));
  EXPECT_FALSE(bound.meets({3s + 1ns, 9s}));
  EXPECT_FALSE(bound.meets({-9s, -1ns}));
}

}  // namespace
}  // namespace skewguard
