#include "base/strings.hpp"

#include <gtest/gtest.h>

namespace skewguard {
namespace {

TEST(Strings, FoldTheCaseOfAsciiLettersAlone) {
  for (int c = -128; c < 128; ++c) {
    const char in = static_cast<char>(c);
    const bool upper = c >= 'A' && c <= 'Z';
    EXPECT_EQ(ascii_lower(in), upper ? static_cast<char>(c + 32) : in) << c;
  }
  EXPECT_EQ(to_lower("Content-TYPE \xC3\x84"), "content-type \xC3\x84");
}

TEST(Strings, CompareWithoutCaseOverTheirWholeLength) {
  EXPECT_TRUE(iequals("Date", "dATE"));
  EXPECT_TRUE(iequals("", ""));
  EXPECT_FALSE(iequals("Date", "Dat"));
  EXPECT_FALSE(iequals("Dat", "Date"));
  EXPECT_FALSE(iequals("[", "{"));
}

TEST(Strings, TrimSpacesAndTabsAtTheEndsAlone) {
  EXPECT_EQ(trim(" \ta b\t "), "a b");
  EXPECT_EQ(trim("a"), "a");
  EXPECT_EQ(trim(" \t "), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(trim("\ra\n"), "\ra\n");
}

TEST(Strings, CountsOneThingInTheSingular) {
  EXPECT_EQ(counted(0, "probe"), "0 probes");
  EXPECT_EQ(counted(1, "probe"), "1 probe");
  EXPECT_EQ(counted(2, "probe"), "2 probes");
}

}  // namespace
}  // namespace skewguard
