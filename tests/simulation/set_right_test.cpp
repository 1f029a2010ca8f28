// C22 to C24, T13: clocks that are corrected, tokens revoked while a call waits, nbf before iat.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "simulation/scenario.hpp"

namespace skewguard::simulation {
namespace {

using testing::HasSubstr;

void set_login(Simulation& simulation, Duration by) {
  simulation.servers().login_clock().step(by, simulation.server_now().boot);
}
void set_api(Simulation& simulation, Duration by) {
  for (auto& clock : simulation.servers().api_clocks())
    clock.step(by, simulation.server_now().boot);
}

/// Calls at fixed times, and returns how many failed.
int failures(Simulation& simulation, VirtualClient& client, int calls, Duration every) {
  int failed = 0;
  const Instant start = simulation.boot();
  for (int i = 0; i < calls; ++i) {
    const Duration early = start + i * every - simulation.boot();
    if (early > Duration{0}) simulation.run_for(early);
    failed += client.get().status == 200 ? 0 : 1;
  }
  return failed;
}

TEST_P(Scenario, C22ALoginHostThatIsCorrectedCostsNoCallAfterIt) {
  build(2h, {0s}, 24h);
  EXPECT_EQ(failures(*simulation, *client, 2, 3s), 2);
  set_login(*simulation, -2h);
  simulation->run_for(1s);
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
  EXPECT_EQ(outcome.report.verdict, Verdict::issuer_clock_ahead) << to_json(outcome.report);
  EXPECT_TRUE(outcome.report.mitigated);
  EXPECT_THAT(outcome.report.attempts[0].explanation, HasSubstr(" was "));
  const std::size_t rejected = simulation->rejections();
  call_for(1h, 60s);
  EXPECT_EQ(simulation->rejections(), rejected);
}

TEST_P(Scenario, C22ALoginHostThatIsCorrectedHelpsCallsWithoutTimeForALookToo) {
  build(2h, {0s}, 24h);
  Request brief;
  brief.path = "/api/v2/tokens/me";
  brief.timeout = 900ms;
  EXPECT_NE(client->call(brief).status, 200);
  set_login(*simulation, -2h);
  simulation->run_for(5s);
  EXPECT_EQ(client->call(brief).status, 200);
}

TEST_P(Scenario, C22ALoginHostThatStepsForAWhileCostsNoCallWhileTheOldTokenLives) {
  build(0s, {0s}, 20s);
  EXPECT_EQ(failures(*simulation, *client, 8, 1s), 0);
  set_login(*simulation, 60s);
  for (int i = 0; i < 11; ++i) {
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 200) << "the token before serves to its end";
    EXPECT_LE(outcome.report.elapsed, 500ms) << "at once, without a look";
    simulation->run_for(1s);
  }
  simulation->run_for(2s);
  EXPECT_EQ(failures(*simulation, *client, 3, 1s), 3);
  set_login(*simulation, -60s);
  EXPECT_EQ(failures(*simulation, *client, 30, 1s), 0);
}

TEST_P(Scenario, C22ALoginHostBehindForAWhileCostsNoMoreCallsThanItsTokensDo) {
  build(0s, {0s}, 20s);  // login-an-hour-behind-for-a-moment
  EXPECT_EQ(failures(*simulation, *client, 15, 1s), 0);
  set_login(*simulation, -1h);
  EXPECT_LE(failures(*simulation, *client, 9, 1s), 4) << "no token lives from 20 s on";
  set_login(*simulation, 1h);
  EXPECT_EQ(failures(*simulation, *client, 30, 1s), 0);
  EXPECT_LE(simulation->token_requests(), 8U);
}

TEST_P(Scenario, C22ALoginHostThatRefusesItsClientForAWhileIsAskedAgainSoon) {
  build(0s, {0s}, 6s);  // login-refuses-for-a-while
  EXPECT_EQ(failures(*simulation, *client, 4, 1s), 0);
  const Instant end = simulation->boot() + 20s;
  simulation->fate = [this, end](const HttpRequest& request) {
    Fate fate;
    if (simulation->boot() >= end || !request.url.starts_with(kLoginUrl)) return fate;
    fate.spoil = [](emulator::Reply& reply) {
      reply.status = 401;
      reply.body = R"({"error":"invalid_client","error_description":"authentication failed"})";
    };
    return fate;
  };
  EXPECT_LE(failures(*simulation, *client, 56, 1s), 6) << "who has the time waits for the next try";
  EXPECT_LE(simulation->token_requests(), 18U);
}

TEST_P(Scenario, C22OneOfTwoLoginHostsAheadIsAskedAgain) {
  build(0s, {0s}, 24h);
  bool wrong = true;  // the first answer comes from the one that is ahead
  simulation->fate = [this, &wrong](const HttpRequest& request) {
    Fate fate;
    if (request.method != "POST" || !request.url.starts_with(kLoginUrl)) return fate;
    set_login(*simulation, std::exchange(wrong, !wrong) ? 2h : -2h);
    return fate;
  };
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
  EXPECT_EQ(simulation->token_requests(), 2U);
}

TEST_P(Scenario, C22ALagThatLaterAnswersContradictHoldsNoTokenUp) {  // api-lags-for-a-moment
  build(0s, {0s}, 8s);
  EXPECT_EQ(failures(*simulation, *client, 7, 1s), 0);
  set_api(*simulation, -10s);
  Request request;
  request.path = "/api/v2/tokens/me";
  const auto waited = client->start(request);
  simulation->run_for(4s);
  set_api(*simulation, 10s);
  simulation->run_for(20s);
  ASSERT_TRUE(waited->has_value());
  EXPECT_EQ((*waited)->status, 200) << to_json((*waited)->report);
  for (int i = 0; i < 60; ++i) {
    const Instant before = simulation->boot();
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
    EXPECT_LE(outcome.ended - before, 1s) << i;
    simulation->run_for(1s);
  }
}

TEST_P(Scenario, C22ALeadThatLaterAnswersContradictShortensNoTokensLife) {
  build(-2h, {0s}, 600s);
  EXPECT_EQ(client->get().status, 401);
  set_login(*simulation, 2h);
  simulation->run_for(6s);
  EXPECT_EQ(client->get().status, 200);
  const std::size_t asked = simulation->token_requests();
  call_for(500s, 10s);
  EXPECT_EQ(simulation->token_requests(), asked);
}

TEST_P(Scenario, C22ALagThatComesBackIsOneOfSeveralClocksAndIsKept) {  // C15
  build(0s, {0s, 0s, -5s}, 60s);
  call_for(600s, 1s);
  EXPECT_LE(simulation->rejections(), 3U) << "learned, contradicted, learned again";
}

TEST_P(Scenario, C23ATokenRevokedWhileCallsWaitForItToBecomeValidIsReplacedForAll) {
  build(3s, {0s});
  Request request;
  request.path = "/api/v2/tokens/me";
  std::vector<VirtualClient::Pending> pending;
  for (int i = 0; i < 20; ++i) {
    pending.push_back(client->start(request));
    simulation->run_for(50ms);
  }
  simulation->run_for(1s);
  simulation->servers().tokens().revoke_all();
  simulation->run_for(30s);
  for (const auto& one : pending) {
    ASSERT_TRUE(one->has_value());
    EXPECT_EQ((*one)->status, 200) << to_json((*one)->report);
    EXPECT_EQ((*one)->report.exit_code, 0);
  }
  EXPECT_EQ(simulation->token_requests(), 2U);
}

TEST_P(Scenario, C24ATokenIsSentWhenItsNbfHasPassedThenWhenItsIatHas) {
  for (const bool checks_iat : {false, true}) {
    for (const Duration lead : {Duration{13s}, Duration{24s}, Duration{26s}}) {
      SCOPED_TRACE(lead / 1s);
      build(lead, {0s}, 300s);
      auto& settings = simulation->servers().settings();
      settings.token = TokenFormat::jwt;  // an opaque token has no nbf to tell the client
      settings.nbf_offset = -10s;
      settings.strict_iat = checks_iat;
      const Instant start = simulation->boot();
      const auto outcome = client->get();
      if (lead == 26s) {
        EXPECT_EQ(outcome.report.exit_code, 4) << to_json(outcome.report);
        continue;
      }
      EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
      EXPECT_EQ(simulation->token_requests(), 1U);
      const Duration begins = checks_iat ? lead : lead - 10s;
      EXPECT_GE(outcome.ended - start, begins - 1s);
      EXPECT_LE(outcome.ended - start, begins + 2s);
    }
  }
}

TEST_P(Scenario, T13AnApiThatAcceptsAndRefusesInTurnCausesFewTokenRequests) {
  for (const int turn : {2, 3}) {
    build(0s, {0s}, 1h);
    int answers = 0;
    simulation->fate = [&answers, turn](const HttpRequest& request) {
      Fate fate;
      if (!request.url.starts_with(kApiUrl)) return fate;
      const bool taken = ++answers % turn == turn - 1;
      fate.spoil = [taken](emulator::Reply& reply) {
        if (!taken) refuse(reply);
      };
      return fate;
    };
    Request request;
    request.path = "/api/v2/tokens/me";
    request.timeout = 3s;
    const Instant start = simulation->boot();
    for (int i = 0; i < 200; ++i) static_cast<void>(client->call(request));
    EXPECT_LE(static_cast<Duration::rep>(simulation->token_requests()),
              1 + 6 + (simulation->boot() - start) / 5s);
  }
}

}  // namespace
}  // namespace skewguard::simulation
