#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oauth/token_answer.hpp"
#include "oauth_testing.hpp"

namespace skewguard::oauth {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

Result<TokenAnswer> read(std::string body, Headers headers = {}) {
  return token_answer(answer_of(200, std::move(body), std::move(headers)));
}

std::string with_expires_in(const std::string& value) {
  return R"({"access_token":"abc","token_type":"bearer","expires_in":)" + value + "}";
}

std::vector<std::string> odd_fields(const Result<TokenAnswer>& answer) {
  std::vector<std::string> fields;
  for (const auto& oddity : answer->oddities) fields.push_back(oddity.field);
  return fields;
}

TEST(TokenAnswer, ReadsTheExampleOfRfc6749) {
  // Section 5.1
  const auto answer = read(R"({
       "access_token":"2YotnFZFEjr1zCsicMWpAA",
       "token_type":"BEARER",
       "expires_in":3600,
       "refresh_token":"tGzv3JOkF0XG5Qx2TlKWIA",
       "example_parameter":"example_value"
     })");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->access_token.reveal(), "2YotnFZFEjr1zCsicMWpAA");
  EXPECT_EQ(answer->token_type, "BEARER");
  EXPECT_EQ(answer->expires_in, 3600s);
  EXPECT_THAT(answer->oddities, IsEmpty());
}

TEST(TokenAnswer, ShowsTheFirstTagOfAPage) {
  const auto told = [](const std::string& body) {
    const auto answer = read(body);
    return answer.ok() ? std::string{} : answer.error().message;
  };
  EXPECT_THAT(told(" <html><body>"), HasSubstr("it is markup (<html>), not JSON"));
  EXPECT_THAT(told("<html truncated"), HasSubstr("it is markup (<html truncated), not JSON"));
}

// Evidence rule 9 of the contract.
TEST(TokenAnswer, AnotherTokenTypeIsSentAsBearerAndReported) {
  for (const char* type :
       {R"("example")", R"("BearerToken")", R"("Application Access Token")", R"("")", "7"}) {
    const auto answer = read(R"({"access_token":"abc","token_type":)" + std::string(type) + "}");
    ASSERT_TRUE(answer) << type;
    EXPECT_EQ(answer->token_type, "Bearer");
    EXPECT_THAT(odd_fields(answer), ElementsAre("token_type"));
  }
}

TEST(TokenAnswer, TokensOfOtherSchemesAreNotSentAsBearer) {
  for (const char* type : {"mac", "MAC", "DPoP", "N_A"}) {
    const auto answer = read(R"({"access_token":"abc","token_type":")" + std::string(type) + "\"}");
    ASSERT_FALSE(answer) << type;
    EXPECT_EQ(answer.error().kind, ErrorKind::protocol);
    EXPECT_THAT(answer.error().message, HasSubstr("token_type"));
  }
}

TEST(TokenAnswer, IsReadInsideAnotherObjectAndInOtherSpellings) {
  const auto nested =
      read(R"({"code":0,"msg":"ok","data":{"access_token":"tok-aaaabbbb","expires_in":7200}})");
  ASSERT_TRUE(nested);
  EXPECT_EQ(nested->access_token.reveal(), "tok-aaaabbbb");
  EXPECT_EQ(nested->expires_in, 7200s);
  const auto camel =
      read(R"({"accessToken":"tok-aaaabbbb","tokenType":"Bearer","expiresIn":3600})");
  ASSERT_TRUE(camel);
  EXPECT_EQ(camel->access_token.reveal(), "tok-aaaabbbb");
  EXPECT_EQ(camel->expires_in, 3600s);
}

TEST(TokenAnswer, IsReadFromAForm) {
  const auto answer = read("access_token=a%2Fb-ccccdddd&token_type=bearer&expires_in=3600",
                           {{"Content-Type", "application/x-www-form-urlencoded"}});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->access_token.reveal(), "a/b-ccccdddd");
  EXPECT_EQ(answer->expires_in, 3600s);
  EXPECT_FALSE(read("access_token=a%0Ab"));
}

TEST(TokenAnswer, IsReadInIso8859_1) {
  for (const char* field : {"Z\xFC", "Z\xFCrich West"}) {
    const auto answer = read(R"({"access_token":"tok-aaaabbbb","org":")" + std::string(field) +
                             R"(","expires_in":5})");
    ASSERT_TRUE(answer) << field;
    EXPECT_EQ(answer->access_token.reveal(), "tok-aaaabbbb");
  }
}

TEST(TokenAnswer, NamesACodingThatItDoesNotKnow) {
  const auto answer = read("\x1b\x03", {{"Content-Encoding", "br"}});
  ASSERT_FALSE(answer);
  EXPECT_THAT(answer.error().message, HasSubstr("\"br\""));
  EXPECT_THAT(read("", {{"Content-Encoding", "identity"}}).error().message, HasSubstr("is empty"));
}

TEST(TokenAnswer, ReadsJsonWhateverTheContentTypeSays) {
  EXPECT_TRUE(read(with_expires_in("5"), {{"Content-Type", "text/html"}}));
  EXPECT_TRUE(read(with_expires_in("5"), {}));
  EXPECT_TRUE(read("access_token=abc", {{"Content-Type", "application/json"}}));
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
  for (const char* life : {"\"soon\"", "\"NaN\"", "\"\"", "true", "[]", "{}"}) {
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

TEST(TokenAnswer, AnImpossibleLifetimeIsIgnored) {
  for (const char* life : {"0", "-1", "-0.5", "\"0\"", "\"-1\""}) {
    const auto answer = read(with_expires_in(life));
    ASSERT_TRUE(answer) << life;
    EXPECT_EQ(answer->expires_in, std::nullopt);
    EXPECT_THAT(odd_fields(answer), ElementsAre("expires_in"));
  }
  EXPECT_THAT(odd_fields(read(with_expires_in("1e300"))), ElementsAre("expires_in"));
}

TEST(TokenAnswer, AnInstantInPlaceOfALifeIsReadByTheAnswersDate) {
  const Headers date{{"Date", "Thu, 01 Jan 2026 00:00:00 GMT"}};  // 1767225600
  const auto instant = read(with_expires_in("1767225608"), date);
  ASSERT_TRUE(instant);
  EXPECT_EQ(instant->expires_in, 8s);
  EXPECT_THAT(odd_fields(instant), ElementsAre("expires_in"));
  // One that has passed, and one that nothing tells from a life, are cut like any other.
  EXPECT_EQ(read(with_expires_in("1767225600"), date)->expires_in, Duration{24h} * 3650);
  EXPECT_EQ(read(with_expires_in("1767225608"))->expires_in, Duration{24h} * 3650);
}

TEST(TokenAnswer, ReportsClaimsThatAreNotTimes) {
  const auto answer =
      read(R"({"access_token":")" + testing_jwt(R"({"iat":1000,"exp":1767225600000})") + "\"}");
  ASSERT_TRUE(answer);
  EXPECT_THAT(odd_fields(answer), ElementsAre("exp"));
}

TEST(TokenAnswer, AJwtsOwnClaimsStandInForALifeThatMakesNoSense) {
  const std::string jwt = testing_jwt(R"({"iat":1000,"exp":1300})");
  const auto answer = read(R"({"expires_in":0,"access_token":")" + jwt + "\"}");
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->expires_in, std::nullopt) << "the claims tell it";
  EXPECT_FALSE(read(R"({"expires_in":"soon","access_token":")" + jwt + "\"}"))
      << "no number at all: evidence rule 9";
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
  EXPECT_THAT(message(R"({"access_token":"abc)"), HasSubstr("truncated"));
  EXPECT_THAT(message("[]"), HasSubstr("not a JSON object"));
  EXPECT_THAT(message("null"), HasSubstr("not a JSON object"));
  EXPECT_THAT(message(std::string(kMaxTokenAnswerBytes + 1, ' ')), HasSubstr("too large"));
  EXPECT_THAT(message(std::string(kMaxTokenAnswerBytes, ' ')), Not(HasSubstr("too large")));
}

TEST(TokenAnswer, NeverShowsAToken) {
  const std::string token = "s3cr3tT0k3n";
  for (const std::string& body :
       {token, R"({"access_token":")" + token, "access_token=" + token + "&token_type=%",
        "access_token=%0A" + token, "[\"" + token + "\"]", "\"" + token + "\"", "<token>" + token,
        R"({"token_type":"mac","access_token":")" + token + "\"}",
        R"({"expires_in":")" + token + R"(","access_token":")" + token + "\"}",
        R"({"access_token":"\u0001)" + token + "\"}", R"({"access_token":[")" + token + "\"]}"}) {
    const auto answer = read(body);
    ASSERT_FALSE(answer) << body;
    EXPECT_THAT(describe(answer.error()), Not(HasSubstr(token))) << body;
  }
}

TEST(TokenAnswer, NoOddityShowsAToken) {
  const std::string token = "s3cr3tT0k3n";
  const auto answer = read(R"({"token_type":")" + token + R"(","access_token":")" + token + "\"}");
  ASSERT_TRUE(answer);
  EXPECT_THAT(answer->oddities.at(0).text, Not(HasSubstr(token)));
}

TEST(TokenAnswer, RefusesHostileNesting) {
  EXPECT_FALSE(read(R"({"access_token":"abc","x":)" + std::string(200'000, '[')));
  EXPECT_FALSE(read(std::string(200'000, '{')));
}

}  // namespace
}  // namespace skewguard::oauth
