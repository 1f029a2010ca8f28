#include "genesys/dialect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "genesys/error_details.hpp"
#include "oauth/grant.hpp"

namespace skewguard::genesys {
namespace {

using oauth::Refusal;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kPath = "/api/v2/tokens/me";

Exchange answer(int status, std::string body, Headers headers = {}) {
  Exchange exchange;
  exchange.status = status;
  exchange.body = std::move(body);
  exchange.headers = std::move(headers);
  return exchange;
}

Refusal login(int status, std::string body, Headers headers = {}) {
  return GenesysDialect{}.login_refusal(answer(status, std::move(body), std::move(headers)));
}
Refusal api(int status, std::string body, Headers headers = {}, std::string_view path = kPath,
            bool managed = true) {
  return GenesysDialect{}.api_refusal(answer(status, std::move(body), std::move(headers)), path,
                                      managed);
}

TEST(GenesysTokenRequest,
     SendsBasicWithTheRawPair) {  // docs/platform.md 1.2: no form-encoding first
  const oauth::ClientCredentials grant("id", Secret("p+/ :%"));
  const HttpRequest request =
      GenesysDialect{}.request(grant, "https://login.mypurecloud.ie/oauth/token");
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://login.mypurecloud.ie/oauth/token");
  EXPECT_EQ(request.headers.find("Content-Type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(request.authorization.reveal(), "Basic aWQ6cCsvIDol");  // base64("id:p+/ :%")
  EXPECT_EQ(request.body.reveal(), "grant_type=client_credentials");
}

TEST(GenesysTokenRequest, MoreFieldsAreFormEncoded) {
  const oauth::ClientCredentials grant("id", Secret("s"), {{"resource", "urn:api x"}});
  const HttpRequest request = GenesysDialect{}.request(grant, "https://l/oauth/token");
  EXPECT_EQ(request.body.reveal(), "grant_type=client_credentials&resource=urn%3Aapi+x");
}

TEST(GenesysTokenAnswer, IsRead) {
  const auto token = GenesysDialect{}.token(
      answer(200, R"({"access_token":"abc","token_type":"bearer","expires_in":86400})"));
  ASSERT_TRUE(token.ok());
  EXPECT_EQ(token->access_token.reveal(), "abc");
  EXPECT_EQ(token->expires_in, seconds{86400});
}

// docs/platform.md section 2.1, row by row; either name of the description.
TEST(GenesysLogin, AnUnknownClientIsA400) {
  for (const char* body : {R"({"error":"invalid_client","description":"client not found"})",
                           R"({"error":"invalid_client","error_description":"client not found"})",
                           R"({"error":"invalid_client"})"}) {
    const Refusal refusal = login(400, body);
    EXPECT_EQ(refusal.kind, Refusal::Kind::unknown_client) << body;
    EXPECT_EQ(refusal.error_code, "invalid_client");
  }
}

TEST(GenesysLogin, AWrongSecretIsA401) {
  for (const char* body :
       {R"({"error":"invalid_client","description":"authentication failed"})",
        R"({"error":"invalid_client","error_description":"authentication failed"})",
        R"({"error":"invalid_client"})", R"({"error":"unauthorized_client"})", "<html>", ""}) {
    EXPECT_EQ(login(401, body).kind, Refusal::Kind::credentials_rejected) << body;
  }
}

TEST(GenesysLogin, TheWordsDecideWhereTheStatusMisleads) {
  EXPECT_EQ(login(401, R"({"error":"invalid_client","description":"client not found"})").kind,
            Refusal::Kind::unknown_client);
  EXPECT_EQ(login(400, R"({"error":"invalid_client","description":"authentication failed"})").kind,
            Refusal::Kind::credentials_rejected);
}

TEST(GenesysLogin, TheRateLimitIsA400) {
  for (const char* name : {"description", "error_description"}) {
    const std::string body = std::string(R"({"error":"invalid_request",")") + name +
                             R"(":"rate limit exceeded; try again"})";
    EXPECT_EQ(login(400, body).kind, Refusal::Kind::rate_limited);
  }
  EXPECT_EQ(login(400, R"({"error":"invalid_request","description":"no grant"})").kind,
            Refusal::Kind::request_rejected);
}

TEST(GenesysLogin, AGatewaysAnswerIsABackendThatIsDown) {
  EXPECT_EQ(login(502, "<html>Bad Gateway</html>").kind, Refusal::Kind::backend_unavailable);
  EXPECT_EQ(login(503, "").kind, Refusal::Kind::backend_unavailable);
}

// docs/platform.md section 2.2.
TEST(GenesysApi, ARefusedTokenHasOneCodeForAll) {
  const Refusal refusal = api(
      401,
      R"({"message":"Invalid login credentials.","code":"bad.credentials","status":401,"contextId":"ctx-1"})");
  EXPECT_EQ(refusal.kind, Refusal::Kind::token_refused);
  EXPECT_EQ(refusal.error_code, "bad.credentials");
  EXPECT_EQ(refusal.description, "Invalid login credentials.");
  EXPECT_EQ(refusal.correlation_id, "ctx-1");
  for (const char* body : {R"({"code":"authentication.required"})",
                           R"({"code":"credentials.expired"})", "<html>", "", "[]", "{"}) {
    EXPECT_EQ(api(401, body).kind, Refusal::Kind::token_refused) << body;
  }
}

TEST(GenesysApi, Rfc6750ChallengesMeanTheSame) {
  const Refusal token =
      api(401, "", {{"WWW-Authenticate", R"(Bearer realm="x", error="invalid_token")"}});
  EXPECT_EQ(token.kind, Refusal::Kind::token_refused);
  EXPECT_EQ(token.error_code, "invalid_token");
  for (const int status : {400, 401, 403}) {
    const Refusal scope = api(
        status, "", {{"WWW-Authenticate", R"(Bearer error="insufficient_scope", scope="users")"}});
    EXPECT_EQ(scope.kind, Refusal::Kind::missing_permission) << status;
    EXPECT_THAT(scope.permissions, ElementsAre("users"));
  }
}

TEST(GenesysApi, TheHeadersCorrelationIdComesFirst) {
  const std::string body = R"({"code":"bad.credentials","contextId":"from-body"})";
  EXPECT_EQ(api(401, body, {{"inin-correlation-id", "a"}}).correlation_id, "a");
  EXPECT_EQ(api(401, body, {{"Genesys-Correlation-Id", "b"}}).correlation_id, "b");
  EXPECT_EQ(api(401, body).correlation_id, "from-body");
}

TEST(GenesysApi, A403NamesItsPermissions) {
  const Refusal message = api(
      403,
      R"({"code":"missing.permissions","message":"Unable to perform the requested action. You are missing the following permission(s): oauth:client:delete, authorization:role:view"})");
  EXPECT_EQ(message.kind, Refusal::Kind::missing_permission);
  EXPECT_EQ(message.error_code, "missing.permissions");
  EXPECT_THAT(message.permissions, ElementsAre("oauth:client:delete", "authorization:role:view"));

  const Refusal any = api(
      403,
      R"({"code":"missing.any.permissions","message":"You must have at least one of [a:b:c, d:e:*]."})");
  EXPECT_THAT(any.permissions, ElementsAre("a:b:c", "d:e:*"));

  const Refusal odd = api(403, R"({"code":"missing.permissions","message":"aZ0-9_:Az:zA"})");
  EXPECT_THAT(odd.permissions, ElementsAre("aZ0-9_:Az:zA"));

  const Refusal params = api(
      403,
      R"({"code":"missing.permissions","message":"m","messageParams":{"permissions":"oauth:client:view"},"details":[{"errorCode":"x","fieldName":"routing:queue:edit"}],"errors":[{"message":"needs oauth:client:view"}]})");
  EXPECT_THAT(params.permissions, ElementsAre("oauth:client:view", "routing:queue:edit"));
}

TEST(GenesysApi, A403WithoutNamesIsStillAboutPermissions) {
  const Refusal refusal = api(
      403,
      R"({"code":"not.authorized","message":"You are not authorized to perform the requested action."})");
  EXPECT_EQ(refusal.kind, Refusal::Kind::missing_permission);
  EXPECT_THAT(refusal.permissions, IsEmpty());
}

TEST(GenesysApi, A403OfAnotherFormIsAGateways) {
  EXPECT_EQ(api(403, R"({"message":"Missing Authentication Token"})",
                {{"x-amzn-ErrorType", "MissingAuthenticationTokenException"}})
                .gateway,
            "an AWS gateway");
  for (const char* body : {R"({"message":"Missing Authentication Token"})", "{}", "[]", "<html>"})
    EXPECT_EQ(api(403, body).kind, Refusal::Kind::gateway_refused) << body;
  for (const char* body :
       {"", R"({"code":"not.authorized"})", R"([{"errorCode":"API_DISABLED_FOR_ORG"}])",
        R"({"error":{"code":"not.authorized"}})"}) {
    EXPECT_EQ(api(403, body).kind, Refusal::Kind::missing_permission) << body;
  }
}

TEST(GenesysApi, TheFirstOfSeveralErrorsIsRead) {
  const Refusal refusal =
      api(403, R"([{"message":"not enabled","errorCode":"API_DISABLED_FOR_ORG"},{"message":"x"}])");
  EXPECT_EQ(refusal.error_code, "API_DISABLED_FOR_ORG");
  EXPECT_EQ(refusal.description, "not enabled");
}

TEST(GenesysApi, PermissionsAreReadInIso8859_1) {
  const Refusal refusal = api(403,
                              "{\"code\":\"missing.any.permissions\",\"message\":\"r\xE9serv\xE9"
                              "e a:b:c\"}");
  EXPECT_EQ(refusal.kind, Refusal::Kind::missing_permission);
  EXPECT_THAT(refusal.permissions, ElementsAre("a:b:c"));
}

TEST(GenesysApi, TimesAndUrlsAreNoPermissions) {
  const auto details = read_error_details(
      {{"message", "at 12:30:45 see https://x.y/a:b:c:d or a:b, ::x:: and a:b:c"}});
  EXPECT_THAT(details.permissions, ElementsAre("a:b:c"));
  EXPECT_EQ(api(403, R"({"message":"blocked by urn:waf:sqli and URN:x:y"})").kind,
            Refusal::Kind::gateway_refused);
}

TEST(GenesysApi, A429SaysHowLong) {
  const std::string body =
      R"({"message":"Rate limit exceeded the maximum. Retry the request in [42] seconds","code":"too.many.requests.retry.after","status":429})";
  EXPECT_EQ(api(429, body).kind, Refusal::Kind::rate_limited);
  EXPECT_EQ(api(429, body).retry_after, seconds{42});
  EXPECT_EQ(api(429, body, {{"Retry-After", "7"}}).retry_after, seconds{7});
  EXPECT_EQ(api(429, body, {{"inin-ratelimit-reset", "9"}}).retry_after, seconds{9});
  EXPECT_EQ(api(429, R"({"code":"too.many.requests"})").retry_after, std::nullopt);
  EXPECT_EQ(api(429, R"({"message":"Retry the request in [99999999] seconds"})").retry_after,
            std::chrono::days{400});
  EXPECT_EQ(api(429, R"({"message":"Retry the request in [-1] seconds"})").retry_after,
            std::nullopt);
}

TEST(GenesysApi, ATimeOutOfTheAuthBackendIsNoBadToken) {
  EXPECT_EQ(api(504, R"({"code":"authentication.request.timeout"})").kind,
            Refusal::Kind::backend_unavailable);
  EXPECT_EQ(api(504, R"({"code":"request.timeout"})").kind, Refusal::Kind::none);
  EXPECT_EQ(api(500, R"({"code":"authentication.request.timeout"})").kind, Refusal::Kind::none);
}

TEST(GenesysApi, ErrorsThatAreNotAboutTheTokenAreNone) {
  for (const int status : {400, 404, 409, 415, 500, 503}) {
    EXPECT_EQ(api(status, R"({"code":"x"})").kind, Refusal::Kind::none) << status;
  }
  EXPECT_EQ(api(200, R"({"code":"bad.credentials"})").kind, Refusal::Kind::none);
  EXPECT_EQ(api(302, "", {{"Location", "https://evil.example/"}}).kind, Refusal::Kind::redirect);
}

TEST(GenesysApi, UsersMeWithoutAUserIsDistinguished) {
  for (const int status : {400, 403, 404}) {
    for (const char* path : {"/api/v2/users/me", "/api/v2/users/me?expand=a",
                             "/api/v2/users/me/queues", "/gateway/api/v2/users/me"}) {
      EXPECT_EQ(api(status, "{}", {}, path).kind, Refusal::Kind::no_user_context) << path;
    }
  }
  EXPECT_EQ(api(401, "{}", {}, "/api/v2/users/me").kind, Refusal::Kind::token_refused);
  EXPECT_EQ(api(404, "{}", {}, "/api/v2/users/megan").kind, Refusal::Kind::none);
  EXPECT_EQ(api(404, "{}", {}, "/api/v2/users?x=/api/v2/users/me").kind, Refusal::Kind::none);
  EXPECT_EQ(api(404, "{}", {}, "/api/v2/users/me", false).kind, Refusal::Kind::none);
  EXPECT_EQ(api(403, R"({"message":"missing directory:user:view"})", {}, "/api/v2/users/me").kind,
            Refusal::Kind::missing_permission);
}

TEST(GenesysApi, HostileBodiesAreSurvived) {
  const std::string deep(200'000, '[');
  EXPECT_EQ(api(401, deep).kind, Refusal::Kind::token_refused);
  EXPECT_EQ(api(401, std::string(2 * 1024 * 1024, ' ') + R"({"code":"x"})").error_code, "");
  const Refusal refusal =
      api(401, "{\"code\":\"a\\u001b[2Jb\",\"message\":\"" + std::string(500, 'x') + "\"}");
  EXPECT_EQ(refusal.error_code, "a [2Jb");
  EXPECT_LE(refusal.description.size(), 203U);
}

}  // namespace
}  // namespace skewguard::genesys
