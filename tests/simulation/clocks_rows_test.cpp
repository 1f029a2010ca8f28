// The rows of the scenario table about clocks: what the scenario files of C10, C11, C14, C16, C17
// and C20 do not show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "simulation/scenario.hpp"

namespace skewguard::simulation {
namespace {

/// The reported bounds of this host's clock contain all its true offsets (from true time).
void expect_bounds_hold(Simulation& simulation, const CallReport& report, const char* host,
                        const std::vector<Duration>& offsets) {
  const Duration wall_ahead = simulation.now().wall - simulation.server_now().wall;
  for (const ReportedClock& clock : report.clocks) {
    if (clock.server != host) continue;
    ASSERT_TRUE(clock.offset);
    for (const Duration offset : offsets) {
      EXPECT_LE(clock.offset->low, offset - wall_ahead) << to_json(report);
      EXPECT_GE(clock.offset->high, offset - wall_ahead) << to_json(report);
    }
    return;
  }
  ADD_FAILURE() << host << " is not in the report";
}

/// No attempt of any call blames a clock or says that a token has expired.
void expect_clocks_are_innocent(const VirtualClient& client) {
  for (const CallReport& report : client.resolved) {
    for (const ReportedAttempt& attempt : report.attempts) {
      EXPECT_THAT(attempt.verdict.value_or(Verdict::ok),
                  testing::AnyOf(Verdict::ok, Verdict::unknown, Verdict::token_revoked,
                                 Verdict::token_rejected))
          << to_json(report);
    }
  }
}

TEST_P(Scenario, C10ThreeClocksBehindOneNameLieInTheHullThatIsActedOn) {
  build(0s, {0s, 400ms, -3s}, 120s);
  for (int i = 0; i < 600; ++i) {
    const auto outcome = client->get();
    ASSERT_EQ(outcome.status, 200) << i << to_json(outcome.report);
    if (i > 3) expect_bounds_hold(*simulation, outcome.report, kApiUrl, {0s, 400ms, -3s});
    simulation->run_for(1s);
  }
  EXPECT_LE(simulation->rejections(), 2U) << "once learned, first sent when every backend takes it";
  for (const auto& report : client->resolved) {
    EXPECT_EQ(report.verdict, Verdict::issuer_clock_ahead) << to_json(report);
  }
  EXPECT_LE(simulation->token_requests(), 8U);
}

TEST_P(Scenario, C10TwoCloseClocksBehindOneNameLieInTheHull) {
  build(0s, {0s, 300ms}, 120s);
  simulation->up.jitter = 20ms;
  simulation->down.jitter = 20ms;
  for (int i = 0; i < 600; ++i) {
    const auto outcome = client->get();
    ASSERT_EQ(outcome.status, 200) << i << to_json(outcome.report);
    if (i > 1) expect_bounds_hold(*simulation, outcome.report, kApiUrl, {0s, 300ms});
    simulation->run_for(910ms);
  }
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_LE(simulation->token_requests(), 7U);
}

TEST_P(Scenario, C11InvalidLateOrCachedDatesBlameNoClock) {
  using Kind = emulator::DateFault::Kind;
  const std::vector<emulator::DateFault> faults{
      {.kind = Kind::late, .by = 1s, .text = "", .then = {}},
      {.kind = Kind::none, .text = "", .then = {}},
      {.kind = Kind::malformed, .text = "", .then = {}},
      {.kind = Kind::cached, .by = 30s, .text = "", .then = {}},
      {.kind = Kind::two, .text = "", .then = {}},
  };
  for (const auto& date : faults) {
    for (const auto host : {emulator::Host::login, emulator::Host::api}) {
      SCOPED_TRACE(std::string(to_string(date.kind)) + " " + std::string(to_string(host)));
      build(0s, {0s});
      emulator::Fault fault;
      fault.host = host;
      fault.effect.date = date;
      ASSERT_TRUE(simulation->servers().add_fault(fault, simulation->server_now()));
      call_for(700s, 10s);
      EXPECT_EQ(simulation->rejections(), 0U);
      EXPECT_LE(simulation->token_requests(), 3U);
      simulation->servers().tokens().revoke_all();
      const auto outcome = client->get();
      EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
      EXPECT_LE(simulation->token_requests(), 4U);
      expect_clocks_are_innocent(*client);
    }
  }
}

/// Seconds from the start of a simulation, 2026-01-01, to another date.
Duration until(std::chrono::year_month_day day, Duration time) {
  using namespace std::chrono;
  return sys_days{day} - sys_days{year{2026} / 1 / 1} + time;
}

TEST_P(Scenario, C14DatesThatBreakOthersBreakNothing) {
  using std::chrono::year;
  for (const Duration turn : {until(year{2028} / 2 / 29, 24h), until(year{2038} / 1 / 19, 11'647s),
                              until(year{2038} / 1 / 19, 11'648s), until(year{2100} / 2 / 28, 24h),
                              until(year{2106} / 2 / 7, 23'296s)}) {
    for (const Duration ahead : {Duration{0}, Duration{5s}}) {
      SCOPED_TRACE(turn / 1h);
      const Duration start = turn - 150s;
      build(start + ahead, {start}, 60s);
      simulation->step_wall(start);
      for (int i = 0; i < 60; ++i) {
        const auto outcome = client->get();
        ASSERT_EQ(outcome.status, 200) << i << to_json(outcome.report);
        expect_bounds_hold(*simulation, outcome.report, kApiUrl, {start});
        simulation->run_for(5s);
      }
      EXPECT_EQ(simulation->rejections(), ahead > 0s ? 1U : 0U);
      EXPECT_LE(simulation->token_requests(), 9U);
    }
  }
}

/// The last second of 2028 begins `when` after the start in true time, and a leap second follows.
class LeapSecond : public Scenario {
 protected:
  static constexpr Duration kWhen = 100s;

  void begin(Duration life) {
    const Duration start = until(std::chrono::year{2029} / 1 / 1, 0s) - kWhen;
    build(start, {start}, life);
    simulation->step_wall(start);
  }
  void clocks_step() {
    const Instant leap{kWhen};
    ASSERT_TRUE(simulation->servers().login_clock().step_at(leap, -1s));
    ASSERT_TRUE(simulation->servers().api_clocks()[0].step_at(leap, -1s));
  }
  void call_across() {
    call_for(kWhen - 5s, 3s);
    call_for(10s, 130ms);
    simulation->step_wall(-1s);
    call_for(300s, 3s);
  }
};

TEST_P(LeapSecond, C14ALastSecondThatComesTwiceCostsNothing) {
  begin(40s);
  clocks_step();
  call_across();
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_LE(simulation->token_requests(), 15U);
}

TEST_P(LeapSecond, C14ADateOfSecond60IsNoSampleAndCostsNothing) {
  begin(40s);
  clocks_step();
  int leaps = 0;
  simulation->fate = [&](const HttpRequest& request) {
    Fate fate;
    const Duration age = simulation->server_now().boot.time_since_epoch();
    if (age < kWhen || age >= kWhen + 900ms) return fate;
    static_cast<void>(request);
    fate.spoil = [&leaps](emulator::Reply& reply) {
      ++leaps;
      emulator::set_field(reply.headers, "Date", "Sun, 31 Dec 2028 23:59:60 GMT");
    };
    return fate;
  };
  call_across();
  EXPECT_GE(leaps, 3);
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_LE(simulation->token_requests(), 15U);
}

TEST_P(LeapSecond, C14ASmearOfEitherHostOrBothLetsEveryCallThrough) {
  constexpr double kSmear = -1e6 / 86'400;  // a second in a day
  for (const bool both : {false, true}) {
    begin(1h);
    const Instant now = simulation->server_now().boot;
    simulation->servers().login_clock().set_drift(kSmear, now);
    if (both) simulation->servers().api_clocks()[0].set_drift(kSmear, now);
    call_for(24h, 4min);
    EXPECT_EQ(simulation->rejections(), 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Rows, LeapSecond, every_setting(), name_of);

TEST_P(Scenario, C16AWallClockThatStaysBehindAfterAResumeChangesNothing) {
  for (const Duration life : {Duration{1h}, Duration{6h}}) {
    build(0s, {0s}, life);
    ASSERT_EQ(client->get().status, 200);
    simulation->suspend(2h);
    simulation->step_wall(-2h);
    call_for(5min, 10s);
    simulation->step_wall(2h);  // it has noticed
    call_for(5min, 10s);
    EXPECT_EQ(simulation->rejections(), 0U);
    EXPECT_EQ(simulation->token_requests(), life < 2h ? 2U : 1U);
  }
}

TEST_P(Scenario, C17AMarginNeverEatsUpALifetime) {
  for (const Duration life : {Duration{4s}, Duration{10s}, Duration{60s}, Duration{90s}}) {
    SCOPED_TRACE(life / 1s);
    build(0s, {0s}, life);
    call_for(12 * life, life / 40);
    EXPECT_EQ(simulation->rejections(), 0U);
    std::optional<Instant> last;
    for (const Seen& seen : simulation->seen()) {
      if (!seen.token_request()) continue;
      if (last) {
        EXPECT_GE(seen.at - *last, life / 2) << "one token for each lifetime";
        EXPECT_LT(seen.at - *last, life) << "and it is asked for in time";
      }
      last = seen.at;
    }
  }
}

TEST_P(Scenario, C20AServerThatSpeaksOfSkewOrExpiryDoesNotGetAClockBlamed) {
  const std::pair<const char*, const char*> words[] = {
      {"", R"({"code":"RequestTimeTooSkewed","message":"Your clock is wrong.","status":401})"},
      {"", R"({"code":"credentials.expired","message":"Token expired: check your clock skew."})"},
      {R"(Bearer error="invalid_token", error_description="The access token expired")", ""},
      {R"(Bearer error="invalid_token", error_description="Token used before issued: skew")", ""},
  };
  for (const auto& [challenge, body] : words) {
    for (const bool for_good : {false, true}) {
      SCOPED_TRACE(std::string{challenge} + body);
      build(0s, {0s});
      call_for(60s, 10s);
      bool refused = false;
      simulation->fate = [&, header = challenge, text = body](const HttpRequest& request) {
        Fate fate;
        if (!request.url.starts_with(kApiUrl) || (refused && !for_good)) return fate;
        refused = true;
        fate.spoil = [header, text](emulator::Reply& reply) {
          refuse(reply);
          reply.body = text;
          emulator::set_field(reply.headers, "WWW-Authenticate", header);
        };
        return fate;
      };
      const auto outcome = client->get();
      EXPECT_EQ(outcome.status, for_good ? 401 : 200);
      EXPECT_EQ(outcome.report.exit_code, for_good ? 3 : 0);
      EXPECT_EQ(outcome.report.verdict, for_good ? Verdict::token_rejected : Verdict::token_revoked)
          << to_json(outcome.report);
      expect_clocks_are_innocent(*client);
      simulation->fate = nullptr;
    }
  }
}

}  // namespace
}  // namespace skewguard::simulation
