#include "clocks/who_is_wrong.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skewguard::clocks {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

Source login(OffsetBound bound) {
  return {"login", bound, "the platform"};
}
Source api(OffsetBound bound) {
  return {"api", bound, "the platform"};
}
Source ntp(OffsetBound bound, const char* keeper = "a pool's server") {
  return {"ntp", bound, keeper};
}

Blame blame(const std::vector<Source>& sources, std::optional<Duration> kernel_within = {}) {
  return who_is_wrong(sources, kernel_within);
}

TEST(WhoIsWrong, NobodyWithinASecond) {
  const auto result = blame({login({900ms, 2s}), api({-2s, 0s}), ntp({10ms, 20ms})});
  EXPECT_FALSE(result.unknown());
  EXPECT_THAT(result.from_local, IsEmpty());
  EXPECT_FALSE(result.local_off);
}

TEST(WhoIsWrong, ASourceDiffersOnlyOneNanosecondBeyondASecond) {
  EXPECT_THAT(blame({ntp({1s, 2s})}).from_local, IsEmpty());
  EXPECT_THAT(blame({ntp({1s + 1ns, 2s})}).from_local, ElementsAre(0));
  EXPECT_THAT(blame({ntp({-2s, -1s})}).from_local, IsEmpty());
  EXPECT_THAT(blame({ntp({-2s, -1s - 1ns})}).from_local, ElementsAre(0));
}

TEST(WhoIsWrong, OneSourceAloneConvictsNobody) {
  const auto result = blame({ntp({5s, 6s})});
  EXPECT_FALSE(result.local_off);
  EXPECT_THAT(result.wrong, IsEmpty());
  EXPECT_TRUE(result.unknown());
}

TEST(WhoIsWrong, TwoIndependentSourcesThatMeetConvictTheLocalClock) {
  const auto result = blame({login({5s, 6s}), ntp({5500ms, 5600ms})});
  ASSERT_TRUE(result.local_off);
  EXPECT_EQ(*result.local_off, (OffsetBound{5500ms, 5600ms}));
  EXPECT_FALSE(result.unknown());
  EXPECT_EQ(blame({login({-6s, -5s}), ntp({-6s, -5500ms})}).local_off, (OffsetBound{-6s, -5500ms}));
}

TEST(WhoIsWrong, TwoOfOneKeeperDoNot) {
  EXPECT_TRUE(blame({login({5s, 6s}), api({5s, 6s})}).unknown());
}

TEST(WhoIsWrong, TwoThatDoNotMeetDoNot) {
  EXPECT_TRUE(blame({login({5s, 6s}), ntp({7s, 8s})}).unknown());
  EXPECT_TRUE(blame({login({5s, 6s}), ntp({7s, 8s}, "a"), ntp({-1s, 10s}, "b")}).unknown());
}

TEST(WhoIsWrong, TheSecondMustLieOnTheSameSide) {
  EXPECT_TRUE(blame({login({1100ms, 2s}), ntp({1ns, 1200ms})}).local_off);
  EXPECT_FALSE(blame({login({1100ms, 2s}), ntp({0s, 1200ms})}).local_off);
  EXPECT_TRUE(blame({login({-2s, -1100ms}), ntp({-1200ms, -1ns})}).local_off);
  EXPECT_FALSE(blame({login({-2s, -1100ms}), ntp({-1200ms, 0s})}).local_off);
}

TEST(WhoIsWrong, OneThatHoldsOursDoesNot) {
  EXPECT_TRUE(blame({login({5s, 6s}), ntp({0s, 10s})}).unknown());
}

TEST(WhoIsWrong, TheSecondNeedNotLieBeyondASecond) {
  EXPECT_TRUE(blame({login({1100ms, 2s}), ntp({900ms, 1200ms})}).local_off);
  EXPECT_FALSE(blame({login({800ms, 2s}), ntp({900ms, 1200ms})}).local_off);
}

TEST(WhoIsWrong, AKernelThatClaimsToBeSynchronizedWithinTheGapIsTrusted) {
  const std::vector<Source> sources{login({5s, 6s}), ntp({5500ms, 5600ms})};
  EXPECT_FALSE(blame(sources, 10ms).local_off);
  EXPECT_TRUE(blame(sources, 10ms).unknown());
  EXPECT_FALSE(blame(sources, 5499ms).local_off);
  EXPECT_TRUE(blame(sources, 5500ms).local_off);  // within no less than the gap: no contradiction
}

TEST(WhoIsWrong, AMajorityForOursAcquitsIt) {
  const auto result = blame({ntp({5s, 6s}, "a"), ntp({5s, 6s}, "b"), ntp({-1ms, 1ms}, "c"),
                             ntp({-1ms, 1ms}, "d"), ntp({-1ms, 1ms}, "e")});
  EXPECT_FALSE(result.local_off);
  EXPECT_THAT(result.wrong, ElementsAre(0, 1));
}

TEST(WhoIsWrong, TwoAgainstTwoIsUnknown) {
  const auto result =
      blame({ntp({5s, 6s}, "a"), ntp({5s, 6s}, "b"), ntp({-1ms, 1ms}, "c"), ntp({-1ms, 1ms}, "d")});
  EXPECT_TRUE(result.unknown());
}

TEST(WhoIsWrong, ASourceThatMissesTheMajorityByOverASecondIsWrong) {
  const auto with_login = [](OffsetBound bound) {
    return blame({login(bound), api({-1s, 1s}), ntp({-10ms, 10ms})});
  };
  EXPECT_THAT(with_login({1s + 10ms, 2s}).wrong, IsEmpty());
  EXPECT_THAT(with_login({1s + 10ms + 1ns, 2s}).wrong, ElementsAre(0));
  EXPECT_FALSE(with_login({3s, 4s}).local_off);
}

TEST(WhoIsWrong, OneKeepersMajorityConvictsNobody) {
  const auto result = blame({login({-1s, 1s}), api({-1s, 1s}), ntp({3s, 4s})});
  EXPECT_THAT(result.wrong, IsEmpty());
  EXPECT_TRUE(result.unknown());
}

TEST(WhoIsWrong, TheLocalClockAndAnotherMayBothBe) {
  const auto result = blame({login({9s, 10s}), ntp({5s, 6s}, "a"), ntp({5s, 6s}, "b")});
  EXPECT_EQ(result.local_off, (OffsetBound{5s, 6s}));
  EXPECT_THAT(result.wrong, ElementsAre(0));
}

TEST(WhoIsWrong, TwoThatDifferFromEachOtherAloneAreUnknown) {
  const auto result = blame({login({-900ms, -800ms}), ntp({800ms, 900ms})});
  EXPECT_THAT(result.from_local, IsEmpty());
  EXPECT_TRUE(result.unknown());
}

TEST(WhoIsWrong, NothingFollowsFromNothing) {
  EXPECT_FALSE(blame({}).unknown());
}

}  // namespace
}  // namespace skewguard::clocks
