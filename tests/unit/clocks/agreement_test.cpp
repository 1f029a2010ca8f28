#include "clocks/agreement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skewguard::clocks {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<Source> sources_at(const std::vector<OffsetBound>& bounds) {
  std::vector<Source> sources;
  sources.reserve(bounds.size());
  for (const OffsetBound& bound : bounds) sources.push_back({"a source", bound, "its keeper"});
  return sources;
}
Agreement agree_on(const std::vector<OffsetBound>& bounds, Duration margin = 0s) {
  return agree(sources_at(bounds), margin);
}

TEST(Agreement, TheExampleOfMarzulloIsWhatTwoOfThreeShare) {
  // [8, 12], [11, 13], [14, 15]: best is [11, 12], by two (K. Marzullo, 1984).
  const auto result = agree_on({{8s, 12s}, {11s, 13s}, {14s, 15s}});
  EXPECT_THAT(result.largest, ElementsAre(0, 1));
  EXPECT_EQ(result.shared, (OffsetBound{11s, 12s}));
  EXPECT_EQ(result.agreed, (OffsetBound{11s, 12s}));
  EXPECT_THAT(result.falsetickers, ElementsAre(2));
}

TEST(Agreement, OneFalseSourceAmongFourIsNamed) {
  const auto result = agree_on({{-10ms, 10ms}, {240ms, 260ms}, {-5ms, 15ms}, {-12ms, 4ms}});
  EXPECT_EQ(result.agreed, (OffsetBound{-5ms, 4ms}));
  EXPECT_EQ(result.shared, (OffsetBound{-5ms, 4ms}));
  EXPECT_THAT(result.falsetickers, ElementsAre(1));
}

TEST(Agreement, TiesAreNoMajority) {
  const auto result = agree_on({{0s, 1s}, {5s, 6s}, {0s, 1s}, {5s, 6s}});
  EXPECT_FALSE(result.agreed);
  EXPECT_THAT(result.falsetickers, IsEmpty());
  EXPECT_THAT(result.largest, ElementsAre(0, 2));  // of two, the one at the lowest offset
  EXPECT_EQ(result.shared, (OffsetBound{0s, 1s}));
}

TEST(Agreement, OneOfTwoIsNoMajorityAndOneOfOneIs) {
  EXPECT_FALSE(agree_on({{0s, 1s}, {2s, 3s}}).agreed);
  EXPECT_EQ(agree_on({{0s, 1s}}).agreed, (OffsetBound{0s, 1s}));
  EXPECT_FALSE(agree_on({}).agreed);
  EXPECT_THAT(agree_on({}).largest, IsEmpty());
}

TEST(Agreement, IntervalsThatTouchMeet) {
  const auto result = agree_on({{0s, 1s}, {1s, 2s}});
  EXPECT_EQ(result.agreed, (OffsetBound{1s, 1s}));
  EXPECT_THAT(result.largest, ElementsAre(0, 1));
  EXPECT_FALSE(agree_on({{0s, 1s}, {1s + 1ns, 2s}}).agreed);
}

TEST(Agreement, AMissWithinTheMarginIsNone) {
  const std::vector<OffsetBound> bounds{{0s, 1s}, {0s, 1s}, {2s, 3s}};
  EXPECT_THAT(agree_on(bounds, 1s).falsetickers, IsEmpty());
  EXPECT_THAT(agree_on(bounds, 1s - 1ns).falsetickers, ElementsAre(2));
}

TEST(Agreement, LiarsThatMakeUpALargerSetDoNotHideTheTruth) {
  // Three honest ones hold 0; two liars meet two of these elsewhere.
  const auto result = agree_on({{-1s, 10s}, {-1s, 10s}, {-1s, 1s}, {5s, 6s}, {5s, 6s}});
  EXPECT_THAT(result.largest, ElementsAre(0, 1, 3, 4));
  EXPECT_EQ(result.shared, (OffsetBound{5s, 6s}));
  ASSERT_TRUE(result.agreed);
  EXPECT_TRUE(result.agreed->holds(0s));
  EXPECT_THAT(result.falsetickers, IsEmpty());
}

TEST(Agreement, DistanceIsNegativeWhereTheyMeet) {
  EXPECT_EQ(distance({0s, 1s}, {3s, 4s}), 2s);
  EXPECT_EQ(distance({3s, 4s}, {0s, 1s}), 2s);
  EXPECT_LT(distance({0s, 2s}, {1s, 4s}), 0s);
}

}  // namespace
}  // namespace skewguard::clocks
