#include <gtest/gtest.h>

#include <string>

#include "emulator/encoding.hpp"
#include "fixture.hpp"

namespace skewguard::emulator {
namespace {

/// A login error after docs/platform.md 2.1.
void expect_refusal(const Reply& reply, int status, const std::string& error,
                    const std::string& description) {
  EXPECT_EQ(reply.status, status);
  const auto body = json::parse(reply.body);
  EXPECT_EQ(body.at("error"), error);
  EXPECT_EQ(body.at("description"), description);
  EXPECT_EQ(body.at("error_description"), description);
  EXPECT_EQ(header(reply, "Content-Type"), "application/json");
}

std::string basic(std::string_view userinfo) {
  // Standard Base64 of what has no '+' or '/' in it: base64url with padding.
  auto text = base64url(userinfo);
  text.append((4 - text.size() % 4) % 4, '=');
  return "Basic " + text;
}

TEST(LoginHost, IssuesAnOpaqueToken) {
  Play play;
  const auto reply = play.login(milliseconds{2700});
  EXPECT_EQ(reply.status, 200);
  const auto body = json::parse(reply.body);
  EXPECT_EQ(body.at("access_token").get<std::string>().size(), 86U);
  EXPECT_EQ(body.at("token_type"), "bearer");
  EXPECT_EQ(body.at("expires_in"), 86400);
  EXPECT_TRUE(body.at("expires_in").is_number_integer());
  EXPECT_EQ(body.size(), 3U);
  EXPECT_EQ(header(reply, "Date"), "Thu, 01 Jan 2026 00:00:02 GMT");
  EXPECT_EQ(header(reply, "ININ-Correlation-Id").size(), 36U);
}

TEST(LoginHost, StampsItsOwnClockOnTokenAndAnswer) {
  CloudOptions options;
  options.login_clock.offset = seconds{5};
  options.settings.token = TokenFormat::jwt;
  options.settings.lifetime = seconds{300};
  options.settings.issuer = "https://login.example";
  Play play(options);
  const auto reply = play.login(milliseconds{700});
  EXPECT_EQ(header(reply, "Date"), "Thu, 01 Jan 2026 00:00:05 GMT");
  const auto token = json::parse(reply.body).at("access_token").get<std::string>();
  auto middle = token.substr(token.find('.') + 1);
  middle = middle.substr(0, middle.find('.'));
  for (auto& c : middle) c = c == '-' ? '+' : c == '_' ? '/' : c;
  middle.append((4 - middle.size() % 4) % 4, '=');
  const auto claims = json::parse(base64_decode(middle).value());
  EXPECT_EQ(claims.at("iat"), kStart + 5);
  EXPECT_EQ(claims.at("nbf"), kStart + 5);
  EXPECT_EQ(claims.at("exp"), kStart + 305);
  EXPECT_EQ(claims.at("iss"), "https://login.example");
  EXPECT_EQ(claims.at("sub"), "demo");
  EXPECT_EQ(claims.at("client_id"), "demo");
  EXPECT_EQ(claims.at("jti").get<std::string>().size(), 36U);
}

TEST(LoginHost, EveryTokenIsNew) {
  Play play;
  EXPECT_NE(play.token(seconds{1}), play.token(seconds{1}));
}

TEST(LoginHost, TwoEmulatorsWithOneSeedAnswerAlike) {
  Play a;
  Play b;
  EXPECT_EQ(a.login(seconds{1}).body, b.login(seconds{1}).body);
  EXPECT_EQ(a.login(seconds{2}).headers.fields(), b.login(seconds{2}).headers.fields());
}

TEST(LoginHost, LifetimesMayBeFractions) {
  CloudOptions options;
  options.settings.lifetime = milliseconds{1500};
  Play play(options);
  EXPECT_EQ(json::parse(play.login(seconds{0}).body).at("expires_in"), 1.5);
}

TEST(LoginHost, RefusesAnUnknownClientWith400) {
  Play play;
  expect_refusal(play.login(seconds{0}, token_request(basic("nobody:demo-secret"))), 400,
                 "invalid_client", "client not found");
}

TEST(LoginHost, RefusesAWrongSecretWith401) {
  Play play;
  expect_refusal(play.login(seconds{0}, token_request(basic("demo:demo-secreT"))), 401,
                 "invalid_client", "authentication failed");
  EXPECT_EQ(play.stats()["token_requests"]["by_outcome"]["wrong_secret"], 1);
}

TEST(LoginHost, RefusesADisabledClientWith401) {
  Play play;
  play.cloud.clients().find("demo")->disabled = true;
  expect_refusal(play.login(seconds{0}), 401, "invalid_client", "client is disabled");
}

TEST(LoginHost, TakesEachSecretOfAClientAndColonsInIt) {
  CloudOptions options;
  options.clients = {{"a", {Secret("one"), Secret("two:three")}, ""}};
  Play play(options);
  EXPECT_EQ(play.login(seconds{0}, token_request(basic("a:one"))).status, 200);
  EXPECT_EQ(play.login(seconds{0}, token_request(basic("a:two:three"))).status, 200);
  EXPECT_EQ(play.login(seconds{0}, token_request(basic("a:two"))).status, 401);
}

TEST(LoginHost, ReadsBasicCredentialsRaw) {
  CloudOptions options;
  options.clients = {{"a", {Secret("s%2B+")}, ""}};
  Play play(options);
  EXPECT_EQ(play.login(seconds{0}, token_request(basic("a:s%2B+"))).status, 200);
}

TEST(LoginHost, RefusesMalformedCredentials) {
  for (const auto* authorization :
       {"", "Basic", "Basic ", "Basic !!!!", "Basic ZGVtbw==" /* demo */, "Bearer abc",
        "Basic ZGVtbzpkZW1vLXNlY3JldA" /* no padding */, "BasicZGVtbzpkZW1vLXNlY3JldA=="}) {
    Play play;
    expect_refusal(play.login(seconds{0}, token_request(authorization)), 401, "invalid_client",
                   "authentication failed");
    EXPECT_EQ(play.stats()["token_requests"]["by_outcome"]["no_credentials"], 1) << authorization;
  }
}

TEST(LoginHost, RefusesTwoAuthorizationFields) {
  Play play;
  auto request = token_request();
  request.headers.add("authorization", std::string(kDemo));
  EXPECT_EQ(play.login(seconds{0}, request).status, 401);
}

TEST(LoginHost, TakesTheSchemeInAnyCase) {
  Play play;
  EXPECT_EQ(play.login(seconds{0}, token_request("bAsIc ZGVtbzpkZW1vLXNlY3JldA==")).status, 200);
}

TEST(LoginHost, RefusesAnotherGrant) {
  Play play;
  auto request = token_request();
  request.body = "grant_type=password&username=a&password=b";
  expect_refusal(play.login(seconds{0}, request), 400, "unsupported_grant_type",
                 "grant type not supported");
}

TEST(LoginHost, RefusesWhatIsNoForm) {
  const std::pair<std::string, std::string> cases[] = {
      {"", "the body is missing"},
      {"grant_type=", "grant_type is missing"},
      {"scope=x", "grant_type is missing"},
      {"grant_type=client_credentials%", "the body's percent-encoding is malformed"},
      {"grant_type=client_credentials&grant_type=client_credentials", "a parameter is repeated"},
      {"grant_type=client_credentials&x=1&x=2", "a parameter is repeated"},
  };
  for (const auto& [body, why] : cases) {
    Play play;
    auto request = token_request();
    request.body = body;
    expect_refusal(play.login(seconds{0}, request), 400, "invalid_request", why);
  }
}

TEST(LoginHost, TakesAnEncodedGrantAndAContentTypeWithParameters) {
  Play play;
  ServerRequest request{"POST", "/oauth/token?x=1", {}, "grant%5Ftype=client%5fcredentials&x=1"};
  request.headers.add("content-type", "Application/X-WWW-Form-URLencoded; charset=utf-8");
  request.headers.add("Authorization", std::string(kDemo));
  EXPECT_EQ(play.login(seconds{0}, request).status, 200);
}

TEST(LoginHost, RefusesAnotherContentType) {
  Play play;
  ServerRequest request{"POST", "/oauth/token", {}, "grant_type=client_credentials"};
  request.headers.add("Content-Type", "application/json");
  EXPECT_EQ(play.login(seconds{0}, request).status, 400);
}

TEST(LoginHost, RefusesAnotherMethodAndPath) {
  Play play;
  auto request = token_request();
  request.method = "GET";
  const auto reply = play.login(seconds{0}, request);
  expect_refusal(reply, 405, "invalid_request", "method not allowed");
  EXPECT_EQ(header(reply, "Allow"), "POST");
  EXPECT_EQ(play.login(seconds{0}, {"GET", "/", {}, ""}).status, 404);
  EXPECT_EQ(play.stats()["token_requests"]["total"], 0) << "a look is no token request";
  EXPECT_EQ(play.stats()["other_requests"], 2);
}

TEST(LoginHost, ReadsAClientsRequestAsItWasSent) {
  Play play;
  HttpRequest sent;
  sent.method = "POST";
  sent.url = "http://127.0.0.1:1234/oauth/token";
  sent.headers.add("Content-Type", "application/x-www-form-urlencoded");
  sent.authorization = Secret(kDemo);
  sent.body = Secret("grant_type=client_credentials");
  EXPECT_EQ(play.login(seconds{0}, as_received(sent)).status, 200);
}

TEST(LoginHost, CountsByOutcome) {
  Play play;
  play.login(seconds{0});
  play.login(seconds{0});
  play.login(seconds{0}, token_request(basic("nobody:x")));
  const auto stats = play.stats()["token_requests"];
  EXPECT_EQ(stats["total"], 3);
  EXPECT_EQ(stats["by_outcome"], (json{{"issued", 2}, {"client_not_found", 1}}));
}

}  // namespace
}  // namespace skewguard::emulator
