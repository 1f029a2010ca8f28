#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "fixture.hpp"

namespace skewguard::emulator {
namespace {

CloudOptions short_lived() {
  CloudOptions options;
  options.settings.lifetime = seconds{300};
  return options;
}

void expect_ok(const Reply& reply) {
  EXPECT_EQ(reply.status, 200) << reply.body;
}

void expect_complaint(const Reply& reply, const std::string& beginning) {
  EXPECT_EQ(reply.status, 400);
  const auto error = json::parse(reply.body).at("error").get<std::string>();
  EXPECT_TRUE(error.starts_with(beginning)) << error;
}

std::string login_date(Play& play, Duration when) {
  return header(play.login(when), "Date");
}

TEST(Control, SetsAClock) {
  Play play;
  expect_ok(play.control(seconds{10}, "POST", "/emulator/clock",
                         R"({"host":"login","offset":"-1.5s","drift_ppm":1000})"));
  const auto state = json::parse(play.control(seconds{1010}, "GET", "/emulator/state").body);
  EXPECT_EQ(state["login"]["clock"]["offset_s"], -0.5);  // 1000 s * 1000 ppm later
  EXPECT_EQ(state["login"]["clock"]["drift_ppm"], 1000);
  EXPECT_EQ(state["api"]["backends"][0]["offset_s"], 0);
}

TEST(Control, StepsAClockAtOnceAndLater) {
  Play play;
  expect_ok(play.control(seconds{0}, "POST", "/emulator/clock", R"({"host":"login","step":30})"));
  EXPECT_EQ(login_date(play, seconds{0}), "Thu, 01 Jan 2026 00:00:30 GMT");
  expect_ok(play.control(seconds{0}, "POST", "/emulator/clock",
                         R"({"host":"login","step":"-30s","after":"10s"})"));
  EXPECT_EQ(login_date(play, milliseconds{9999}), "Thu, 01 Jan 2026 00:00:39 GMT");
  EXPECT_EQ(login_date(play, seconds{10}), "Thu, 01 Jan 2026 00:00:10 GMT");
}

TEST(Control, SetsOneBackendsClockOrAllOfThem) {
  CloudOptions options;
  options.api_clocks = {{}, {}};
  Play play(options);
  expect_ok(play.control(seconds{0}, "POST", "/emulator/clock",
                         R"({"host":"api","backend":1,"offset":7})"));
  EXPECT_EQ(play.cloud.api_clocks()[0].offset(at(seconds{0}).boot), seconds{0});
  EXPECT_EQ(play.cloud.api_clocks()[1].offset(at(seconds{0}).boot), seconds{7});
  expect_ok(play.control(seconds{0}, "POST", "/emulator/clock", R"({"host":"api","step":1})"));
  EXPECT_EQ(play.cloud.api_clocks()[0].offset(at(seconds{0}).boot), seconds{1});
  EXPECT_EQ(play.cloud.api_clocks()[1].offset(at(seconds{0}).boot), seconds{8});
}

TEST(Control, NamesTheFieldThatIsWrong) {
  Play play;
  const std::pair<const char*, const char*> cases[] = {
      {R"({"offset":1})", "field 'host': is missing"},
      {R"({"host":"proxy","offset":1})", "field 'host': must be"},
      {R"({"host":"api"})", "field 'offset': or 'drift_ppm'"},
      {R"({"host":"api","offset":"soon"})", "field 'offset': must be a duration"},
      {R"({"host":"api","offset":true})", "field 'offset': must be a duration"},
      {R"({"host":"api","offset":1e300})", "field 'offset': must be a duration"},
      {R"({"host":"api","offset":1,"backend":1})", "field 'backend': must be a whole number"},
      {R"({"host":"api","offset":1,"backend":-1})", "field 'backend': must be a whole number"},
      {R"({"host":"login","offset":1,"backend":0})", "field 'backend': the login host has none"},
      {R"({"host":"api","drift_ppm":1e9})", "field 'drift_ppm': must be a number from -500000"},
      {R"({"host":"api","offset":1,"after":1})", "field 'after': needs 'step'"},
      {R"({"host":"api","step":1,"after":-1})", "field 'after': must be between"},
      {R"({"host":"api","offset":1,"skew":2})", "field 'skew': not known here"},
      {R"([])", "the body is not a JSON object"},
      {R"({"host":)", "the body is not JSON"},
  };
  for (const auto& [body, why] : cases)
    expect_complaint(play.control(seconds{0}, "POST", "/emulator/clock", body), why);
}

TEST(Control, ARequestThatIsWrongChangesNothing) {
  Play play;
  const auto before = play.control(seconds{0}, "GET", "/emulator/state").body;
  for (const auto& [path, body] : {std::pair{"clock", R"({"host":"api","offset":5,"step":"x"})"},
                                   {"token", R"({"lifetime":5,"format":"saml"})"},
                                   {"latency", R"({"up":1,"down":-1})"},
                                   {"client", R"({"id":"demo","disabled":true,"secret":""})"},
                                   {"backends", R"({"add":[1,"x"]})"},
                                   {"backends", R"({"remove":0})"},
                                   {"permission", R"({"path":"/api/v2/users","permission":1})"}}) {
    EXPECT_EQ(play.control(seconds{0}, "POST", std::string("/emulator/") + path, body).status, 400)
        << body;
  }
  EXPECT_EQ(play.control(seconds{0}, "GET", "/emulator/state").body, before);
}

TEST(Control, AddsRemovesAndPinsBackends) {
  Play play(short_lived());
  expect_ok(play.control(seconds{0}, "POST", "/emulator/backends",
                         R"({"add":["-3s",{"offset":"400ms","drift_ppm":5}],"pin":1})"));
  EXPECT_EQ(play.cloud.api_clocks().size(), 3U);
  const auto token = play.token(seconds{10});
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(header(play.get(seconds{10}, token), "Date"), "Thu, 01 Jan 2026 00:00:07 GMT");
  expect_ok(play.control(seconds{0}, "POST", "/emulator/backends", R"({"pin":null})"));
  EXPECT_EQ(play.cloud.settings().pinned_backend, std::nullopt);
  expect_ok(play.control(seconds{0}, "POST", "/emulator/backends",
                         R"({"remove":0,"choice":"connection"})"));
  EXPECT_EQ(play.cloud.api_clocks().size(), 2U);
  EXPECT_EQ(play.cloud.api_clocks()[0].offset(at(seconds{0}).boot), seconds{-3});
  EXPECT_EQ(play.cloud.settings().choice, BackendChoice::per_connection);
  EXPECT_EQ(play.cloud.api_clocks()[1].drift_ppm(), 5);
}

TEST(Control, AnAddedBackendKeepsTrueTimeFromTheStart) {
  Play play;
  expect_ok(play.control(seconds{100}, "POST", "/emulator/backends", R"({"add":[2]})"));
  EXPECT_EQ(play.cloud.api_clocks()[1].reading(at(seconds{200}).boot),
            HostTime{seconds{kStart + 202}});
}

TEST(Control, NamesTheBackendThatIsWrong) {
  Play play;
  expect_complaint(play.control(seconds{0}, "POST", "/emulator/backends", R"({"add":[1,"x"]})"),
                   "field 'add[1]': must be");
  expect_complaint(
      play.control(seconds{0}, "POST", "/emulator/backends", R"({"add":[{"offset":"x"}]})"),
      "field 'add[0].offset': must be");
  expect_complaint(play.control(seconds{0}, "POST", "/emulator/backends", R"({"remove":0})"),
                   "field 'remove': the last backend");
  json many{{"add", json::array()}};
  for (std::size_t i = 0; i < CloudEmulator::kMaxBackends; ++i) many["add"].push_back(0);
  expect_complaint(play.control(seconds{0}, "POST", "/emulator/backends", many.dump()),
                   "field 'add': at most 100");
}

TEST(Control, ChangesFormatLifetimeAndStrictnessOfTokens) {
  Play play;
  expect_ok(
      play.control(seconds{0}, "POST", "/emulator/token",
                   R"({"format":"jwt","lifetime":"1500ms","nbf_offset":"-10s","strict_nbf":true,
                             "strict_iat":true})"));
  const auto body = json::parse(play.login(seconds{0}).body);
  EXPECT_EQ(body["expires_in"], 1.5);
  EXPECT_NE(body["access_token"].get<std::string>().find('.'), std::string::npos);
  const auto state = play.control(seconds{0}, "GET", "/emulator/state");
  const auto rules = json::parse(state.body)["token"];
  EXPECT_EQ(rules["nbf_offset_s"], -10);
  EXPECT_EQ(rules["strict_nbf"], true);
  EXPECT_EQ(rules["strict_iat"], true);
  expect_complaint(play.control(seconds{0}, "POST", "/emulator/token", R"({"lifetime":0})"),
                   "field 'lifetime': must be between");
}

TEST(Control, RevokesOneTokenByValueOrNumberAClientsOrAll) {
  CloudOptions options;
  options.clients = {{"demo", {Secret("demo-secret")}, ""}, {"b", {Secret("x")}, ""}};
  Play play(options);
  std::vector<std::string> tokens;
  tokens.reserve(4);
  for (int i = 0; i < 4; ++i) tokens.push_back(play.token(seconds{0}));
  const auto revoke = [&](const std::string& body) {
    return json::parse(play.control(seconds{0}, "POST", "/emulator/revoke", body).body);
  };
  EXPECT_EQ(revoke(json{{"token", tokens[0]}}.dump())["revoked"], 1);
  EXPECT_EQ(play.get(seconds{0}, tokens[0]).status, 401);
  EXPECT_EQ(revoke(R"({"n":2})")["revoked"], 1);
  EXPECT_EQ(play.get(seconds{0}, tokens[1]).status, 401);
  EXPECT_EQ(play.get(seconds{0}, tokens[2]).status, 200);
  EXPECT_EQ(revoke(R"({"client":"b"})")["revoked"], 0);
  EXPECT_EQ(revoke(R"({"all":true})")["revoked"], 2);
  EXPECT_EQ(play.get(seconds{0}, tokens[3]).status, 401);
  EXPECT_EQ(play.stats()["api_requests"]["by_outcome"]["revoked"], 3);
  EXPECT_EQ(play.get(seconds{0}, play.token(seconds{0})).status, 200);
}

TEST(Control, RefusesToRevokeAMissingToken) {
  Play play;
  for (const auto& [body, why] : {std::pair{"{}", "field 'all'"},
                                  {R"({"all":false})", "field 'all'"},
                                  {R"({"n":1})", "field 'n'"},
                                  {R"({"n":0})", "field 'n': no such token"},
                                  {R"({"token":"x"})", "field 'token': no such token"},
                                  {R"({"client":"x"})", "field 'client': no such client"},
                                  {R"({"all":true,"client":"demo"})", "field 'all'"}})
    expect_complaint(play.control(seconds{0}, "POST", "/emulator/revoke", body), why);
}

TEST(Control, RotatesASecretAtOnceOrWithAnOverlap) {
  Play play;
  expect_ok(
      play.control(seconds{0}, "POST", "/emulator/client", R"({"id":"demo","add_secret":"next"})"));
  EXPECT_EQ(play.login(seconds{0}).status, 200);
  expect_ok(play.control(seconds{0}, "POST", "/emulator/client",
                         R"({"id":"demo","remove_secret":"demo-secret"})"));
  EXPECT_EQ(play.login(seconds{0}).status, 401);
  expect_ok(play.control(seconds{0}, "POST", "/emulator/client",
                         R"({"id":"demo","secret":"demo-secret"})"));
  EXPECT_EQ(play.login(seconds{0}).status, 200);
  EXPECT_EQ(play.cloud.clients().find("demo")->secrets.size(), 1U);
}

TEST(Control, ChangesAndMakesClients) {
  Play play;
  expect_ok(play.control(seconds{0}, "POST", "/emulator/client",
                         R"({"id":"demo","disabled":true,"user":"Ada","lifetime":"10s",
                             "permissions":["a:b:c"]})"));
  auto* demo = play.cloud.clients().find("demo");
  EXPECT_TRUE(demo->disabled);
  EXPECT_EQ(demo->user, "Ada");
  EXPECT_EQ(demo->lifetime, Duration{seconds{10}});
  EXPECT_TRUE(demo->permissions.contains("a:b:c"));
  expect_ok(play.control(seconds{0}, "POST", "/emulator/client",
                         R"({"id":"demo","disabled":false,"lifetime":null})"));
  EXPECT_EQ(json::parse(play.login(seconds{0}).body)["expires_in"], 86400);
  expect_ok(play.control(seconds{0}, "POST", "/emulator/client", R"({"id":"n","secret":"s"})"));
  EXPECT_NE(play.cloud.clients().find("n"), nullptr);
  expect_complaint(play.control(seconds{0}, "POST", "/emulator/client", R"({"id":"m"})"),
                   "field 'secret'");
  expect_complaint(
      play.control(seconds{0}, "POST", "/emulator/client", R"({"id":"a:b","secret":"s"})"),
      "field 'id'");
}

TEST(Control, StateAndStatsHoldNoSecret) {
  Play play;
  play.login(seconds{0});
  for (const auto* path : {"/emulator/state", "/emulator/stats"})
    EXPECT_EQ(play.control(seconds{0}, "GET", path).body.find("demo-secret"), std::string::npos);
}

TEST(Control, SetsDelaysOfEachHostAndWay) {
  Play play;
  expect_ok(play.control(seconds{0}, "POST", "/emulator/latency", R"({"up":"20ms","down":0.005})"));
  expect_ok(play.control(seconds{0}, "POST", "/emulator/latency", R"({"host":"api","up":"1s"})"));
  EXPECT_EQ(play.cloud.delays(Host::login).up, milliseconds{20});
  EXPECT_EQ(play.cloud.delays(Host::login).down, milliseconds{5});
  EXPECT_EQ(play.cloud.delays(Host::api).up, seconds{1});
  EXPECT_EQ(play.cloud.delays(Host::api).down, milliseconds{5});
}

TEST(Control, RequiresPermissionsIfConfigured) {
  Play play;
  const auto token = play.token(seconds{0});
  expect_ok(play.control(seconds{0}, "POST", "/emulator/permission",
                         R"({"path":"/api/v2/users","permission":"directory:user:view"})"));
  EXPECT_EQ(play.get(seconds{0}, token, "/api/v2/users?pageSize=1").status, 403);
  expect_ok(play.control(seconds{0}, "POST", "/emulator/permission",
                         R"({"path":"/api/v2/users","permission":null})"));
  EXPECT_EQ(play.get(seconds{0}, token, "/api/v2/users?pageSize=1").status, 200);
}

TEST(Control, ReportsTheTruthOfEachFailedAnswerByItsCorrelationId) {
  Play play;
  const auto token = play.token(seconds{0});
  EXPECT_EQ(play.get(seconds{0}, token).status, 200);
  expect_ok(play.control(seconds{0}, "POST", "/emulator/revoke", R"({"all":true})"));
  const auto refused = play.get(seconds{1}, token);
  const auto failed = play.stats()["failed"];
  ASSERT_EQ(failed.size(), 1U);
  EXPECT_EQ(failed[0]["outcome"], "revoked");
  EXPECT_EQ(failed[0]["correlation_id"], header(refused, "ININ-Correlation-Id"));
  EXPECT_EQ(failed[0]["ended_early"], false);
}

TEST(Control, DistinguishesAnExpiryCausedByTheClocksFromOneCausedByTime) {
  CloudOptions options;
  options.settings.lifetime = seconds{100};
  Play play(options);
  const auto token = play.token(seconds{0});
  EXPECT_EQ(play.get(seconds{101}, token).status, 401);
  expect_ok(play.control(seconds{101}, "POST", "/emulator/clock", R"({"host":"api","step":60})"));
  const auto next = play.token(seconds{101});
  EXPECT_EQ(play.get(seconds{151}, next).status, 401);
  const auto failed = play.stats()["failed"];
  EXPECT_EQ(failed[0]["ended_early"], false);
  EXPECT_EQ(failed[1]["outcome"], "expired");
  EXPECT_EQ(failed[1]["ended_early"], true);
}

TEST(Control, ResetsTheCountersAndKeepsTheTokens) {
  Play play;
  const auto token = play.token(seconds{0});
  expect_ok(play.control(seconds{0}, "POST", "/emulator/stats/reset"));
  const auto stats = play.stats();
  EXPECT_EQ(stats["token_requests"]["total"], 0);
  EXPECT_EQ(stats["recent"].size(), 0U);
  EXPECT_EQ(play.get(seconds{0}, token).status, 200);
}

TEST(Control, IsNotCounted) {
  Play play;
  const auto before = play.stats();
  play.control(seconds{0}, "POST", "/emulator/clock", "{}");
  EXPECT_EQ(play.stats(), before);
}

TEST(Control, Quits) {
  Play play;
  const auto reply = play.control(seconds{0}, "POST", "/emulator/quit");
  expect_ok(reply);
  EXPECT_TRUE(reply.quit);
  EXPECT_FALSE(play.control(seconds{0}, "POST", "/emulator/quit", "{\"x\":1}").quit);
}

TEST(Control, SaysWhichMethodAndPathItHas) {
  Play play;
  const auto reply = play.control(seconds{0}, "GET", "/emulator/clock");
  EXPECT_EQ(reply.status, 405);
  EXPECT_EQ(header(reply, "Allow"), "POST");
  EXPECT_EQ(play.control(seconds{0}, "GET", "/emulator/nothing").status, 404);
}

TEST(Control, IsFoundUnderItsPrefixAlone) {
  const auto is = [](std::string target) {
    return CloudEmulator::is_control({"GET", std::move(target), {}, ""});
  };
  EXPECT_TRUE(is("/emulator/stats"));
  EXPECT_TRUE(is("/emulator/stats?x=%"));
  EXPECT_TRUE(is("http://h/emulator/stats"));
  EXPECT_FALSE(is("/emulators/stats"));
  EXPECT_FALSE(is("/oauth/token?/emulator/"));
}

std::string guide() {
  const std::ifstream file(EMULATOR_GUIDE_FILE);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(Guide, NamesControlRequestsThatAreThere) {
  const std::string text = guide();
  const std::regex request("`(GET|POST) (/emulator/[a-z/]+)`");
  std::set<std::string> seen;
  for (std::sregex_iterator it(text.begin(), text.end(), request), end; it != end; ++it) {
    seen.insert((*it)[0]);
    Play play;
    const auto status = play.control(seconds{0}, (*it)[1], (*it)[2]).status;
    EXPECT_TRUE(status == 200 || status == 400) << (*it)[0] << ": " << status;
  }
  EXPECT_EQ(seen.size(), 14U);
}

}  // namespace
}  // namespace skewguard::emulator
