#include "net/admission.hpp"

#include <gtest/gtest.h>

#include <optional>

namespace skewguard::net {
namespace {

TEST(Admission, LetsInAsManyAsTheBoundAndNoMore) {
  Admission admission(2);
  EXPECT_TRUE(admission.enter("http://a", 1));
  EXPECT_TRUE(admission.enter("http://a", 2));
  EXPECT_FALSE(admission.enter("http://a", 3));
}

TEST(Admission, OneOriginDoesNotBlockAnother) {
  Admission admission(1);
  EXPECT_TRUE(admission.enter("http://a", 1));
  EXPECT_TRUE(admission.enter("http://b", 2));
}

TEST(Admission, WhoLeavesLetsTheFirstInLineIn) {
  Admission admission(1);
  admission.enter("http://a", 1);
  admission.enter("http://a", 2);
  admission.enter("http://a", 3);
  EXPECT_EQ(admission.leave("http://a"), 2U);
  EXPECT_FALSE(admission.enter("http://a", 4));  // 2 is in
  EXPECT_EQ(admission.leave("http://a"), 3U);
  EXPECT_EQ(admission.leave("http://a"), 4U);
  EXPECT_EQ(admission.leave("http://a"), std::nullopt);
  EXPECT_TRUE(admission.enter("http://a", 5));
}

TEST(Admission, WhoGivesUpWaitingIsSkipped) {
  Admission admission(1);
  admission.enter("http://a", 1);
  admission.enter("http://a", 2);
  admission.enter("http://a", 3);
  EXPECT_TRUE(admission.withdraw("http://a", 2));
  EXPECT_FALSE(admission.withdraw("http://a", 2));
  EXPECT_EQ(admission.leave("http://a"), 3U);
}

TEST(Admission, OneThatHasBegunDoesNotWait) {
  Admission admission(1);
  admission.enter("http://a", 1);
  EXPECT_FALSE(admission.withdraw("http://a", 1));
  EXPECT_FALSE(admission.withdraw("http://never-seen", 1));
}

TEST(Admission, ABoundOfNoneStillLetsOneIn) {
  Admission admission(0);
  EXPECT_TRUE(admission.enter("http://a", 1));
  EXPECT_FALSE(admission.enter("http://a", 2));
}

}  // namespace
}  // namespace skewguard::net
