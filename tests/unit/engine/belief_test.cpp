#include "engine/belief.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace skewguard::engine {
namespace {

using namespace std::chrono_literals;

constexpr OffsetBound kNone{-1s, 1s};
constexpr int kMany = 64;

/// How many answers that show no difference end the belief.
int answers_to_end(Belief& belief) {
  for (int n = 1; n <= kMany; ++n)
    if (belief.ends_by(kNone)) return n;
  return 0;
}

TEST(Belief, EndsByTheFirstAnswerThatContradictsIt) {
  Belief belief;
  belief.learn(5s, 4s, {});
  EXPECT_FALSE(belief.ends_by({3s, 4s}));
  EXPECT_TRUE(belief.ends_by({2s, 3999ms}));
  EXPECT_FALSE(belief.max());
  EXPECT_FALSE(belief.ends_by(kNone)) << "once";
}

TEST(Belief, KeepsTheLargestFactUntilOneBelowHalfReplacesIt) {
  Belief belief;
  const auto after = [&belief](Duration fact) {
    belief.learn(fact, 0s, {});
    return *belief.max();
  };
  EXPECT_EQ(after(4s), 4s);
  EXPECT_EQ(after(6s), 6s);
  EXPECT_EQ(after(4s), 6s);
  EXPECT_EQ(after(3s), 6s);
  EXPECT_EQ(after(2900ms), 2900ms);
}

TEST(Belief, IsNotTakenFromAFactThatTheNewestAnswersContradict) {
  Belief belief;
  belief.learn(10s, 9s, kNone);
  EXPECT_FALSE(belief.max());
}

TEST(Belief, OutlivesALargerFactThatIsContradictedAtOnce) {
  Belief belief;
  belief.learn(5s, 2s, {});
  belief.learn(10s, 9s, OffsetBound{1s, 3s});
  EXPECT_EQ(belief.max(), 5s);
  EXPECT_FALSE(belief.ends_by({1s, 2s}));
  EXPECT_TRUE(belief.ends_by(kNone)) << "it is still watched";
}

TEST(Belief, EndsWhereSomebodyElseHasSeenThatItIsOver) {
  Belief belief;
  belief.learn(5s, 4s, {});
  belief.learn(0s, 0s, {});
  EXPECT_FALSE(belief.max());
  belief.learn(5s, 4s, {});
  EXPECT_EQ(answers_to_end(belief), 8) << "it has come true again";
}

TEST(Belief, TakesMoreAnswersToEndEachTimeItHasComeTrueAgain) {
  Belief belief;
  for (const int answers : {1, 8, 64}) {
    belief.learn(5s, 4s, {});
    EXPECT_EQ(answers_to_end(belief), answers);
  }
}

TEST(Belief, TakesAFactThatIsContradictedInTurn) {
  Belief belief;
  belief.learn(5s, 4s, kNone);
  belief.learn(5s, 4s, kNone);
  EXPECT_EQ(belief.max(), 5s) << "one of several clocks";
}

TEST(Belief, IsAsQuickToEndAsAtFirstOnceItHasBeenWrongForLong) {
  Belief belief;
  belief.learn(5s, 4s, {});
  EXPECT_EQ(answers_to_end(belief), 1);
  for (int i = 1; i < kMany; ++i) EXPECT_FALSE(belief.ends_by(kNone));
  belief.learn(5s, 4s, {});
  EXPECT_EQ(answers_to_end(belief), 1);
}

}  // namespace
}  // namespace skewguard::engine
