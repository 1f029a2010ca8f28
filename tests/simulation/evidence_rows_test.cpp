// What a refusal may be blamed on if there are two causes: C10, C19, T1 and V1.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "simulation/scenario.hpp"

namespace skewguard::simulation {
namespace {

using emulator::DateFault;

const char* const kText1970 = "Thu, 01 Jan 1970 00:00:00 GMT";

/// From now on the login host's Date does not come from a clock.
void spoil_login_dates(Simulation& simulation, DateFault::Kind kind) {
  emulator::Fault fault;
  fault.host = emulator::Host::login;
  fault.effect.date =
      DateFault{.kind = kind, .text = kind == DateFault::Kind::text ? kText1970 : "", .then = {}};
  ASSERT_TRUE(simulation.servers().add_fault(fault, simulation.server_now()));
}

void spread_after(Simulation& simulation, Duration span) {
  simulation.servers().set_token_rules({.propagation = {span}}, simulation.server_now());
}

/// The first `count` API answers are plain 401s.
std::function<Fate(const HttpRequest&)> refuse_first(int count) {
  return [count](const HttpRequest& request) mutable {
    Fate fate;
    if (!request.url.starts_with(kApiUrl) || count-- <= 0) return fate;
    fate.spoil = refuse;
    return fate;
  };
}

bool opaque(const std::tuple<TokenFormat, Wall>& param) {
  return std::get<0>(param) == TokenFormat::opaque;
}

void expect_no_clock_named(const VirtualClient& client) {
  for (const CallReport& report : client.resolved) {
    for (const ReportedAttempt& attempt : report.attempts) {
      EXPECT_NE(attempt.verdict, Verdict::issuer_clock_behind) << to_json(report);
      EXPECT_NE(attempt.verdict, Verdict::issuer_clock_ahead) << to_json(report);
    }
  }
}

// C19: the login host's Date ----------------------------------------------------------------------

TEST_P(Scenario, C19ALoginDateThatIsNoClockBlamesNoneForATokenThatPropagatesSlowly) {
  for (const auto kind : {DateFault::Kind::text, DateFault::Kind::frozen}) {
    build(0s, {0s}, 6s);
    spoil_login_dates(*simulation, kind);
    spread_after(*simulation, 500ms);
    const auto first = client->get();
    EXPECT_EQ(first.status, 200) << to_json(first.report);
    simulation->run_for(8s);
    simulation->servers().tokens().revoke_all();
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
    EXPECT_EQ(outcome.report.exit_code, 0);
    expect_no_clock_named(*client);
  }
}

TEST_P(Scenario, C19ALoginDateThatIsNoClockBlamesNoneForPlainRefusals) {
  for (const auto kind : {DateFault::Kind::text, DateFault::Kind::frozen}) {
    for (const Duration before : {Duration{0}, Duration{400s}}) {
      build(0s, {0s});
      spoil_login_dates(*simulation, kind);
      if (before > 0s) {
        ASSERT_EQ(client->get().status, 200);
        simulation->run_for(before);
      }
      simulation->fate = refuse_first(2);
      const auto outcome = client->get();
      EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
      expect_no_clock_named(*client);
    }
  }
}

TEST_P(Scenario, C19ALagThatAFrozenLoginDateHidesIsNotCalledInnocent) {
  for (const Duration lag : {Duration{3s}, Duration{9s}}) {
    SCOPED_TRACE(lag / 1s);
    build(lag, {0s}, 60s);
    const emulator::DateFault frozen{.kind = DateFault::Kind::frozen, .text = "", .then = {}};
    emulator::Fault fault;
    fault.host = emulator::Host::login;
    fault.effect.date = frozen;
    ASSERT_TRUE(simulation->servers().add_fault(fault, simulation->server_now()));
    simulation->run_for(100s);
    const auto outcome = client->get();
    if (lag == 3s || !opaque(GetParam())) {
      EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
    } else {
      EXPECT_EQ(outcome.report.verdict, Verdict::unknown) << to_json(outcome.report);
    }
    for (const ReportedAttempt& attempt : outcome.report.attempts) {
      EXPECT_NE(attempt.verdict, Verdict::token_rejected) << to_json(outcome.report);
    }
  }
}

// V1 ----------------------------------------------------------------------------------------------

TEST_P(Scenario, V1ATokenThatPropagatesWithinThreeSecondsComesThrough) {
  for (const Duration spread :
       {Duration{500ms}, Duration{1s}, Duration{1100ms}, Duration{2s}, Duration{2900ms}}) {
    for (const int attempts : {1, 3, 10}) {
      SCOPED_TRACE(testing::Message() << spread / 1ms << " ms, " << attempts << " attempts");
      auto options = VirtualClient::default_options();
      options.attempts = attempts;
      build(0s, {0s}, 300s, options);
      spread_after(*simulation, spread);
      const Instant before = simulation->boot();
      const auto outcome = client->get();
      ASSERT_EQ(outcome.status, 200) << to_json(outcome.report);
      EXPECT_EQ(outcome.report.verdict, Verdict::token_not_yet_active) << to_json(outcome.report);
      EXPECT_EQ(outcome.report.token_requests, 1);
      EXPECT_EQ(tokens_sent().size(), 1U);
      EXPECT_LE(outcome.ended - before, 3200ms);
    }
  }
}

TEST_P(Scenario, V1ANewTokenInPlaceOfARevokedOneMayPropagateSlowlyToo) {
  build(0s, {0s});
  ASSERT_EQ(client->get().status, 200);
  simulation->run_for(30s);
  spread_after(*simulation, 2500ms);
  simulation->servers().tokens().revoke_all();
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
  EXPECT_EQ(outcome.report.verdict, Verdict::token_revoked) << to_json(outcome.report);
  EXPECT_EQ(outcome.report.token_requests, 1);
}

TEST_P(Scenario, V1ATokenThatPropagatesMoreSlowlyIsUsedByALaterCall) {
  build(0s, {0s});
  spread_after(*simulation, 8s);
  const Instant start = simulation->boot();
  auto outcome = client->get();
  EXPECT_EQ(outcome.report.exit_code, 3) << to_json(outcome.report);
  while (outcome.status != 200 && simulation->boot() - start < 60s) {
    simulation->run_for(5s);
    outcome = client->get();
  }
  EXPECT_EQ(outcome.status, 200);
  EXPECT_LE(simulation->token_requests(), 4U);
}

// C10 ---------------------------------------------------------------------------------------------

TEST_P(Scenario, C10TheLargerLagOfTwoBackendsIsWaitedForWithTheSameToken) {
  const std::vector<std::vector<Duration>> pairs{{-1s, -3s}, {-3s, -1s},        {-2s, -5s},
                                                 {-5s, -2s}, {-700ms, -1700ms}, {-1700ms, -700ms},
                                                 {-5s, -8s}};
  for (const auto& apis : pairs) {
    for (const Duration phase : {Duration{0}, Duration{300ms}, Duration{600ms}, Duration{900ms}}) {
      SCOPED_TRACE(testing::Message()
                   << apis[0] / 1ms << ", " << apis[1] / 1ms << " ms, phase " << phase / 1ms);
      build(0s, apis);
      simulation->run_for(phase);
      const auto outcome = client->get();
      ASSERT_EQ(outcome.status, 200) << to_json(outcome.report);
      EXPECT_EQ(tokens_sent().size(), 1U);
      if (outcome.report.verdict != Verdict::ok) {
        EXPECT_EQ(outcome.report.verdict, Verdict::issuer_clock_ahead) << to_json(outcome.report);
      }
    }
  }
}

// T1 ----------------------------------------------------------------------------------------------

TEST_P(Scenario, T1RevokedWhileTheNextTokenWaitsForItsFirstUseCostsOneRefresh) {
  for (const Duration lag : {Duration{3s}, Duration{0s}}) {
    SCOPED_TRACE(lag / 1s);
    build(lag, {0s}, 15s);
    ASSERT_EQ(client->get().status, 200);
    const std::size_t asked = simulation->token_requests();
    for (int i = 0; i < 400 && simulation->token_requests() == asked; ++i) {
      ASSERT_EQ(client->get().status, 200);
      simulation->run_for(50ms);
    }
    ASSERT_EQ(simulation->token_requests(), asked + 1);
    const std::size_t rejected = simulation->rejections();
    simulation->servers().tokens().revoke_all();
    for (int i = 0; i < 5; ++i) {
      const auto outcome = client->get();
      ASSERT_EQ(outcome.status, 200) << to_json(outcome.report);
      if (i == 0) {
        EXPECT_EQ(outcome.report.verdict, Verdict::token_revoked) << to_json(outcome.report);
      }
      simulation->run_for(100ms);
    }
    EXPECT_LE(simulation->rejections(), rejected + 2);
    EXPECT_EQ(simulation->token_requests(), asked + 2);
  }
}

// A4, A6: a challenge does not beat the status ----------------------------------------------------

TEST_P(Scenario, A4AChallengeBesideA429IsNoRefusalOfTheToken) {
  for (const int status : {429, 503}) {
    build(0s, {0s});
    ASSERT_EQ(client->get().status, 200);
    simulation->fate = [&status, once = true](const HttpRequest& request) mutable {
      Fate fate;
      if (!request.url.starts_with(kApiUrl) || !std::exchange(once, false)) return fate;
      fate.spoil = [&status](emulator::Reply& reply) {
        reply.status = status;
        reply.body = "{}";
        reply.headers.add("WWW-Authenticate", R"(Bearer error="invalid_token")");
        reply.headers.add("Retry-After", "2");
      };
      return fate;
    };
    const Instant before = simulation->boot();
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
    EXPECT_GE(outcome.ended - before, 2s);
    EXPECT_EQ(outcome.report.token_requests, 0);
    EXPECT_EQ(outcome.report.verdict, status == 429 ? Verdict::api_rate_limited : Verdict::ok);
  }
}

}  // namespace
}  // namespace skewguard::simulation
