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
Refusal api(int status, Headers headers = {}, std::string body = "") {
  return Rfc6749Dialect{}.api_refusal(answer_of(status, std::move(body), std::move(headers)), "/x",
                                      true);
}
std::string error_body(const std::string& code, const std::string& description = "") {
  return R"({"error":")" + code + R"(","error_description":")" + description + "\"}";
}

TEST(Visible, KeepsWhatCanBeSeenAndSingleSpaces) {
  EXPECT_EQ(visible("a  b\r\n\tc "), "a b c");
  EXPECT_EQ(visible("a\x01\x7f\xc3"), "a ?");
  EXPECT_EQ(visible("trouv\xC3\xA9 \xE2\x82\xAC \x80"), "trouv\xC3\xA9 \xE2\x82\xAC ?");
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

TEST(LoginRefusal, AnOAuthErrorIsOneWhateverItsStatusAndForm) {
  const std::string error = error_body("access_denied", "This client has no grant.");
  for (const int status : {200, 400, 401, 402, 403, 404, 422}) {
    const Refusal refusal = login(status, error);
    EXPECT_EQ(refusal.kind, Kind::request_rejected) << status;
    EXPECT_EQ(refusal.error_code, "access_denied");
    EXPECT_EQ(refusal.description, "This client has no grant.");
  }
  for (const std::string& body :
       {std::string(R"({"error":"invalid_client","reason":"no such thing"})"),
        std::string(R"({"error":"invalid_client","message":"no such thing"})"),
        std::string(R"([{"error":"invalid_client","error_description":"no such thing"},{}])"),
        std::string(R"({"error":{"code":"invalid_client","message":"no such thing"}})"),
        std::string(R"({"code":1,"data":{"error":"invalid_client","msg":"no such thing"}})"),
        std::string(R"({"code":"E1","msg":"failed",)"
                    R"("data":{"error":"invalid_client","msg":"no such thing"}})"),
        std::string(R"({"errorCode":"invalid_client","errorSummary":"no such thing"})"),
        std::string(R"(["x",{"error":"invalid_client","error_description":"no such thing"}])"),
        std::string("error=invalid_client&error_description=no+such+thing")}) {
    for (const int status : {200, 403}) {
      const Refusal refusal = login(status, body);
      EXPECT_EQ(refusal.kind, Kind::credentials_rejected) << body;
      EXPECT_EQ(refusal.error_code, "invalid_client") << body;
      EXPECT_EQ(refusal.description, "no such thing") << body;
    }
  }
  EXPECT_EQ(
      login(400, "{\"error\":\"invalid_client\",\"error_description\":\"trouv\xE9\"}").description,
      "trouv\xC3\xA9");
}

TEST(LoginRefusal, AWebServersOwnWordsAreNoOAuthError) {
  EXPECT_EQ(login(404, error_body("Not Found")).kind, Kind::unusable);
  EXPECT_EQ(login(405, error_body("method_not_allowed")).kind, Kind::unusable);
  EXPECT_EQ(login(404, error_body("invalid_client")).kind, Kind::credentials_rejected);
}

TEST(LoginRefusal, APageWith403IsAGateways) {
  const Refusal refusal = login(403, "<html><title>Blocked</title></html>", {{"Server", "edge"}});
  EXPECT_EQ(refusal.kind, Kind::gateway_refused);
  EXPECT_EQ(refusal.gateway, "page \"Blocked\", Server \"edge\"");
}

TEST(LoginRefusal, ShowsSixtyCharactersOfAServersName) {
  const std::string most(60, 's');
  const auto gateway = [](const std::string& server) {
    return login(403, "<html></html>", {{"Server", server}}).gateway;
  };
  EXPECT_EQ(gateway(most), "Server \"" + most + "\"");
  EXPECT_EQ(gateway(most + "s"), "Server \"" + most + "...\"");
}

TEST(LoginRefusal, KnowsRateLimitsInEveryForm) {
  EXPECT_EQ(login(403, error_body("invalid_request", "rate limit exceeded")).kind,
            Kind::rate_limited);
  EXPECT_EQ(login(200, error_body("too_many_requests")).kind, Kind::rate_limited);
  EXPECT_EQ(login(400, error_body("invalid_scope", "no scope named rate limit")).kind,
            Kind::request_rejected);
  EXPECT_EQ(login(429, "", {{"Retry-After", "299.5"}}).retry_after, 300s);
  EXPECT_EQ(login(429, "", {{"X-RateLimit-Reset", "9"}}).retry_after, 9s);
  EXPECT_EQ(login(429, "", {{"X-RateLimit-Reset", "9"}, {"Retry-After", "8"}}).retry_after, 8s);

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
  EXPECT_EQ(login(302, "", {{"Location", "https://u:s3cr3t@evil.example/a"}}).description,
            "https://evil.example");
  EXPECT_EQ(login(302, "", {{"Location", "ftp://u:s3cr3t@evil.example/a"}}).description,
            "ftp://evil.example/a");
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

TEST(ApiRefusal, A400Or403ThatSaysThatTheTokenHasEndedIsARefusalOfIt) {
  for (const char* body :
       {R"({"code":"token.expired","message":"The access token has expired"})",
        R"({"error":"invalid_token","error_description":"The access token expired"})",
        R"([{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}])",
        R"({"error":{"code":"InvalidAuthenticationToken","message":"x"}})",
        R"({"message":"jwt expired"})"}) {
    for (const int status : {400, 403})
      EXPECT_EQ(api(status, {}, body).kind, Kind::token_refused) << status << body;
    EXPECT_EQ(api(404, {}, body).kind, Kind::none) << body;
  }
  const Headers challenge{{"WWW-Authenticate", R"(Bearer error_description="token expired")"}};
  EXPECT_EQ(api(403, challenge).kind, Kind::token_refused);
  const Headers brief{{"WWW-Authenticate", R"(Bearer error_description="It has expired")"}};
  EXPECT_EQ(api(403, brief).kind, Kind::token_refused);
  EXPECT_EQ(api(403, {}, R"({"code":"expired"})").kind, Kind::token_refused);
  EXPECT_EQ(api(403, {}, R"({"message":"it has expired"})").kind, Kind::missing_permission);
}

TEST(ApiRefusal, TheWordsOfAnExpiredTokenCountInEveryForm) {
  for (const char* body :
       {"The access token has expired", "\"The access token has expired\"",
        R"(["The access token has expired"])", R"({"errors":["The access token has expired","x"]})",
        R"({"errors":[{"code":"Unauthorized","details":"The access token has expired"}]})",
        R"({"message":"Denied","details":["The access token has expired"]})"}) {
    for (const int status : {400, 403})
      EXPECT_EQ(api(status, {}, body).kind, Kind::token_refused) << status << body;
  }
  const Refusal text = api(401, {}, "The access token has expired");
  EXPECT_EQ(text.description, "The access token has expired");
  EXPECT_FALSE(text.page) << "the API's own, whoever else answers so";
  EXPECT_EQ(api(403, {}, R"({"errors":["The access token has expired"]})").description,
            "The access token has expired");
  EXPECT_EQ(api(403, {}, "<html><title>Your session has expired</title>").kind,
            Kind::gateway_refused);
}

TEST(ApiRefusal, WhatTheApiSaysIsReadFromItsOwnObject) {
  const Refusal refusal =
      api(403, {}, R"({"code":"not.authorized","message":"no","context":{"error":"inner"}})");
  EXPECT_EQ(refusal.error_code, "not.authorized");
  EXPECT_EQ(refusal.description, "no");
  EXPECT_EQ(api(403, {}, R"({"message":"no","context":{"error":"inner"}})").description, "no");
  EXPECT_EQ(api(403, {}, R"({"status":1,"data":{"error":"inner"}})").error_code, "inner");
}

TEST(ApiRefusal, WhatElseHasEndedOrIsInvalidIsNoRefusalOfTheToken) {
  EXPECT_EQ(api(403, {}, R"({"message":"Your license has expired"})").kind,
            Kind::missing_permission);
  EXPECT_EQ(api(403, {}, R"({"message":"Missing Authentication Token"})").kind,
            Kind::missing_permission);
  EXPECT_EQ(api(400, {}, R"({"message":"the coupon has expired"})").kind, Kind::none);
  EXPECT_EQ(api(400, {}, R"({"message":"invalid token '<' at line 1"})").kind, Kind::none);
}

TEST(ApiRefusal, A403ThatIsNotTheApisOwnIsAGateways) {
  const Refusal page = api(403, {{"Server", "edge"}, {"X-Request-Id", "ray-1"}},
                           "<HTML><head><Title>Request\n blocked</TITLE></head></HTML>");
  EXPECT_EQ(page.kind, Kind::gateway_refused);
  EXPECT_EQ(page.gateway, "page \"Request blocked\", Server \"edge\"");
  EXPECT_EQ(page.correlation_id, "ray-1");
  EXPECT_EQ(api(403, {}, "Forbidden by policy").gateway, "page \"Forbidden by policy\"");
  EXPECT_EQ(api(403, {{"CF-RAY", "1"}}, "x").gateway, "page \"x\", Cloudflare");
  EXPECT_EQ(api(403, {}, "{\"cut").kind, Kind::gateway_refused);
  EXPECT_EQ(api(403, {}, " \r\n").kind, Kind::missing_permission);
  EXPECT_EQ(api(403, {}, "{}").kind, Kind::missing_permission);
  EXPECT_EQ(api(403, {}, "[]").kind, Kind::missing_permission);
  // An answer to HEAD has no body, but its fields describe one.
  const Headers html{{"Content-Type", "text/html"}, {"Content-Length", "99"}};
  EXPECT_EQ(api(403, html).kind, Kind::gateway_refused);
  const Headers json{{"Content-Type", "application/json"}, {"Content-Length", "99"}};
  EXPECT_EQ(api(403, json).kind, Kind::missing_permission);
}

TEST(ApiRefusal, ABodyInACodingThatIsNotKnownIsAPageWithoutWords) {
  const Refusal refusal = api(403, {{"Content-Encoding", "br"}, {"Server", "edge"}}, "\x8b\x02{}");
  EXPECT_EQ(refusal.kind, Kind::gateway_refused);
  EXPECT_EQ(refusal.gateway, "Server \"edge\"");
  EXPECT_EQ(api(403, {{"Content-Encoding", "identity"}}, "{}").kind, Kind::missing_permission);
}

TEST(ApiRefusal, ALongBodyIsNoMessage) {
  std::string text = R"({"message":"no"})";
  text.resize(kMaxErrorBytes, ' ');
  EXPECT_EQ(api(403, {}, text).description, "no");
  EXPECT_EQ(api(403, {}, text + " ").description, "");
}

TEST(ApiRefusal, A401ThatAsksForOtherSchemesAloneIsAGateways) {
  const auto asks = [](const char* challenge, std::string body = "") {
    return api(401, {{"WWW-Authenticate", challenge}}, std::move(body));
  };
  const Refusal basic = asks("Basic realm=\"Corporate proxy\", Negotiate");
  EXPECT_EQ(basic.kind, Kind::gateway_refused);
  EXPECT_EQ(basic.gateway, "asks for Basic (realm \"Corporate proxy\"), asks for Negotiate");
  EXPECT_EQ(asks("Basic realm=x, Bearer").kind, Kind::token_refused);
  EXPECT_EQ(asks("").kind, Kind::token_refused);
  EXPECT_EQ(asks("Token", R"([{"message":"Session expired or invalid"}])").kind,
            Kind::token_refused)
      << "its words are of the token all the same";
}

TEST(ApiRefusal, APageIsDistinguishedFromTheApisOwn401) {
  EXPECT_TRUE(api(401, {}, "<html>").page);
  EXPECT_TRUE(api(401, {}, "Unauthorized").page);
  for (const char* body : {"", "{}", R"([{"message":"x"}])", "{\"cut"})
    EXPECT_FALSE(api(401, {}, body).page) << body;
  EXPECT_FALSE(api(401, {{"WWW-Authenticate", "Bearer"}}, "<html>").page);
}

TEST(ApiRefusal, OfSeveralChallengesTheOneCountsThatSaysWhy) {
  const Refusal refusal = api(401, {{"WWW-Authenticate", "Bearer realm=a"},
                                    {"WWW-Authenticate",
                                     "Bearer error=invalid_token, "
                                     "error_description=\"it ended\""}});
  EXPECT_EQ(refusal.error_code, "invalid_token");
  EXPECT_EQ(refusal.description, "it ended");
  EXPECT_EQ(api(401, {{"WWW-Authenticate", "DPoP error=insufficient_scope, scope=\"a b\""}}).kind,
            Kind::missing_permission);
}

TEST(ApiRefusal, KnowsWhereNoTokenArrived) {
  EXPECT_TRUE(api(401, {}, R"({"code":"authentication.required"})").no_token_seen);
  EXPECT_TRUE(
      api(401, {},
          R"({"message":"No authentication bearer token specified in authorization header."})")
          .no_token_seen);
  for (const char* words :
       {"MISSING AUTHORIZATION", "no_authorization-header!", "MissingBearerToken"}) {
    EXPECT_TRUE(api(401, {}, R"({"message":")" + std::string(words) + "\"}").no_token_seen)
        << words;
  }
  EXPECT_FALSE(api(401, {}, R"({"code":"bad.credentials"})").no_token_seen);
}

TEST(ApiRefusal, A429TellsByOtherFieldsToo) {
  EXPECT_EQ(api(429, {{"RateLimit-Reset", "5"}}).retry_after, 5s);
  EXPECT_EQ(api(503, {{"RateLimit-Reset", "5"}}).retry_after, std::nullopt);
}

TEST(ApiRefusal, WhatIsNotAboutTheTokenIsNone) {
  for (const int status : {200, 204, 304, 400, 404, 409, 500, 502, 503, 504}) {
    EXPECT_EQ(api(status).kind, Kind::none) << status;
  }
  EXPECT_EQ(api(429, {{"Retry-After", "3"}}).kind, Kind::rate_limited);
  EXPECT_EQ(api(307, {{"Location", "http://x.example/"}}).kind, Kind::redirect);
}

TEST(CorrelationId, UsesTheFirstOnePresent) {
  EXPECT_EQ(correlation_id({{"x-request-id", "r"}, {"inin-correlation-id", "i"}}), "i");
  EXPECT_EQ(correlation_id({{"Genesys-Correlation-Id", "g"}}), "g");
  EXPECT_EQ(correlation_id({}), "");
}

}  // namespace
}  // namespace skewguard::oauth
