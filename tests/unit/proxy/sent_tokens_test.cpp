#include "proxy/sent_tokens.hpp"

#include <gtest/gtest.h>

#include <string>

namespace skewguard::proxy {
namespace {

std::string token(std::size_t n) {
  return "token-number-" + std::string(20, static_cast<char>('a' + n));
}

std::string hidden(const SentTokens& tokens, std::string words) {
  tokens.hide_in(words);
  return words;
}

TEST(SentTokens, HidesTheLastFour) {
  SentTokens tokens;
  EXPECT_EQ(hidden(tokens, "x " + token(0)), "x " + token(0));
  for (std::size_t n = 0; n <= SentTokens::kKept; ++n) {
    tokens.add("Bearer " + token(n));
    tokens.add("Bearer " + token(n));  // each request
  }
  for (std::size_t n = 1; n <= SentTokens::kKept; ++n)
    EXPECT_EQ(hidden(tokens, "x " + token(n)), "x " + std::string(token(n).size(), '*'));
  EXPECT_TRUE(hidden(tokens, token(0)).ends_with("aaaaaaaaaa")) << "it is too long ago";
}

TEST(SentTokens, LeavesTheSchemeAlone) {
  SentTokens tokens;
  tokens.add("Bearer " + token(0));
  EXPECT_EQ(hidden(tokens, "a Bearer a"), "a Bearer a");
}

}  // namespace
}  // namespace skewguard::proxy
