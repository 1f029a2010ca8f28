#include <gtest/gtest.h>

#include <string>

#include "fixture.hpp"

namespace skewguard::emulator {
namespace {

/// An API error after docs/platform.md 2.2.
void expect_error(const Reply& reply, int status, const std::string& code,
                  const std::string& message) {
  EXPECT_EQ(reply.status, status);
  const auto body = json::parse(reply.body);
  EXPECT_EQ(body.at("code"), code);
  EXPECT_EQ(body.at("message"), message);
  EXPECT_EQ(body.at("status"), status);
  EXPECT_EQ(body.at("contextId"), header(reply, "ININ-Correlation-Id"));
  EXPECT_EQ(header(reply, "Content-Type"), "application/json");
}

void expect_bad_credentials(const Reply& reply) {
  expect_error(reply, 401, "bad.credentials", "Invalid login credentials.");
}

CloudOptions skewed(Duration login, Duration api, bool strict = false) {
  CloudOptions options;
  options.login_clock.offset = login;
  options.api_clocks = {{.offset = api}};
  options.settings.lifetime = seconds{300};
  options.settings.strict_nbf = strict;
  return options;
}

TEST(ApiHost, NamesTheClientThatATokenBelongsTo) {
  Play play;
  const auto reply = play.get(seconds{1}, play.token(seconds{0}));
  EXPECT_EQ(reply.status, 200);
  const auto body = json::parse(reply.body);
  EXPECT_EQ(body.at("OAuthClient").at("name"), "demo");
  EXPECT_EQ(body.at("organization").at("name"), "Emulated Organization");
  EXPECT_EQ(body.at("organization").at("id").get<std::string>().size(), 36U);
}

TEST(ApiHost, WantsABearerToken) {
  Play play;
  for (const auto* field : {"", "Bearer", "Bearer ", "Basic ZGVtbzpkZW1v", "Bearertoken"}) {
    ServerRequest request{"GET", "/api/v2/tokens/me", {}, ""};
    if (*field != '\0') request.headers.add("Authorization", field);
    expect_error(play.cloud.handle_api(request, at(seconds{0})), 401, "authentication.required",
                 "No authentication bearer token specified in authorization header.");
  }
}

TEST(ApiHost, RefusesATokenItDoesNotKnow) {
  Play play;
  expect_bad_credentials(play.get(seconds{0}, "made-up"));
  expect_bad_credentials(play.get(seconds{0}, std::string(64 * 1024, 'x')));
  EXPECT_EQ(play.stats()["api_requests"]["by_outcome"]["unknown_token"], 2);
}

// ---------------------------------------------------------------------------------- whose clock

TEST(ApiHost, ExpiresATokenAtTheSecondItEndsByItsOwnClock) {
  Play play(skewed(seconds{0}, seconds{0}));
  const auto token = play.token(milliseconds{700});  // begins at 0
  EXPECT_EQ(play.get(milliseconds{299'999}, token).status, 200);
  const auto reply = play.get(seconds{300}, token);
  expect_bad_credentials(reply);
  EXPECT_EQ(header(reply, "Date"), "Thu, 01 Jan 2026 00:05:00 GMT");
  EXPECT_EQ(play.stats()["api_requests"]["by_outcome"]["expired"], 1);
}

TEST(ApiHost, AnApiThatLeadsEndsTokensThatMuchEarlier) {
  Play play(skewed(seconds{0}, seconds{120}));
  const auto token = play.token(seconds{0});
  EXPECT_EQ(play.get(milliseconds{179'999}, token).status, 200);
  expect_bad_credentials(play.get(seconds{180}, token));
}

TEST(ApiHost, AnIssuerBehindByMoreThanALifetimeMakesTokensThatAreDeadAtOnce) {
  Play play(skewed(seconds{-301}, seconds{0}));
  expect_bad_credentials(play.get(seconds{0}, play.token(seconds{0})));
}

TEST(ApiHost, RefusesTokensThatAreNotValidYetOnlyIfStrict) {
  for (const auto format : {TokenFormat::opaque, TokenFormat::jwt}) {
    auto options = skewed(seconds{5}, seconds{0}, true);
    options.settings.token = format;
    Play play(options);
    const auto token = play.token(milliseconds{300});  // begins at 5
    expect_bad_credentials(play.get(milliseconds{4999}, token));
    EXPECT_EQ(play.get(seconds{5}, token).status, 200);
    play.cloud.settings().strict_nbf = false;
    EXPECT_EQ(play.get(seconds{1}, token).status, 200);
  }
}

TEST(ApiHost, RefusesATokenBeforeTheTimesThatItChecks) {  // C24
  auto options = skewed(seconds{15}, seconds{0});
  options.settings.nbf_offset = -seconds{10};
  const auto valid_from = [&](Duration begin) {
    Play play(options);
    const auto token = play.token(seconds{0});  // nbf 5, iat 15
    return play.get(begin - milliseconds{1}, token).status == 401 &&
           play.get(begin, token).status == 200;
  };
  options.settings.strict_nbf = true;
  EXPECT_TRUE(valid_from(seconds{5}));
  options.settings.strict_iat = true;
  EXPECT_TRUE(valid_from(seconds{15}));
  options.settings.strict_nbf = false;
  EXPECT_TRUE(valid_from(seconds{15}));
}

TEST(ApiHost, BothClocksWrongAlikeChangeNothing) {
  Play play(skewed(seconds{-600}, seconds{-600}, true));
  const auto token = play.token(seconds{0});
  EXPECT_EQ(play.get(seconds{0}, token).status, 200);
  EXPECT_EQ(play.get(milliseconds{299'999}, token).status, 200);
  expect_bad_credentials(play.get(seconds{300}, token));
}

TEST(ApiHost, BackendsTakeTurnsEachWithItsOwnClock) {
  auto options = skewed(seconds{0}, seconds{0});
  options.api_clocks = {
      {.offset = seconds{0}}, {.offset = milliseconds{400}}, {.offset = seconds{-3}}};
  Play play(options);
  const auto token = play.token(seconds{10});
  const auto when = milliseconds{10'700};
  EXPECT_EQ(header(play.get(when, token), "Date"), "Thu, 01 Jan 2026 00:00:10 GMT");
  EXPECT_EQ(header(play.get(when, token), "Date"), "Thu, 01 Jan 2026 00:00:11 GMT");
  EXPECT_EQ(header(play.get(when, token), "Date"), "Thu, 01 Jan 2026 00:00:07 GMT");
  EXPECT_EQ(header(play.get(when, token), "Date"), "Thu, 01 Jan 2026 00:00:10 GMT");
  EXPECT_EQ(play.stats()["api_requests"]["by_backend"], (json{{"0", 2}, {"1", 1}, {"2", 1}}));
}

TEST(ApiHost, OneConnectionStaysWithOneBackendIfSoAsked) {
  auto options = skewed(seconds{0}, seconds{0});
  options.api_clocks = {{.offset = seconds{0}}, {.offset = seconds{-3}}};
  options.settings.choice = BackendChoice::per_connection;
  Play play(options);
  auto request = api_request("GET", "/api/v2/tokens/me", play.token(seconds{10}));
  request.connection = 1;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(header(play.cloud.handle_api(request, at(seconds{10})), "Date"),
              "Thu, 01 Jan 2026 00:00:07 GMT");
  }
}

TEST(ApiHost, ALaggingBackendAloneRefusesABrandNewToken) {  // C15
  auto options = skewed(seconds{0}, seconds{0}, true);
  options.api_clocks = {{.offset = seconds{0}}, {.offset = seconds{-1}}};
  Play play(options);
  const auto token = play.token(milliseconds{10'500});
  EXPECT_EQ(play.get(milliseconds{10'600}, token).status, 200);
  EXPECT_EQ(play.get(milliseconds{10'600}, token).status, 401);
  play.get(seconds{11}, token);
  EXPECT_EQ(play.get(seconds{11}, token).status, 200);
}

// ------------------------------------------------------------------------------------ endpoints

TEST(ApiHost, HeadHasTheStatusOfGetAndNoBody) {
  Play play;
  const auto token = play.token(seconds{0});
  const auto good =
      play.cloud.handle_api(api_request("HEAD", "/api/v2/tokens/me", token), at(seconds{0}));
  EXPECT_EQ(good.status, 200);
  EXPECT_EQ(good.body, "");
  const auto bad =
      play.cloud.handle_api(api_request("HEAD", "/api/v2/tokens/me", "x"), at(seconds{0}));
  EXPECT_EQ(bad.status, 401);
  EXPECT_EQ(bad.body, "");
}

TEST(ApiHost, DeleteRevokesThatTokenAlone) {
  Play play;
  const auto one = play.token(seconds{0});
  const auto other = play.token(seconds{0});
  const auto reply =
      play.cloud.handle_api(api_request("DELETE", "/api/v2/tokens/me", one), at(seconds{0}));
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.body, "");
  expect_bad_credentials(play.get(seconds{0}, one));
  EXPECT_EQ(play.get(seconds{0}, other).status, 200);
}

TEST(ApiHost, UsersMeNeedsAUserContext) {
  Play play;
  const auto token = play.token(seconds{0});
  EXPECT_EQ(play.get(seconds{0}, token, "/api/v2/users/me").status, 400);
  play.cloud.clients().find("demo")->user = "Ada Lovelace";
  const auto reply = play.get(seconds{0}, token, "/api/v2/users/me");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(json::parse(reply.body).at("name"), "Ada Lovelace");
}

TEST(ApiHost, NamesTheOrganization) {
  Play play;
  const auto reply = play.get(seconds{0}, play.token(seconds{0}), "/api/v2/organizations/me");
  EXPECT_EQ(json::parse(reply.body).at("name"), "Emulated Organization");
}

TEST(ApiHost, PagesThroughUsers) {
  Play play;
  const auto token = play.token(seconds{0});
  const auto first = json::parse(play.get(seconds{0}, token, "/api/v2/users?pageSize=25").body);
  EXPECT_EQ(first.at("entities").size(), 25U);
  EXPECT_EQ(first.at("total"), 60);
  EXPECT_EQ(first.at("pageCount"), 3);
  EXPECT_EQ(first.at("pageNumber"), 1);
  EXPECT_EQ(first.at("nextUri"), "/api/v2/users?pageSize=25&pageNumber=2");
  EXPECT_FALSE(first.contains("previousUri"));
  const auto last =
      json::parse(play.get(seconds{0}, token, "/api/v2/users?pageSize=25&pageNumber=3").body);
  EXPECT_EQ(last.at("entities").size(), 10U);
  EXPECT_EQ(last.at("previousUri"), "/api/v2/users?pageSize=25&pageNumber=2");
  EXPECT_FALSE(last.contains("nextUri"));
  const auto beyond = json::parse(play.get(seconds{0}, token, "/api/v2/users?pageNumber=4").body);
  EXPECT_EQ(beyond.at("entities").size(), 0U);
}

TEST(ApiHost, EveryUserIsOnOnePage) {
  Play play;
  const auto token = play.token(seconds{0});
  std::set<std::string> ids;
  std::string uri = "/api/v2/users?pageSize=7";
  for (int pages = 0; !uri.empty() && pages < 20; ++pages) {
    const auto page = json::parse(play.get(seconds{0}, token, uri).body);
    for (const auto& user : page.at("entities")) ids.insert(user.at("id"));
    uri = page.value("nextUri", "");
  }
  EXPECT_EQ(ids.size(), 60U);
}

TEST(ApiHost, RefusesInvalidPages) {
  Play play;
  const auto token = play.token(seconds{0});
  for (const auto* query : {"pageSize=0", "pageSize=101", "pageSize=-1", "pageSize=x",
                            "pageSize=", "pageSize=1&pageSize=2", "pageNumber=0", "pageNumber=1.5",
                            "pageNumber=99999999999999999999", "pageSize=%31%"}) {
    const auto reply = play.get(seconds{0}, token, std::string("/api/v2/users?") + query);
    EXPECT_EQ(reply.status, 400) << query;
  }
  EXPECT_EQ(play.get(seconds{0}, token, "/api/v2/users?pageSize=%31%30&pageNumber=6").status, 200);
}

ServerRequest query_of(const std::string& token, std::string body,
                       std::string type = "application/json") {
  auto request = api_request("POST", "/api/v2/analytics/conversations/details/query", token);
  request.headers.add("Content-Type", std::move(type));
  request.body = std::move(body);
  return request;
}

TEST(ApiHost, ProvesThatABodyArrivedByteForByte) {
  Play play;
  const auto token = play.token(seconds{0});
  const auto reply = play.cloud.handle_api(query_of(token, "{}"), at(seconds{0}));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(header(reply, "X-Emulator-Body-Length"), "2");
  EXPECT_EQ(header(reply, "X-Emulator-Body-Sha256"),
            "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");  // sha256 of "{}"
  const auto last = play.stats()["recent"].back();
  EXPECT_EQ(last["body_length"], 2);
  EXPECT_EQ(last["body_sha256"], header(reply, "X-Emulator-Body-Sha256"));
}

TEST(ApiHost, WantsAJsonObjectInAQuery) {
  Play play;
  const auto token = play.token(seconds{0});
  const auto ask = [&](std::string body, std::string type) {
    return play.cloud.handle_api(query_of(token, std::move(body), std::move(type)), at(seconds{0}))
        .status;
  };
  EXPECT_EQ(ask("{}", "text/plain"), 415);
  EXPECT_EQ(ask("{}", "application/json; charset=utf-8"), 200);
  for (const auto* body : {"", "[]", "{", "null", "{\"a\":1}x"})
    EXPECT_EQ(ask(body, "application/json"), 400) << body;
  EXPECT_EQ(ask(std::string(50'000, '['), "application/json"), 400);
}

TEST(ApiHost, NamesTheMissingPermission) {
  Play play;
  const auto token = play.token(seconds{0});
  expect_error(play.get(seconds{0}, token, "/api/v2/authorization/roles"), 403,
               "missing.permissions",
               "Unable to perform the requested action. You are missing the following "
               "permission(s): authorization:role:view");
  play.cloud.clients().find("demo")->permissions = {"authorization:role:view"};
  EXPECT_EQ(play.get(seconds{0}, token, "/api/v2/authorization/roles").status, 200);
}

TEST(ApiHost, KnowsWhatItDoesNotHave) {
  Play play;
  const auto token = play.token(seconds{0});
  expect_error(play.get(seconds{0}, token, "/api/v2/nothing"), 404, "not.found",
               "The requested resource was not found.");
  const auto reply =
      play.cloud.handle_api(api_request("PUT", "/api/v2/tokens/me", token), at(seconds{0}));
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(header(reply, "Allow"), "GET, HEAD, DELETE");
}

TEST(ApiHost, TakesAnAbsoluteTarget) {
  Play play;
  EXPECT_EQ(play.get(seconds{0}, play.token(seconds{0}), "http://h:1/api/v2/tokens/me?x=1").status,
            200);
}

TEST(ApiHost, ADisabledClientsTokensAreInvalid) {
  Play play;
  const auto token = play.token(seconds{0});
  play.cloud.clients().find("demo")->disabled = true;
  expect_bad_credentials(play.get(seconds{0}, token));
  play.cloud.clients().find("demo")->disabled = false;
  EXPECT_EQ(play.get(seconds{0}, token).status, 200);
}

TEST(ApiHost, CountsByStatusAndByToken) {
  Play play(skewed(seconds{0}, seconds{0}));
  const auto token = play.token(seconds{0});
  play.get(seconds{1}, token);
  play.get(seconds{2}, token);
  play.get(seconds{400}, token);
  const auto stats = play.stats();
  EXPECT_EQ(stats["api_requests"]["by_status"], (json{{"200", 2}, {"401", 1}}));
  ASSERT_EQ(stats["tokens"].size(), 1U);
  EXPECT_EQ(stats["tokens"][0]["n"], 1);
  EXPECT_EQ(stats["tokens"][0]["begins_s"], kStart);
  EXPECT_EQ(stats["tokens"][0]["ends_s"], kStart + 300);
  EXPECT_EQ(stats["tokens"][0]["answers"], (json{{"200", 2}, {"401", 1}}));
  EXPECT_EQ(stats["recent"].back()["token"], 1);
  EXPECT_EQ(stats["recent"].back()["at_s"], 400);
  EXPECT_EQ(stats["recent"].back()["date"], kStart + 400);
}

TEST(ApiHost, StatsHoldNoToken) {
  Play play;
  const auto token = play.token(seconds{0});
  play.get(seconds{0}, token, "/api/v2/users?access_token=" + token);
  EXPECT_EQ(play.control(seconds{0}, "GET", "/emulator/stats").body.find(token), std::string::npos);
}

TEST(ApiHost, KeepsOnlyTheLastRequests) {
  Play play;
  const auto token = play.token(seconds{0});
  for (std::size_t i = 0; i < Stats::kRecent + 5; ++i)
    play.get(seconds{0}, token, "/" + std::string(1000, 'x'));
  const auto recent = play.stats()["recent"];
  EXPECT_EQ(recent.size(), Stats::kRecent);
  EXPECT_EQ(recent.back()["n"], Stats::kRecent + 6);
  EXPECT_EQ(recent.back()["path"].get<std::string>().size(), 200U);
}

}  // namespace
}  // namespace skewguard::emulator
