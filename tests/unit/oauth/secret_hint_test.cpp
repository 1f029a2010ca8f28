#include "oauth/secret_hint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace skewguard::oauth {
namespace {

using testing::HasSubstr;

std::string hint(std::string_view secret) {
  return std::string(secret_hint(secret, ClientAuth::basic));
}

TEST(SecretHint, KnowsTheSlipsOfThoseWhoSetSecrets) {
  EXPECT_THAT(hint("\"abc\""), HasSubstr("quotation marks"));
  EXPECT_THAT(hint("'abc'"), HasSubstr("quotation marks"));
  EXPECT_THAT(hint(" abc"), HasSubstr("space"));
  EXPECT_THAT(hint("abc "), HasSubstr("space"));
  EXPECT_THAT(hint("${SECRET}"), HasSubstr("variable"));
  EXPECT_THAT(hint("a+b"), HasSubstr("--dialect rfc6749"));
  EXPECT_THAT(hint("a%2Bb"), HasSubstr("--dialect rfc6749"));
}

TEST(SecretHint, AFormEncodesTheSecretInEveryDialect) {
  EXPECT_EQ(secret_hint("a+b", ClientAuth::post), "");
  EXPECT_NE(secret_hint("\"a\"", ClientAuth::post), "");
}

TEST(SecretHint, HasNothingToSayOfUsualSecrets) {
  for (const char* secret : {"", "\"", "abc", "a b", "\"abc", "abc'", "$abc", "a${b}", "Zx9_-~.="})
    EXPECT_EQ(hint(secret), "") << secret;
}

}  // namespace
}  // namespace skewguard::oauth
