#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oauth/token_answer.hpp"
#include "oauth_testing.hpp"

namespace skewguard::oauth {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

Result<TokenAnswer> read(std::string body, Headers headers = {}) {
  return token_answer(answer_of(200, std::move(body), std::move(headers)));
}

std::string with_expires_in(const std::string& value) {
  return R"({"access_token":"abc","token_type":"bearer","expires_in":)" + value + "}";
}

TEST(TokenAnswer, ReadsTheExampleOfRfc6749) {
  // Section 5.1
  const auto answer = read(R"({
       "access_token":"2YotnFZFEjr1zCsicMWpAA",
       "token_type":"example",
       "expires_in":3600,
       "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA",
       "example_parameter":"example_value"
     })");
  ASSERT_FALSE(answer) << "token_type \"example\" is not Bearer";
  EXPECT_EQ(answer.error().kind, ErrorKind::protocol);
  EXPECT_THAT(answer.error().message, HasSubstr("token_type"));

  const auto bearer = read(
      R"({"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"BEARER","expires_in":3600,"x":[1]})");
  ASSERT_TRUE(bearer);
  EXPECT_EQ(bearer->access_token.reveal(), "2YotnFZFEjr1zCsicMWpAA");
  EXPECT_EQ(bearer->token_type, "BEARER");
  EXPECT_EQ(bearer->expires_in, 3600s);
}

TEST(TokenAnswer, ReadsJsonWhateverTheContentTypeSays) {
  EXPECT_TRUE(read(with_expires_in("5"), {{"Content-Type", "text/html"}}));
  EXPECT_TRUE(read(with_expires_in("5"), {}));
  EXPECT_FALSE(read("access_token=abc", {{"Content-Type", "application/json"}}));
}

TEST(TokenAnswer, AMissingTokenTypeCountsAsBearer) {
  const auto answer = read(R"({"access_token":"abc"})");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->token_type, "Bearer");
  EXPECT_EQ(answer->expires_in, std::nullopt);
}

TEST(TokenAnswer, NamesTheFieldThatIsWrong) {
  const auto expect_named = [](const std::string& body, const std::string& field) {
    const auto answer = read(body);
    ASSERT_FALSE(answer) << body;
    EXPECT_EQ(answer.error().kind, ErrorKind::protocol) << body;
    EXPECT_THAT(answer.error().message, HasSubstr("`" + field + "`")) << body;
  };
  expect_named("{}", "access_token");
  expect_named(R"({"access_token":null})", "access_token");
  expect_named(R"({"access_token":7})", "access_token");
  expect_named(R"({"access_token":""})", "access_token");
  expect_named(R"({"access_token":"a\nb"})", "access_token");
  expect_named(R"({"access_token":"a\u0000b"})", "access_token");
  expect_named(R"({"access_token":"a b"})", "access_token");
  expect_named(R"({"access_token":"\u00e4"})", "access_token");
  expect_named(R"({"access_token":"abc","token_type":"mac"})", "token_type");
  expect_named(R"({"access_token":"abc","token_type":7})", "token_type");
  expect_named(R"({"access_token":"abc","token_type":""})", "token_type");
  for (const char* life : {"0", "-1", "-0.5", "\"soon\"", "\"NaN\"", "\"\"", "true", "[]", "{}"}) {
    expect_named(with_expires_in(life), "expires_in");
  }
}

TEST(TokenAnswer, ReadsEveryLifeThatMakesSense) {
  const auto life = [](const char* text) { return read(with_expires_in(text))->expires_in; };
  EXPECT_EQ(life("1"), 1s);
  EXPECT_EQ(life("172800"), 48h);
  EXPECT_EQ(life("38880000"), Duration{24h} * 450);
  EXPECT_EQ(life("3600.5"), 3600500ms);
  EXPECT_EQ(life("\"3600\""), 3600s);
  EXPECT_EQ(life("\" 3600 \""), 3600s);
  EXPECT_EQ(life("1e300"), Duration{24h} * 3650);
  EXPECT_EQ(life("null"), std::nullopt);
}

TEST(TokenAnswer, AJwtsOwnClaimsStandInForALifeThatMakesNoSense) {
  const std::string jwt = testing_jwt(R"({"iat":1000,"exp":1300})");
  const auto answer = read(R"({"expires_in":0,"access_token":")" + jwt + "\"}");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->expires_in, std::nullopt) << "the claims tell it";
  const std::string timeless = testing_jwt(R"({"exp":1300})");
  EXPECT_FALSE(read(R"({"expires_in":0,"access_token":")" + timeless + "\"}"));
}

TEST(TokenAnswer, TakesTokensOf64KiB) {
  const std::string token(std::size_t{64} * 1024, 'a');
  const auto answer = read(R"({"access_token":")" + token + "\"}");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->access_token.reveal(), token);
}

TEST(TokenAnswer, ReadsStringsThatTheParserDoesNotGetToSee) {
  const auto escaped = read(
      R"({"x":"00000003", "access_token" : "00000017\/\u0041\"\\", "token_type":"\u0062\u0065arer",)"
      R"( "expires_in":"31536000", "nested":{"access_token":"another-token"}})");
  ASSERT_TRUE(escaped);
  EXPECT_EQ(escaped->access_token.reveal(), R"(00000017/A"\)");
  EXPECT_EQ(escaped->token_type, "bearer");
  EXPECT_EQ(escaped->expires_in, 8760h);
  for (const char* bad : {"\\x", "\\u00g1", "\\u00", "\\", "\x01", "\\u0001", "\\u00e9"}) {
    EXPECT_FALSE(read(R"({"access_token":"abcdefgh)" + std::string(bad) + "\"}")) << bad;
  }
}

TEST(TokenAnswer, SaysWhatCameInstead) {
  const auto message = [](std::string body) { return read(std::move(body)).error().message; };
  EXPECT_THAT(message(""), HasSubstr("empty"));
  EXPECT_THAT(message(" \r\n"), HasSubstr("empty"));
  EXPECT_THAT(message("<!DOCTYPE html><html>"), HasSubstr("<!DOCTYPE html>)"));
  EXPECT_THAT(message(R"({"access_token":"abc)"), HasSubstr("cut off"));
  EXPECT_THAT(message("[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(message("null"), HasSubstr("no JSON object"));
  EXPECT_THAT(message(std::string(kMaxTokenAnswerBytes + 1, ' ')), HasSubstr("too large"));
  EXPECT_THAT(message(std::string(kMaxTokenAnswerBytes, ' ')), Not(HasSubstr("too large")));
}

TEST(TokenAnswer, NeverShowsAToken) {
  const std::string token = "s3cr3tT0k3n";
  for (const std::string& body :
       {token, R"({"access_token":")" + token, "access_token=" + token + "&token_type=bearer",
        "[\"" + token + "\"]", "\"" + token + "\"", "<token>" + token,
        R"({"token_type":")" + token + R"(","access_token":")" + token + "\"}",
        R"({"expires_in":")" + token + R"(","access_token":")" + token + "\"}",
        R"({"access_token":"\u0001)" + token + "\"}", R"({"access_token":[")" + token + "\"]}"}) {
    const auto answer = read(body);
    ASSERT_FALSE(answer) << body;
    EXPECT_THAT(describe(answer.error()), Not(HasSubstr(token))) << body;
  }
}

TEST(TokenAnswer, RefusesHostileNesting) {
  EXPECT_FALSE(read(R"({"access_token":"abc","x":)" + std::string(200'000, '[')));
  EXPECT_FALSE(read(std::string(200'000, '{')));
}

}  // namespace
}  // namespace skewguard::oauth
