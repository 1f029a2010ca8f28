#include "oauth/withhold.hpp"

#include <gtest/gtest.h>

namespace skewguard::oauth {
namespace {

TEST(Withhold, HidesASecretWholeOrInPartWhereverItStands) {
  EXPECT_EQ(withhold("bad s3cr3t-demo-secret given", {"s3cr3t-demo-secret"}), "bad *** given");
  EXPECT_EQ(withhold("3cr3t-demo-secret", {"s3cr3t-demo-secret"}), "***");
  EXPECT_EQ(withhold("a s3cr3t-demo b demo-secret", {"s3cr3t-demo-secret"}), "a *** b ***");
}

TEST(Withhold, HidesWhatBeginsLikeOneWhereTheWordsWereCut) {
  EXPECT_EQ(withhold("bad s3cr...", {"s3cr3t-demo-secret"}), "bad ***...");
  EXPECT_EQ(withhold("bad s3cr3t-...", {"s3cr3t-demo-secret"}), "bad ***...");
  EXPECT_EQ(withhold("bad s3c...", {"s3cr3t-demo-secret"}), "bad s3c...");
}

TEST(Withhold, AShortSecretIsHiddenAsAWhole) {
  EXPECT_EQ(withhold("wrong hunter2, not hunter", {"hunter2"}), "wrong ***, not hunter");
  EXPECT_EQ(withhold("abc abcd", {"abcd"}), "abc ***");
}

TEST(Withhold, LeavesOtherWordsAlone) {
  EXPECT_EQ(withhold("authentication failed", {"s3cr3t-demo-secret", ""}), "authentication failed");
  EXPECT_EQ(withhold("abc", {"abc"}), "abc") << "too short to be a secret";
  EXPECT_EQ(withhold("", {"s3cr3t-demo-secret"}), "");
}

TEST(Withhold, HidesEachOfSeveral) {
  EXPECT_EQ(withhold("first-secret second-secret", {"first-secret", "second-secret"}), "*** ***");
}

}  // namespace
}  // namespace skewguard::oauth
