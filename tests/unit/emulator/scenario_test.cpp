#include "emulator/scenario.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "fixture.hpp"

namespace skewguard::emulator {
namespace {

constexpr std::string_view kHead = "id = \"X\"\ntitle = \"t\"\nabout = \"a\"\n";

Result<Scenario> parse(const std::string& rest) {
  return parse_scenario(std::string(kHead) + rest, "x.toml");
}

std::string complaint(const std::string& rest) {
  const auto scenario = parse(rest);
  return scenario ? "none" : scenario.error().message;
}

constexpr std::string_view kWhole = R"(
    id = "C3"
    title = "login host ahead"
    about = "Tokens begin in the API host's future."
    [servers]
    login_offset = "3s"
    api_offset = -1.5
    api_backends = ["0s", "400ms", 2]
    backend_choice = "connection"
    login_drift = 200
    token = "jwt"
    lifetime = "6s"
    nbf_offset = "-10s"
    strict_nbf = true
    strict_iat = true
    user = "Ada"
    latency = "15ms/5ms"
    [[event]]
    at = "20s"
    order = "clock"
    host = "api"
    step = "30s"
    [[event]]
    at = "5s"
    order = "local"
    wall_step = "-1h"
    [[event]]
    at = 10
    order = "fault"
    host = "login"
    status = 503
    times = 2
    [client]
    calls = 30
    every = "500ms"
    wall_offset = "-600s"
    callers = 4
    [expect]
    verdicts = ["issuer_clock_ahead", "token_expired"]
    failures = 0
    most_token_requests = 3
    exit_code = 0
  )";

TEST(Scenario, IsReadWhole) {
  const auto scenario = parse_scenario(kWhole, "c3.toml");
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->id, "C3");
  EXPECT_EQ(scenario->title, "login host ahead");
  EXPECT_EQ(scenario->about, "Tokens begin in the API host's future.");
  const auto& servers = scenario->servers;
  EXPECT_EQ(servers.login_offset, seconds{3});
  EXPECT_EQ(servers.api_offset, milliseconds{-1500});
  EXPECT_EQ(servers.api_backends,
            (std::vector<Duration>{seconds{0}, milliseconds{400}, seconds{2}}));
  EXPECT_EQ(servers.backend_choice, BackendChoice::per_connection);
  EXPECT_EQ(servers.login_drift_ppm, 200);
  EXPECT_EQ(servers.token, TokenFormat::jwt);
  EXPECT_EQ(servers.lifetime, seconds{6});
  EXPECT_EQ(servers.nbf_offset, -seconds{10});
  EXPECT_TRUE(servers.strict_nbf);
  EXPECT_TRUE(servers.strict_iat);
  EXPECT_EQ(servers.user, "Ada");
  EXPECT_EQ(servers.latency.up, milliseconds{15});
  ASSERT_EQ(scenario->events.size(), 2U);
  EXPECT_EQ(scenario->events[0].order, "fault");  // by time
  EXPECT_EQ(json::parse(scenario->events[0].fields),
            (json{{"host", "login"}, {"status", 503}, {"times", 2}}));
  EXPECT_EQ(scenario->events[1].at, seconds{20});
  ASSERT_EQ(scenario->locals.size(), 1U);
  EXPECT_EQ(scenario->locals[0].at, seconds{5});
  EXPECT_EQ(scenario->locals[0].wall_step, Duration{std::chrono::hours{-1}});
  EXPECT_EQ(scenario->client.calls, 30U);
  EXPECT_EQ(scenario->client.every, milliseconds{500});
  EXPECT_EQ(scenario->client.wall_offset, seconds{-600});
  EXPECT_EQ(scenario->client.callers, 4U);
  EXPECT_EQ(scenario->expect.verdicts,
            (std::vector{Verdict::issuer_clock_ahead, Verdict::token_expired}));
  EXPECT_EQ(scenario->expect.failures, 0U);
  EXPECT_EQ(scenario->expect.most_token_requests, 3U);
  EXPECT_EQ(scenario->expect.exit_code, 0);
}

TEST(Scenario, NeedsNoMoreThanItsName) {
  const auto scenario = parse("");
  ASSERT_TRUE(scenario) << scenario.error().message;
  EXPECT_EQ(scenario->servers.lifetime, std::chrono::hours{24});
  EXPECT_TRUE(scenario->events.empty());
  EXPECT_EQ(scenario->expect.failures, std::nullopt);
}

TEST(Scenario, NamesFileLineAndField) {
  const std::pair<const char*, const char*> cases[] = {
      {"[servers]\nlogin_offset = \"soon\"", "x.toml:5: field 'login_offset': must be a duration"},
      {"[servers]\nskew = 1", "x.toml:5: field 'skew': not known here"},
      {"[servers]\n\ntoken = \"saml\"", "x.toml:6: field 'token': --token: must be"},
      {"[servers]\napi_backends = [\"x\"]", "x.toml:5: field 'api_backends': must be an array"},
      {"[servers]\nlifetime = 2020-01-01", "x.toml:5: field 'lifetime': must be a duration"},
      {"[client]\ncalls = 0", "x.toml:5: field 'calls': must not be 0"},
      {"[client]\nevery = -1", "x.toml:5: field 'every': must be between"},
      {"[expect]\nverdicts = [\"guilty\"]", "x.toml:5: field 'verdicts': there is no verdict"},
      {"[expect]\nexit_code = 8", "x.toml:5: field 'exit_code': must be a whole number"},
      {"[servers", "x.toml:4: not TOML"},
      {"servers = 1", "x.toml:4: field 'servers': must be a table"},
      {"event = 1", "x.toml:4: field 'event': must be tables"},
      {"color = 1", "x.toml:4: field 'color': not known here"},
      {"[[event]]\norder = \"clock\"", "x.toml:4: field 'at': is missing"},
      {"[[event]]\nat = 1", "x.toml:4: field 'order': is missing"},
      {"[[event]]\nat = 1\norder = \"local\"", "x.toml:6: field 'order': needs one of"},
      {"[[event]]\nat = 1\norder = \"local\"\nstep = 1\nsuspend = 1",
       "x.toml:7: field 'step': not known here"},
      {"[[event]]\nat = 1\norder = \"quit\"", "x.toml:6: field 'order'"},
      {"[[event]]\nat = 1\norder = \"dance\"", "x.toml:6: field 'order': 'dance': no such"},
      {"[[event]]\nat = 1\norder = \"state\"", "x.toml:6: field 'order': 'state': use GET"},
      {"[[event]]\nat = 1\norder = \"clock\"\nhost = \"api\"\nstep = \"x\"",
       "x.toml:8: field 'step': must be a duration"},
      {"[[event]]\nat = 1\norder = \"fault\"\nhost = \"api\"", "x.toml:4: field 'status': or"},
  };
  for (const auto& [text, why] : cases)
    EXPECT_TRUE(complaint(text).starts_with(why)) << text << "\n" << complaint(text);
  EXPECT_EQ(parse_scenario("title = \"t\"\nabout = \"a\"", "x.toml").error().message,
            "x.toml:1: field 'id': is missing");
}

TEST(Scenario, AnEventMayNeedWhatAnEarlierOneMade) {
  const std::string add = "[[event]]\nat = 1\norder = \"backends\"\nadd = [\"1s\"]\n";
  const std::string step = "[[event]]\nat = 2\norder = \"clock\"\nhost = \"api\"\nbackend = 1\n";
  EXPECT_EQ(complaint(step + "step = 1\n" + add), "none");
  EXPECT_TRUE(complaint(step + "step = 1\n").starts_with("x.toml:8: field 'backend'"));
}

TEST(Scenario, SaysThatThereIsNoSuchFile) {
  const auto scenario = load_scenario("/nonexistent/c3.toml");
  ASSERT_FALSE(scenario);
  EXPECT_EQ(scenario.error().kind, ErrorKind::config);
  EXPECT_NE(scenario.error().message.find("/nonexistent/c3.toml"), std::string::npos);
}

CloudOptions with_events(std::vector<Event> events) {
  CloudOptions options;
  options.events = std::move(events);
  return options;
}

TEST(Events, HappenAtTheirTimeAndOnce) {
  Play play(with_events({{seconds{20}, "clock", R"({"host":"login","step":"30s"})"},
                         {seconds{10}, "token", R"({"lifetime":"5s"})"}}));
  EXPECT_EQ(json::parse(play.login(milliseconds{9999}).body)["expires_in"], 86400);
  EXPECT_EQ(json::parse(play.login(seconds{10}).body)["expires_in"], 5);
  EXPECT_EQ(header(play.login(seconds{19}), "Date"), "Thu, 01 Jan 2026 00:00:19 GMT");
  EXPECT_EQ(header(play.login(seconds{20}), "Date"), "Thu, 01 Jan 2026 00:00:50 GMT");
  EXPECT_EQ(header(play.login(seconds{21}), "Date"), "Thu, 01 Jan 2026 00:00:51 GMT");
  EXPECT_EQ(play.cloud.events_to_come(), 0U);
}

TEST(Events, CountFromTheirOwnTimeThoughNobodyAskedBetween) {
  Play play(with_events({{seconds{10}, "clock", R"({"host":"login","drift_ppm":100000})"},
                         {seconds{20}, "clock", R"({"host":"login","drift_ppm":0})"}}));
  play.cloud.advance(at(seconds{1000}));
  EXPECT_EQ(play.cloud.login_clock().offset(at(seconds{1000}).boot), seconds{1});
}

TEST(Events, OneThatIsRefusedIsReportedInTheState) {
  Play play(with_events({{seconds{1}, "clock", R"({"host":"proxy","step":1})"}}));
  const auto state = json::parse(play.control(seconds{2}, "GET", "/emulator/state").body);
  EXPECT_EQ(state["events"]["to_come"], 0);
  EXPECT_NE(state["events"]["refused"][0].get<std::string>().find("field 'host'"),
            std::string::npos);
}

std::vector<std::filesystem::path> shipped() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(SCENARIO_FOLDER))
    if (entry.path().extension() == ".toml") out.push_back(entry.path());
  std::ranges::sort(out);
  return out;
}

/// When the run is over: the last call and the last event.
Duration end_of(const Scenario& scenario) {
  auto end = scenario.client.every * static_cast<Duration::rep>(scenario.client.calls);
  for (const auto& event : scenario.events) end = std::max(end, event.at);
  for (const auto& event : scenario.locals) end = std::max(end, event.at);
  return end;
}

constexpr std::size_t kMaxTokenBody = 10'000;  // one of 10 MiB takes its time to be read

TEST(ShippedScenarios, EachIsReadAndEveryEventOfItApplies) {
  ASSERT_GE(shipped().size(), 30U);
  std::set<std::string> ids;
  for (const auto& path : shipped()) {
    SCOPED_TRACE(path.filename().string());
    const auto scenario = load_scenario(path.string());
    ASSERT_TRUE(scenario) << scenario.error().message;
    EXPECT_TRUE(ids.insert(scenario->id).second) << "the id is taken";
    const bool for_the_comparison_alone = scenario->id.starts_with('L');
    EXPECT_LE(end_of(*scenario), for_the_comparison_alone ? seconds{1200} : seconds{30});
    auto options = scenario->servers;
    options.events = scenario->events;
    auto cloud = cloud_options(options);
    ASSERT_TRUE(cloud) << cloud.error().message;
    Play play(*std::move(cloud));
    std::string token;
    for (Duration when{0}; when <= end_of(*scenario); when += milliseconds{500}) {
      const auto body = play.login(when).body;
      if (body.size() > kMaxTokenBody) continue;
      const auto answer = json::parse(body, nullptr, false);
      if (answer.is_object()) token = answer.value("access_token", token);
      play.get(when, token);
    }
    EXPECT_EQ(play.cloud.events_to_come(), 0U);
    EXPECT_EQ(play.cloud.refused_events(), std::vector<std::string>{});
  }
}

TEST(ShippedScenarios, EachBearsTheNameOfItsRow) {
  for (const auto& path : shipped()) {
    auto stem = path.stem().string();
    const auto scenario = load_scenario(path.string());
    ASSERT_TRUE(scenario);
    std::string id = scenario->id;
    std::ranges::transform(id, id.begin(), [](char c) {
      return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    });
    EXPECT_TRUE(stem == id || stem.starts_with(id + "_")) << stem << " is " << id;
  }
}

TEST(ShippedScenarios, NoEventFallsAfterTheRun) {
  for (const auto& path : shipped()) {
    const auto scenario = load_scenario(path.string());
    ASSERT_TRUE(scenario);
    const auto run = scenario->client.every * static_cast<Duration::rep>(scenario->client.calls);
    for (const auto& event : scenario->events) EXPECT_LT(event.at, run) << path;
    for (const auto& event : scenario->locals) EXPECT_LT(event.at, run) << path;
  }
}

}  // namespace
}  // namespace skewguard::emulator
