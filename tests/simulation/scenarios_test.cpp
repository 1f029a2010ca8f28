// The rows of the scenario table.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "simulation/scenario.hpp"

namespace skewguard::simulation {
namespace {

TEST_P(Scenario, C0ClocksThatAgreeCostNothing) {
  build(0s, {0s});
  call_for(1500s, 10s);
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_LE(simulation->token_requests(), 6U);
  EXPECT_THAT(client->rejections, testing::IsEmpty());
}

TEST_P(Scenario, C1LocalClockBehindMeansNoRejection) {
  build(600s, {600s});
  call_for(1500s, 10s);
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_LE(simulation->token_requests(), 6U);
}

TEST_P(Scenario, C2LocalClockAheadMeansOneTokenForEachLifetime) {
  build(-600s, {-600s});
  call_for(1500s, 10s);
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_LE(simulation->token_requests(), 6U);
}

TEST_P(Scenario, TokenRequestsAreWithinFivePercentOfOneForEachLifetime) {
  constexpr int kLifetimes = 40;
  for (const Duration local_error : {Duration{0s}, Duration{600s}, Duration{-600s}}) {
    build(local_error, {local_error});
    call_for(kLifetimes * 300s, 29s);
    EXPECT_EQ(simulation->rejections(), 0U);
    EXPECT_LE(static_cast<double>(simulation->token_requests()), 1 + 1.05 * kLifetimes);
  }
}

TEST_P(Scenario, C3IssuerAheadWaitsSendsTheSameTokenAndLearns) {
  build(5s, {0s});
  const auto first = client->get();
  EXPECT_EQ(first.status, 200) << to_json(first.report);
  EXPECT_EQ(first.report.exit_code, 0);
  EXPECT_EQ(first.report.verdict, Verdict::issuer_clock_ahead) << to_json(first.report);
  EXPECT_TRUE(first.report.mitigated);
  EXPECT_EQ(first.report.token_requests, 1);
  ASSERT_GE(first.report.attempts.size(), 1U);
  EXPECT_EQ(first.report.attempts[0].action, Action::wait_and_retry);
  EXPECT_GE(first.report.attempts[0].waited, 3900ms);
  EXPECT_LE(first.report.attempts[0].waited, 7s);
  EXPECT_EQ(tokens_sent().size(), 1U);
  const std::size_t rejected = simulation->rejections();
  EXPECT_EQ(rejected, 1U);
  call_for(1500s, 5s);
  EXPECT_EQ(simulation->rejections(), rejected) << "the lag was learned";
  EXPECT_LE(simulation->token_requests(), 7U);
}

TEST_P(Scenario, C4IssuerFarAheadGivesUpAndSaysByHowMuch) {
  build(120s, {0s});
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 401);
  EXPECT_EQ(outcome.report.exit_code, 4) << to_json(outcome.report);
  EXPECT_EQ(outcome.report.verdict, Verdict::issuer_clock_ahead);
  EXPECT_FALSE(outcome.report.mitigated);
  EXPECT_EQ(simulation->token_requests(), 2U) << "one new token";
  EXPECT_EQ(sends_with_token(), 2U);
  EXPECT_EQ(simulation->seen().size(), 5U) << "one more look at the API's Date";
  for (const ReportedAttempt& attempt : outcome.report.attempts) {
    EXPECT_THAT(attempt.explanation,
                testing::AnyOf(testing::HasSubstr("119"), testing::HasSubstr("120")));
  }
}

TEST_P(Scenario, C4TheFirstTokenIsKeptAndServesOnceItIsValid) {
  build(60s, {0s}, 300s);
  const Instant start = simulation->boot();
  while (simulation->boot() - start < 41s) {
    EXPECT_EQ(client->get().report.exit_code, 4);
    simulation->run_for(4s);
  }
  simulation->run_for(4s);
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
  EXPECT_LE(outcome.ended - start, 64s);
  call_for(600s, 10s);
}

TEST_P(Scenario, C5IssuerBehindByMoreThanALifetimeGivesUpAfterOneNewToken) {
  build(-400s, {0s});
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 401);
  EXPECT_EQ(outcome.report.exit_code, 4) << to_json(outcome.report);
  EXPECT_EQ(outcome.report.verdict, Verdict::issuer_clock_behind) << to_json(outcome.report);
  EXPECT_EQ(simulation->token_requests(), 2U);
  EXPECT_LE(sends_with_token(), 3U);
}

TEST_P(Scenario, C6WallClockStepsChangeNothing) {
  build(0s, {0s});
  const Duration steps[] = {1h, -1h, -24h * 365 * 56, 24h * 365 * 74};
  for (const Duration step : steps) {
    simulation->step_wall(step);
    call_for(400s, 10s);
  }
  const auto told = std::count_if(client->log.begin(), client->log.end(), [](const LogLine& line) {
    return line.message.find("wall clock stepped") != std::string::npos;
  });
  EXPECT_EQ(told, 3) << "the first one came before the first answer";
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_LE(simulation->token_requests(), 7U);
}

TEST_P(Scenario, C7SuspendEndsTheTokenBeforeTheFirstSend) {
  build(0s, {0s}, 1h);
  ASSERT_EQ(client->get().status, 200);
  simulation->suspend(2h);
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(outcome.report.verdict, Verdict::ok);
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_EQ(simulation->token_requests(), 2U);
}

TEST_P(Scenario, C8DriftOfTwoDaysCausesNoRejection) {
  build(0s, {0s}, 1h);
  simulation->machine().set_drift(500, -100);
  call_for(48h, 7min);
  EXPECT_EQ(simulation->rejections(), 0U);
}

TEST_P(Scenario, C9ApiClockStepsAndComesBack) {
  build(0s, {0s}, 300s);
  call_for(200s, 5s);
  simulation->servers().api_clocks()[0].step(30s, simulation->server_now().boot);
  call_for(600s, 5s);
  EXPECT_LE(simulation->rejections(), 1U) << "the step is learned";
  simulation->servers().api_clocks()[0].step(-30s, simulation->server_now().boot);
  call_for(900s, 5s);
  EXPECT_LE(simulation->rejections(), 3U);
}

TEST_P(Scenario, C15OneLaggingBackendIsWaitedForThenExpected) {
  build(0s, {0s, 0s, -1s}, 120s);
  for (int i = 0; i < 600; ++i) {
    const auto outcome = client->get();
    ASSERT_EQ(outcome.status, 200) << i << to_json(outcome.report);
    simulation->run_for(700ms);
    if (i == 300) {
      ASSERT_LE(simulation->rejections(), 2U);
    }
  }
  EXPECT_LE(simulation->rejections(), 2U) << "once learned, first sent when every backend takes it";
  for (const auto& report : client->resolved) {
    EXPECT_EQ(report.verdict, Verdict::issuer_clock_ahead) << to_json(report);
    EXPECT_EQ(report.token_requests, report.attempts[0].token ? report.token_requests : 0);
  }
  EXPECT_LE(simulation->token_requests(), 6U);
}

TEST_P(Scenario, C18AMachineThatStoodStillCostsAtMostOneRejection) {
  build(0s, {0s}, 1h);
  call_for(60s, 10s);
  simulation->stand_still(2h);
  const auto first = client->get();
  EXPECT_EQ(first.status, 200) << to_json(first.report);
  EXPECT_LE(simulation->rejections(), 1U);
  const std::size_t rejected = simulation->rejections();
  call_for(600s, 10s);
  EXPECT_EQ(simulation->rejections(), rejected);
}

TEST_P(Scenario, C18AShortStandstillIsConfirmedByTheLoginHostAndCostsNoRejection) {
  build(0s, {0s}, 1h);
  call_for(10min, 10s);
  simulation->stand_still(20min);
  call_for(2h, 10s);
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_EQ(looks_at_login(), 1U);
  EXPECT_LE(simulation->token_requests(), 4U);
}

TEST_P(Scenario, C18ATokenAskedForAfterTheStandstillKeepsItsLife) {
  build(0s, {0s}, 300s);
  ASSERT_EQ(client->get().status, 200);
  simulation->run_for(700s);  // two tokens have expired: the login host is first to show the gap
  simulation->stand_still(100s);
  call_for(250s, 10s);
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_EQ(simulation->token_requests(), 3U);
}

TEST_P(Scenario, C18ADateIn2100IsConfirmedByNobodyAndStartsNoStorm) {
  build(0s, {0s}, 1h);
  call_for(10min, 10s);
  int answers = 0;
  simulation->fate = [&answers](const HttpRequest& request) {
    Fate fate;
    if (!request.url.starts_with(kApiUrl) || ++answers % 3 != 0) return fate;
    fate.spoil = [](emulator::Reply& reply) { redate(reply, 4'102'444'800s); };
    return fate;
  };
  call_for(30min, 10s);
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_EQ(simulation->token_requests(), 1U);
  EXPECT_LE(looks_at_login(), 3U);
}

TEST_P(Scenario, C18WhereTheHypervisorReportsItNotEvenTheFirstCallIsRefused) {
  build(0s, {0s}, 1h);
  simulation->machine().tell_of_stops();
  client = std::make_unique<VirtualClient>(*simulation);  // a client that has seen the marker
  call_for(60s, 10s);
  simulation->stand_still(2h);
  call_for(600s, 10s);
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_EQ(simulation->token_requests(), 2U);
  EXPECT_EQ(looks_at_login(), 1U);
}

TEST_P(Scenario, C18AMoveToAnotherHostCostsOneLookAndNoToken) {
  build(0s, {0s}, 1h);
  simulation->machine().tell_of_stops();
  client = std::make_unique<VirtualClient>(*simulation);
  call_for(60s, 10s);
  simulation->stand_still(0s);  // moved to another host
  call_for(600s, 10s);
  EXPECT_EQ(simulation->token_requests(), 1U);
  EXPECT_EQ(looks_at_login(), 1U);
}

TEST_P(Scenario, C18ALookThatIsNotAnsweredHoldsNoCallPastItsDeadline) {
  build(0s, {0s}, 1h);
  simulation->machine().tell_of_stops();
  client = std::make_unique<VirtualClient>(*simulation);
  ASSERT_EQ(client->get().status, 200);
  simulation->stand_still(0s);  // moved to another host
  simulation->fate = [](const HttpRequest& request) {
    Fate fate;
    if (request.url.starts_with(kLoginUrl)) fate.kind = Fate::Kind::lost;
    return fate;
  };
  Request brief;
  brief.path = "/api/v2/tokens/me";
  brief.timeout = 2s;
  const Instant before = simulation->boot();
  const auto pending = client->start(brief);
  const auto patient = client->get();
  ASSERT_TRUE(pending->has_value());
  EXPECT_LE((*pending)->ended - before, 2100ms);
  EXPECT_EQ(patient.status, 200) << "the token is as good as it was known to be";
}

TEST_P(Scenario, C21ApiAheadIsLearnedFromTheFirstRejection) {
  build(0s, {120s}, 300s);
  call_for(3000s, 5s);
  EXPECT_LE(simulation->rejections(), 1U);
  for (const auto& report : client->resolved) {
    EXPECT_EQ(report.verdict, Verdict::token_expired) << to_json(report);
  }
  EXPECT_LE(simulation->token_requests(), 21U);
}

TEST_P(Scenario, ALagIsUnlearnedOnceTheClockIsCorrected) {
  build(12s, {0s}, 60s);
  EXPECT_EQ(client->get().report.verdict, Verdict::issuer_clock_ahead);
  call_for(400s, 20s);
  simulation->servers().login_clock().step(-12s, simulation->server_now().boot);
  call_for(800s, 100s);  // each token has expired meanwhile: nothing bridges the wait for the next
  simulation->run_for(100s);
  const Instant before = simulation->boot();
  ASSERT_EQ(client->get().status, 200);
  EXPECT_LT(simulation->boot() - before, 5s);
}

TEST_P(Scenario, ATokenRequestAloneReportsRejectionsToo) {
  build(0s, {0s});
  int requests = 0;
  simulation->fate = [&requests](const HttpRequest& request) {
    Fate fate;
    if (request.url.starts_with(kLoginUrl) && ++requests == 1) {
      fate.spoil = [](emulator::Reply& reply) { reply.status = 503; };
    }
    return fate;
  };
  ASSERT_TRUE(client->token());
  ASSERT_EQ(client->rejections.size(), 1U);
  EXPECT_EQ(client->rejections[0].candidates,
            std::vector<Verdict>{Verdict::auth_backend_unavailable});
  ASSERT_EQ(client->resolved.size(), 1U);
  EXPECT_EQ(client->resolved[0].verdict, Verdict::auth_backend_unavailable);
  EXPECT_TRUE(client->resolved[0].mitigated);
  EXPECT_EQ(client->resolved[0].token_requests, 2);
}

TEST_P(Scenario, AGivenTokenIsReturnedWhileTheApiAcceptsItWhateverTheWallClockSays) {
  build(0s, {0s}, 60s);
  const auto issued = client->token();
  ASSERT_TRUE(issued);
  const bool jwt = issued->value.reveal().starts_with("eyJ");
  auto options = VirtualClient::default_options();
  options.access_token = issued->value;
  VirtualClient given(*simulation, options);
  const auto token = given.token();
  ASSERT_TRUE(token) << token.error().message;
  if (jwt) {
    EXPECT_LE(token->remaining, 60s);
    EXPECT_GE(token->remaining, 57s) << "by the API's clock, as narrow as its Date tells";
  }
  const Duration years = 24h * 365 * 8;
  EXPECT_EQ(given.token({.min_life = years}).ok(), !jwt) << "nobody knows an opaque one's end";
  simulation->run_for(62s);
  VirtualClient later(*simulation, options);
  const auto ended = later.token();
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().report->exit_code, 3);
}

TEST_P(Scenario, AHookThatThrowsEndsNoCall) {
  build(3s, {0s});
  client->throw_in_hooks = true;
  EXPECT_EQ(client->get().status, 200);
  EXPECT_EQ(client->get().status, 200);
}

TEST_P(Scenario, T1RevokedIsRefreshedOnce) {
  build(0s, {0s});
  call_for(60s, 10s);
  simulation->servers().tokens().revoke_all();
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(outcome.report.verdict, Verdict::token_revoked) << to_json(outcome.report);
  EXPECT_TRUE(outcome.report.mitigated);
  EXPECT_EQ(outcome.report.attempts[0].action, Action::refresh_and_retry);
  EXPECT_EQ(simulation->token_requests(), 2U);
  EXPECT_EQ(simulation->rejections(), 1U);
}

TEST_P(Scenario, T2AThousandCallersAtExpiryMakeOneTokenRequest) {
  build(0s, {0s});
  ASSERT_EQ(client->get().status, 200);
  simulation->run_for(400s);
  std::vector<VirtualClient::Pending> pending;
  Request request;
  request.path = "/api/v2/tokens/me";
  pending.reserve(1000);
  for (int i = 0; i < 1000; ++i) pending.push_back(client->start(request));
  simulation->run_for(31s);
  for (const auto& one : pending) {
    ASSERT_TRUE(one->has_value());
    EXPECT_EQ((*one)->status, 200);
  }
  EXPECT_EQ(simulation->token_requests(), 2U);
  EXPECT_EQ(simulation->max_token_requests_at_once(), 1U);
}

TEST_P(Scenario, T3ARefusalOfAReplacedTokenCostsNoRefresh) {
  build(0s, {0s});
  ASSERT_EQ(client->get().status, 200);
  simulation->run_for(30s);
  simulation->servers().tokens().revoke_all();
  Request request;
  request.path = "/api/v2/tokens/me";
  const auto one = client->start(request);
  const auto two = client->start(request);
  simulation->run_for(40s);
  ASSERT_TRUE(one->has_value() && two->has_value());
  EXPECT_EQ((*one)->status, 200);
  EXPECT_EQ((*two)->status, 200);
  EXPECT_EQ(simulation->token_requests(), 2U);
}

TEST_P(Scenario, T4LoginHostDownWhileTheOldTokenLives) {
  build(0s, {0s});
  call_for(250s, 10s);
  simulation->fate = [](const HttpRequest& request) {
    Fate fate;
    if (request.url.starts_with(kLoginUrl)) fate.kind = Fate::Kind::refused;
    return fate;
  };
  for (int i = 0; i < 4; ++i) {
    const Instant before = simulation->boot();
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 200);
    EXPECT_LT(outcome.ended - before, 100ms) << "nobody waits while the token lives";
    simulation->run_for(8s);
  }
  simulation->fate = nullptr;
  call_for(100s, 5s);
  EXPECT_EQ(simulation->rejections(), 0U);
}

TEST_P(Scenario, T5TheSameTokenAgainMakesNoStorm) {
  build(0s, {0s});
  std::string body;
  simulation->fate = [&body](const HttpRequest& request) {
    Fate fate;
    if (!request.url.starts_with(kLoginUrl)) return fate;
    fate.spoil = [&body](emulator::Reply& reply) {
      if (body.empty()) body = reply.body;
      reply.body = body;  // the same token, however old
    };
    return fate;
  };
  for (int i = 0; i < 290; ++i) {
    ASSERT_EQ(client->get().status, 200) << i;
    simulation->run_for(1s);
  }
  EXPECT_LE(simulation->token_requests(), 12U);
}

TEST_P(Scenario, T7APostIsSentAgainByteForByte) {
  build(0s, {0s});
  ASSERT_EQ(client->get().status, 200);
  simulation->run_for(30s);
  simulation->servers().tokens().revoke_all();
  Request request;
  request.method = "POST";
  request.path = "/api/v2/analytics/conversations/details/query";
  request.headers.add("Content-Type", "application/json");
  request.body = R"({"interval":"2026-01-01T00:00:00Z/2026-01-02T00:00:00Z","x":"\u0000"})";
  const auto outcome = client->call(request);
  EXPECT_EQ(outcome.status, 200) << outcome.body;
  std::vector<std::string> bodies;
  for (const auto& seen : simulation->seen()) {
    if (seen.method == "POST" && seen.url.starts_with(kApiUrl)) bodies.push_back(seen.body);
  }
  EXPECT_THAT(bodies, testing::ElementsAre(request.body, request.body));
}

TEST_P(Scenario, T8AFreshTokenRefusedTooEndsAndPauses) {
  build(0s, {0s});
  simulation->fate = [](const HttpRequest& request) {
    Fate fate;
    if (request.url.starts_with(kLoginUrl)) return fate;
    fate.spoil = refuse;
    return fate;
  };
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 401);
  EXPECT_EQ(outcome.report.exit_code, 3) << to_json(outcome.report);
  EXPECT_EQ(outcome.report.verdict, Verdict::token_rejected);
  EXPECT_EQ(sends_with_token(), 3U);
  EXPECT_EQ(simulation->token_requests(), 2U);
  for (int i = 0; i < 50; ++i) {
    const auto again = client->get();
    EXPECT_EQ(again.report.exit_code, 3);
  }
  EXPECT_LE(simulation->token_requests(), 6U) << "a growing pause, however many callers ask";
}

TEST_P(Scenario, T10TwoProgramsThatShareOneClientLearnOfEachOther) {
  build(0s, {0s});
  VirtualClient other(*simulation, VirtualClient::default_options(), 2);
  simulation->servers().set_token_rules({.contention = true}, simulation->server_now());
  for (int round = 0; round < 8; ++round) {
    for (VirtualClient* one : {client.get(), &other}) {
      const auto outcome = one->get();
      EXPECT_EQ(outcome.status, 200) << round << to_json(outcome.report);
      EXPECT_LE(outcome.report.attempts.size(), 2U);
      const Verdict expected = round == 0   ? Verdict::ok
                               : round == 1 ? Verdict::token_revoked
                                            : Verdict::token_contended;
      ASSERT_EQ(outcome.report.verdict, expected) << round << to_json(outcome.report);
      if (round >= 2) {
        EXPECT_THAT(outcome.report.attempts[0].explanation,
                    testing::HasSubstr("someone else may be using this client"));
        EXPECT_GE(outcome.report.attempts[0].waited, 500ms);
      }
      simulation->run_for(5s);
    }
  }
  const auto& backed_off = client->resolved.back().attempts[0].waited;
  EXPECT_GE(backed_off, 5s) << "it has grown";
  EXPECT_LE(backed_off, 10200ms);
  EXPECT_EQ(simulation->max_token_requests_at_once(), 1U);
  simulation->servers().set_token_rules({}, simulation->server_now());
  call_for(200s, 10s);
}

TEST_P(Scenario, T8ManyCallersOfARefusedTokenShareOneGrowingPause) {
  build(0s, {0s}, 1h);
  simulation->fate = [](const HttpRequest& request) {
    Fate fate;
    if (request.url.starts_with(kApiUrl)) fate.spoil = refuse;
    return fate;
  };
  Request request;
  request.path = "/api/v2/tokens/me";
  std::vector<VirtualClient::Pending> pending;
  for (int second = 0; second < 600; ++second) {
    for (int i = 0; i < 3; ++i) pending.push_back(client->start(request));
    simulation->run_for(1s);
  }
  simulation->run_for(31s);
  for (const auto& one : pending) {
    ASSERT_TRUE(one->has_value());
    EXPECT_EQ((*one)->report.exit_code, 3);
  }
  // Two at once, then one after each pause of 5, 10, 20, 40, 80, 160, 300 s.
  EXPECT_LE(simulation->token_requests(), 10U);
  EXPECT_EQ(simulation->max_token_requests_at_once(), 1U);
}

/// Answers with 429 and asks to try again 5 s later by its own clock.
Fate limited(const HttpRequest& request, const char* host) {
  Fate fate;
  if (!request.url.starts_with(host) || request.method == "HEAD") return fate;
  fate.spoil = [](emulator::Reply& reply) {
    reply.status = 429;
    reply.body = "{}";
    reply.headers.add("Retry-After", time::format_http_date(date_of(reply) + 5s));
  };
  return fate;
}

TEST_P(Scenario, C13ARetryAfterDateIsReadByTheAnswersOwnDate) {
  for (const char* host : {kApiUrl, kLoginUrl}) {
    for (const Duration off : {Duration{-600s}, Duration{600s}}) {
      build(off, {off});
      bool once = false;
      simulation->fate = [&once, host](const HttpRequest& request) {
        if (once || !request.url.starts_with(host)) return Fate{};
        once = true;
        return limited(request, host);
      };
      const Instant before = simulation->boot();
      const auto outcome = client->get();
      EXPECT_EQ(outcome.status, 200) << to_json(outcome.report);
      EXPECT_TRUE(outcome.report.mitigated);
      EXPECT_GE(outcome.ended - before, 5s);
      EXPECT_LE(outcome.ended - before, 6s);
    }
  }
}

TEST_P(Scenario, A1WrongSecretIsOneRequest) {
  auto options = VirtualClient::default_options();
  options.client_secrets = {Secret{"wrong"}};
  build(0s, {0s}, 300s, options);
  const auto outcome = client->get();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.error->kind, ErrorKind::credentials);
  EXPECT_EQ(outcome.report.exit_code, 3);
  EXPECT_EQ(outcome.report.verdict, Verdict::credentials_rejected);
  EXPECT_EQ(simulation->seen().size(), 1U);
}

TEST_P(Scenario, A2UnknownClientNamesIdAndRegion) {
  auto options = VirtualClient::default_options();
  options.client_id = "nobody";
  options.region = "mypurecloud.ie";
  build(0s, {0s}, 300s, options);
  const auto outcome = client->get();
  ASSERT_TRUE(outcome.error);
  EXPECT_EQ(outcome.report.exit_code, 3);
  EXPECT_EQ(outcome.report.verdict, Verdict::unknown_client);
  EXPECT_THAT(outcome.error->message, testing::HasSubstr("nobody"));
  EXPECT_THAT(outcome.error->message + outcome.error->remedy, testing::HasSubstr("mypurecloud.ie"));
  EXPECT_EQ(simulation->seen().size(), 1U);
}

TEST_P(Scenario, A5MissingPermissionNeverRefreshes) {
  build(0s, {0s});
  const auto outcome = client->get("/api/v2/authorization/roles");
  EXPECT_EQ(outcome.status, 403);
  EXPECT_EQ(outcome.report.exit_code, 5);
  EXPECT_EQ(outcome.report.verdict, Verdict::missing_permission);
  ASSERT_FALSE(outcome.report.attempts.empty());
  EXPECT_THAT(outcome.report.attempts[0].explanation,
              testing::HasSubstr("authorization:role:view"));
  EXPECT_EQ(simulation->token_requests(), 1U);
}

TEST_P(Scenario, UsersMeWithoutAUserIsNoAuthFailure) {
  build(0s, {0s});
  const auto outcome = client->get("/api/v2/users/me");
  EXPECT_EQ(outcome.report.exit_code, 1);
  EXPECT_EQ(outcome.report.verdict, Verdict::no_user_context) << to_json(outcome.report);
  EXPECT_EQ(simulation->token_requests(), 1U);
}

INSTANTIATE_TEST_SUITE_P(Rows, Scenario, every_setting(), name_of);

}  // namespace
}  // namespace skewguard::simulation
