#include "oauth/echo.hpp"

#include <gtest/gtest.h>

#include <string>

namespace skewguard::oauth {
namespace {

constexpr std::string_view kToken = "k3Tx-_9QzL0aWvB7yR2m";

std::string hidden(std::string words, std::string_view secret = kToken) {
  const auto before = words;
  const bool found = Echo(secret).hide_in(words);
  EXPECT_EQ(found, words != before);
  EXPECT_EQ(words.size(), before.size());
  return words;
}

std::string stars(std::size_t count) {
  return std::string(count, '*');
}

TEST(Echo, OfATokenIsOverwrittenWhereverItStands) {
  const std::string token(kToken);
  EXPECT_EQ(hidden(token), stars(20));
  EXPECT_EQ(hidden("got Bearer " + token + "."), "got Bearer " + stars(20) + ".");
  EXPECT_EQ(hidden(token + " and " + token), stars(20) + " and " + stars(20));
}

TEST(Echo, OfEightCharactersIsEnoughAndOfSevenIsNot) {
  EXPECT_EQ(hidden("x9QzL0aWvx"), "x" + stars(8) + "x");
  EXPECT_EQ(hidden("x9QzL0aWx"), "x9QzL0aWx");
  EXPECT_EQ(hidden("k3Tx-_9Q"), stars(8));
  EXPECT_EQ(hidden("vB7yR2m"), "vB7yR2m");
}

/// A text without percent signs is not looked at character by character.
TEST(Echo, OfEightCharactersIsFoundWhereverTheyBeginAndStand) {
  const std::string around(12, '.');
  for (const std::string text : {"k3Tx-_9QzL0aWvB7yR2m", "azNUeC1fOVF6TDBhV3ZCN3lSMm"}) {
    for (std::size_t begin = 0; begin + 8 <= text.size(); ++begin) {
      for (std::size_t before = 0; before < around.size(); ++before) {
        const std::string dots = around.substr(before);
        EXPECT_EQ(hidden(dots + text.substr(begin, 8) + "."), dots + stars(8) + ".")
            << begin << " in " << text;
      }
    }
  }
}

TEST(Echo, OfAnEarlierTokenIsFoundAlongsideTheLatest) {
  Echo echo(kToken);
  const std::string later = "Zq8-vT5nM_3xC6wK1pLs";
  echo.add(later);
  std::string words = std::string(kToken) + " " + later + " Zq8-vT5+n5+Pz8/Pj4 " + later;
  EXPECT_TRUE(echo.hide_in(words));
  EXPECT_EQ(words, stars(20) + " " + stars(20) + " Zq8-vT5+n5+Pz8/Pj4 " + stars(20));
  std::string encoded = "WnE4LXZUNW5NXzN4QzZ3SzFwTHM= and k3Tx%2D_9QzL0aWvB7yR2m";
  EXPECT_TRUE(echo.hide_in(encoded));
  EXPECT_EQ(encoded, stars(26) + "M= and " + stars(22));
}

TEST(Echo, OfNoSecretIsNotSearchedFor) {
  std::string words = "k3Tx-_9QzL0aWvB7yR2m %41";
  EXPECT_FALSE(Echo().hide_in(words));
  EXPECT_EQ(words, "k3Tx-_9QzL0aWvB7yR2m %41");
}

TEST(Echo, OfNothingLeavesTheWordsAlone) {
  const std::string words = R"({"message":"100% of a+b/c=", "code":"bad.request"})";
  EXPECT_EQ(hidden(words), words);
  EXPECT_EQ(hidden(""), "");
  EXPECT_EQ(hidden(words, ""), words);
  EXPECT_EQ(hidden(words, "message"), words);
}

/// RFC 3986 section 2.1: either case, and of any character.
TEST(Echo, IsFoundInPercentEncoding) {
  EXPECT_EQ(hidden("a=k3Tx%2D%5f9QzL0aWvB7yR2m&b"), "a=" + stars(24) + "&b");
  EXPECT_EQ(hidden("%6B%33%54%78%2D%5F%39%51"), stars(24));
  EXPECT_EQ(hidden("100%k3Tx-_9Q"), "100%" + stars(8));
  EXPECT_EQ(hidden("k3Tx-_9%5"), "k3Tx-_9%5");
}

/// RFC 4648 sections 4 and 5, by `printf %s TEXT | base64`. What also holds bits of a neighbor
/// stays: less than a character.
TEST(Echo, IsFoundInBase64) {
  // "k3Tx-_9QzL0aWvB7yR2m", "x" before it, and "xy".
  EXPECT_EQ(hidden("azNUeC1fOVF6TDBhV3ZCN3lSMm0="), stars(26) + "0=");
  EXPECT_EQ(hidden("eGszVHgtXzlRekwwYVd2Qjd5UjJt"), "eG" + stars(26));
  EXPECT_EQ(hidden("eHlrM1R4LV85UXpMMGFXdkI3eVIybQ=="), "eHl" + stars(26) + "Q==");
}

TEST(Echo, IsFoundInEitherAlphabetOfBase64) {
  const std::string_view odd =
      "~~~??"
      "?>>>~~~??"
      "?>>>";  // much of both characters that differ
  EXPECT_EQ(hidden("fn5+Pz8/Pj4+fn5+Pz8/Pj4+", odd), stars(24));
  EXPECT_EQ(hidden("fn5-Pz8_Pj4-fn5-Pz8_Pj4-", odd), stars(24));
  EXPECT_EQ(hidden("fn5%2BPz8%2FPj4%2Bfn5%2BPz8%2FPj4%2B", odd), stars(36));
}

}  // namespace
}  // namespace skewguard::oauth
