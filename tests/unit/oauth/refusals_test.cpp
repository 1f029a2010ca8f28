#include "oauth/refusals.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oauth/rfc6749_dialect.hpp"
#include "oauth_testing.hpp"

namespace skewguard::oauth {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::IsEmpty;
using Kind = Refusal::Kind;

Refusal login(int status, std::string body, Headers headers = {}) {
  return Rfc6749Dialect{}.login_refusal(answer_of(status, std::move(body), std::move(headers)));
}
Refusal api(int status, Headers headers = {}) {
  return Rfc6749Dialect{}.api_refusal(answer_of(status, "", std::move(headers)), "/x", true);
}
std::string error_body(const std::string& code, const std::string& description = "") {
  return R"({"error":")" + code + R"(","error_description":")" + description + "\"}";
}

TEST(Visible, KeepsVisibleAsciiAndSingleSpaces) {
  EXPECT_EQ(visible("a  b\r\n\tc "), "a b c");
  EXPECT_EQ(visible("a\x01\x7f\xc3"), "a ?");
  EXPECT_EQ(visible("abcd", 4), "abcd");
  EXPECT_EQ(visible("abcde", 4), "abcd...");
  EXPECT_EQ(visible(std::string(300, 'x')).size(), 203U);
  EXPECT_EQ(visible(""), "");
}

TEST(LoginRefusal, SortsTheErrorsOfRfc6749) {
  EXPECT_EQ(login(401, error_body("invalid_client")).kind, Kind::credentials_rejected);
  EXPECT_EQ(login(400, error_body("invalid_client")).kind, Kind::credentials_rejected);
  EXPECT_EQ(login(400, error_body("unauthorized_client")).kind, Kind::credentials_rejected);
  EXPECT_EQ(login(400, error_body("invalid_grant")).kind, Kind::request_rejected);
  EXPECT_EQ(login(400, error_body("invalid_scope")).kind, Kind::request_rejected);
  EXPECT_EQ(login(400, error_body("unsupported_grant_type")).kind, Kind::request_rejected);
  EXPECT_EQ(login(400, error_body("invalid_request", "missing x")).kind, Kind::request_rejected);
  EXPECT_EQ(login(400, error_body("temporarily_unavailable")).kind, Kind::backend_unavailable);
}

TEST(LoginRefusal, KnowsRateLimitsInEveryForm) {
  EXPECT_EQ(login(400, error_body("invalid_request", "rate limit exceeded; wait")).kind,
            Kind::rate_limited);
  EXPECT_EQ(login(400, R"({"error":"invalid_request","description":"Rate limit exceeded"})").kind,
            Kind::rate_limited);
  const Refusal refusal = login(429, "", {{"Retry-After", "7"}});
  EXPECT_EQ(refusal.kind, Kind::rate_limited);
  EXPECT_EQ(refusal.retry_after, 7s);
  EXPECT_EQ(login(429, "", {{"Retry-After", "soon"}}).retry_after, std::nullopt);
}

TEST(LoginRefusal, SortsByStatusWhereTheBodySaysNothing) {
  EXPECT_EQ(login(500, "").kind, Kind::backend_unavailable);
  EXPECT_EQ(login(502, "<html>").kind, Kind::backend_unavailable);
  EXPECT_EQ(login(503, error_body("invalid_client")).kind, Kind::backend_unavailable);
  EXPECT_EQ(login(408, "").kind, Kind::backend_unavailable);
  EXPECT_EQ(login(401, "<html>").kind, Kind::credentials_rejected);
  EXPECT_EQ(login(404, "<html>").kind, Kind::unusable);
  EXPECT_EQ(login(403, "").kind, Kind::unusable);
  EXPECT_EQ(login(304, "").kind, Kind::unusable);
  EXPECT_EQ(login(400, R"({"error":{"code":1}})").kind, Kind::unusable);
  EXPECT_EQ(login(400, R"(["error"])").kind, Kind::unusable);
}

TEST(LoginRefusal, NamesTheTargetOfARedirectWithoutItsQuery) {
  const Refusal refusal =
      login(302, "", {{"Location", "https://evil.example:8443/a?token=s3cr3t#s3cr3t"}});
  EXPECT_EQ(refusal.kind, Kind::redirect);
  EXPECT_EQ(refusal.description, "https://evil.example:8443");
  EXPECT_EQ(login(302, "", {{"Location", "/other?token=s3cr3t"}}).description, "/other");
  EXPECT_EQ(login(302, "").description, "nowhere");
}

TEST(LoginRefusal, KeepsTheServersWordsVisibleAndShort) {
  const Refusal refusal =
      login(400, error_body("invalid_scope", "no\\u0007pe " + std::string(500, 'x')),
            {{"ININ-Correlation-Id", "c-1"}});
  EXPECT_EQ(refusal.error_code, "invalid_scope");
  EXPECT_EQ(refusal.description, "no pe " + std::string(194, 'x') + "...");
  EXPECT_EQ(refusal.correlation_id, "c-1");
}

TEST(ApiRefusal, SortsTheChallengesOfRfc6750) {
  EXPECT_EQ(api(401).kind, Kind::token_refused);
  const Refusal invalid =
      api(401, {{"WWW-Authenticate",
                 R"(Bearer realm="x", error="invalid_token", error_description="expired")"}});
  EXPECT_EQ(invalid.kind, Kind::token_refused);
  EXPECT_EQ(invalid.error_code, "invalid_token");
  EXPECT_EQ(invalid.description, "expired");
  EXPECT_EQ(api(400, {{"WWW-Authenticate", R"(Bearer error="invalid_token")"}}).kind,
            Kind::token_refused);
}

TEST(ApiRefusal, AChallengeBesideAnotherStatusIsNoRefusalOfTheToken) {
  const Headers headers{{"WWW-Authenticate", R"(Bearer error="invalid_token")"},
                        {"Retry-After", "3"}};
  EXPECT_EQ(api(429, headers).kind, Kind::rate_limited);
  for (const int status : {404, 500, 502, 503, 504}) {
    const Refusal refusal = api(status, headers);
    EXPECT_EQ(refusal.kind, Kind::none) << status;
    EXPECT_EQ(refusal.retry_after, std::chrono::seconds{3}) << status;
  }
  EXPECT_EQ(api(403, headers).kind, Kind::token_refused);
}

TEST(ApiRefusal, InsufficientScopeIsAMissingPermissionWhateverTheStatus) {
  const Headers headers{
      {"WWW-Authenticate", R"(Bearer error="insufficient_scope", scope="a:b c")"}};
  for (const int status : {401, 403, 400}) {
    const Refusal refusal = api(status, headers);
    EXPECT_EQ(refusal.kind, Kind::missing_permission) << status;
    EXPECT_THAT(refusal.permissions, ElementsAre("a:b", "c")) << status;
  }
  EXPECT_EQ(api(403).kind, Kind::missing_permission);
  EXPECT_THAT(api(403).permissions, IsEmpty());
}

TEST(ApiRefusal, WhatIsNotAboutTheTokenIsNone) {
  for (const int status : {200, 204, 304, 400, 404, 409, 500, 502, 503, 504}) {
    EXPECT_EQ(api(status).kind, Kind::none) << status;
  }
  EXPECT_EQ(api(429, {{"Retry-After", "3"}}).kind, Kind::rate_limited);
  EXPECT_EQ(api(307, {{"Location", "http://x.example/"}}).kind, Kind::redirect);
}

TEST(CorrelationId, TakesTheFirstThatIsThere) {
  EXPECT_EQ(correlation_id({{"x-request-id", "r"}, {"inin-correlation-id", "i"}}), "i");
  EXPECT_EQ(correlation_id({{"Genesys-Correlation-Id", "g"}}), "g");
  EXPECT_EQ(correlation_id({}), "");
}

}  // namespace
}  // namespace skewguard::oauth
