#include "oauth/knowledge.hpp"

#include <gtest/gtest.h>

namespace skewguard::oauth {
namespace {

using namespace std::chrono_literals;

TEST(Knowledge, RemembersTheLastEightTokensThatTheApiAccepted) {
  Knowledge known;
  EXPECT_FALSE(known.any_accepted());
  EXPECT_FALSE(known.was_accepted(0)) << "no generation";
  for (std::uint64_t generation = 1; generation <= 9; ++generation) {
    EXPECT_FALSE(known.was_accepted(generation));
    known.note_accepted(generation);
    known.note_accepted(generation);  // by another call: takes no place of its own
  }
  EXPECT_TRUE(known.any_accepted());
  EXPECT_FALSE(known.was_accepted(1));
  for (std::uint64_t generation = 2; generation <= 9; ++generation)
    EXPECT_TRUE(known.was_accepted(generation)) << generation;
}

TEST(Knowledge, ReportsWhetherALagOrLeadIsNew) {
  Knowledge known;
  EXPECT_FALSE(known.learn_lag(0s));
  EXPECT_FALSE(known.learn_lag(-1s)) << "no lag either";
  EXPECT_TRUE(known.learn_lag(5s));
  EXPECT_FALSE(known.learn_lag(5s));
  EXPECT_TRUE(known.learn_lead(2s));
  EXPECT_FALSE(known.learn_lead(2s));
  EXPECT_EQ(known.learned().lag, 5s);
  EXPECT_EQ(known.learned().lead, 2s);
  EXPECT_TRUE(known.learn_lag(0s));
  EXPECT_TRUE(known.learn_lead(-1s));
  EXPECT_EQ(known.learned().lag, 0s);
  EXPECT_EQ(known.learned().lead, 0s);
}

TEST(Knowledge, AnApiThatRefusedATokenUntilItHadBegunLooksAtBeginsAfterAll) {
  Knowledge known;
  known.note_begin_ignored();
  EXPECT_TRUE(known.begins_ignored());
  EXPECT_TRUE(known.learn_lag(5s));
  EXPECT_FALSE(known.begins_ignored());
  known.note_begin_ignored();
  EXPECT_TRUE(known.learn_lag(3s));
  EXPECT_TRUE(known.begins_ignored()) << "less of a lag refused nothing";
}

}  // namespace
}  // namespace skewguard::oauth
