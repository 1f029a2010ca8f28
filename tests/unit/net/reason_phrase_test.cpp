#include "net/reason_phrase.hpp"

#include <gtest/gtest.h>

namespace skewguard::net {
namespace {

TEST(ReasonPhrase, IsTheCustomaryOneOrNone) {
  EXPECT_EQ(reason_phrase(200), "OK");
  EXPECT_EQ(reason_phrase(401), "Unauthorized");
  EXPECT_EQ(reason_phrase(299), "");
  EXPECT_EQ(reason_phrase(0), "");
  EXPECT_EQ(reason_phrase(-1), "");
}

}  // namespace
}  // namespace skewguard::net
