// The rows of the scenario table about tokens: what the scenario files of T1, T5, T6, T9, T11 and
// T12 do not show.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "simulation/scenario.hpp"

namespace skewguard::simulation {
namespace {

constexpr const char* kMe = "/api/v2/tokens/me";

/// From now on this is the login host's `expires_in`: any JSON; empty = none.
void tell_life(Simulation& simulation, const std::string& json) {
  emulator::Fault fault;
  fault.host = emulator::Host::login;
  fault.effect.expires_in = json;
  ASSERT_TRUE(simulation.servers().add_fault(fault, simulation.server_now()));
}

/// From now on the login host's tokens are `value` followed by a number.
void issue(Simulation& simulation, const std::string& value) {
  simulation.fate = [&simulation, value, n = 0](const HttpRequest& request) mutable {
    if (!request.url.starts_with(kLoginUrl) || request.method != "POST") return Fate{};
    emulator::Fault fault;
    fault.host = emulator::Host::login;
    fault.left = 1;
    fault.effect.access_token = value + std::to_string(++n);
    EXPECT_TRUE(simulation.servers().add_fault(fault, simulation.server_now()));
    return Fate{};
  };
}

TEST_P(Scenario, T1EvictedIsRefreshedOnce) {
  build(0s, {0s});
  VirtualClient other(*simulation, VirtualClient::default_options(), 2);
  ASSERT_EQ(client->get().status, 200);
  simulation->servers().set_token_rules({.most_live = 1}, simulation->server_now());
  ASSERT_EQ(other.get().status, 200);
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(outcome.report.verdict, Verdict::token_revoked) << to_json(outcome.report);
  EXPECT_EQ(outcome.report.token_requests, 1);
  EXPECT_EQ(simulation->rejections(), 1U);
}

TEST_P(Scenario, T1IdledOutIsRefreshedOnce) {
  build(0s, {0s});
  simulation->servers().set_token_rules({.idle_timeout = 30s}, simulation->server_now());
  call_for(60s, 20s);
  ASSERT_EQ(simulation->rejections(), 0U);
  simulation->run_for(60s);
  const auto outcome = client->get();
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(outcome.report.verdict, Verdict::token_revoked) << to_json(outcome.report);
  EXPECT_EQ(outcome.report.token_requests, 1);
  EXPECT_EQ(simulation->rejections(), 1U);
}

TEST_P(Scenario, T5ADeadTokenAgainMakesNoStorm) {
  build(0s, {0s}, 60s);
  simulation->servers().set_token_rules({.same_token = emulator::SameToken::always},
                                        simulation->server_now());
  Request request;
  request.path = kMe;
  request.timeout = 2s;
  for (int second = 0; second < 180; ++second) {
    static_cast<void>(client->start(request));
    simulation->run_for(1s);
  }
  // Backoff doubles from 0.5 to 30 s, each delay in the upper half: ten steps last for two minutes.
  EXPECT_LE(simulation->token_requests(), 16U);
  EXPECT_EQ(simulation->max_token_requests_at_once(), 1U);
  simulation->servers().set_token_rules({}, simulation->server_now());
  simulation->run_for(31s);
  EXPECT_EQ(client->get().status, 200);
}

TEST_P(Scenario, T6LifetimesFromFiveSecondsTo450DaysCostOneTokenEach) {
  for (const Duration life :
       {Duration{5s}, Duration{300s}, Duration{172'800s}, Duration{24h * 450}}) {
    SCOPED_TRACE(life / 1s);
    build(0s, {0s}, life);
    call_for(10 * life, life / 40);
    EXPECT_EQ(simulation->rejections(), 0U);
    EXPECT_GE(simulation->token_requests(), 10U);
    EXPECT_LE(simulation->token_requests(), 16U) << "margins are a part of the life";
  }
}

TEST_P(Scenario, T6ALifetimeOfOneSecondIsUsable) {
  build(0s, {0s}, 1s);
  for (int i = 0; i < 200; ++i) {
    const auto outcome = client->get();
    ASSERT_EQ(outcome.status, 200) << i << to_json(outcome.report);
    simulation->run_for(100ms);
  }
  EXPECT_LE(simulation->token_requests(), 60U) << "in 24 s";
}

TEST_P(Scenario, T6AMissingLifetimeMeansThatOfTheClaimsOtherwiseThePlatformsShortest) {
  const bool jwt = std::get<0>(GetParam()) == TokenFormat::jwt;
  build(0s, {0s}, jwt ? 60s : 300s);
  tell_life(*simulation, "");
  call_for(900s, 5s);
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_LE(simulation->token_requests(), jwt ? 20U : 4U);
}

TEST_P(Scenario, T6FractionsAndTextAreNumbers) {
  for (const char* json : {"3600.5", "\"3600\"", "\"3600.5\"", "3.6e3"}) {
    SCOPED_TRACE(json);
    build(0s, {0s}, 1h);
    tell_life(*simulation, json);
    const auto token = client->token();
    ASSERT_TRUE(token);
    EXPECT_GE(token->remaining, 3590s);
    EXPECT_LE(token->remaining, 3600500ms);
    call_for(2h, 1min);
    EXPECT_EQ(simulation->rejections(), 0U);
    EXPECT_LE(simulation->token_requests(), 3U);
  }
}

TEST_P(Scenario, T6AHugeLifetimeIsUsable) {
  build(0s, {0s}, 1h);
  tell_life(*simulation, "1e300");
  const auto token = client->token();
  ASSERT_TRUE(token);
  const bool jwt = std::get<0>(GetParam()) == TokenFormat::jwt;
  EXPECT_LE(token->remaining, jwt ? Duration{1h} : Duration{24h * 3650});
  EXPECT_GE(token->remaining, 59min);
  call_for(2h, 1min);
  // Nothing else shows the lifetime of an opaque token: each costs a 401 when it has expired.
  EXPECT_LE(simulation->rejections(), jwt ? 0U : 2U);
  EXPECT_LE(simulation->token_requests(), 3U);
}

TEST_P(Scenario, T6AZeroLifetimeMeansThatOfTheClaimsOtherwiseUnknown) {
  for (const char* json : {"0", "0.0", "-5", "-1e300", "\"-5\""}) {
    SCOPED_TRACE(json);
    build(0s, {0s}, 60s);
    tell_life(*simulation, json);
    ASSERT_EQ(client->get().status, 200);
    call_for(150s, 5s);
    const bool jwt = std::get<0>(GetParam()) == TokenFormat::jwt;
    EXPECT_EQ(simulation->rejections(), jwt ? 0U : 2U) << "each costs one refusal and one refresh";
    EXPECT_EQ(client->get().status, 200);
  }
}

TEST_P(Scenario, T6ALifetimeThatIsNotANumberIsAnErrorThatNamesTheField) {
  for (const char* json : {"\"soon\"", "\"\"", "true", "[]", "[3600]", "{}"}) {
    SCOPED_TRACE(json);
    build(0s, {0s}, 60s);
    tell_life(*simulation, json);
    const auto outcome = client->get();
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.report.exit_code, 1);
    EXPECT_EQ(outcome.error->kind, ErrorKind::protocol);
    EXPECT_THAT(outcome.error->message, testing::HasSubstr("expires_in"));
    EXPECT_EQ(sends_with_token(), 0U);
    EXPECT_LE(simulation->token_requests(), 2U);
  }
}

TEST_P(Scenario, T9TokensOfAnyShapeWork) {
  const std::vector<std::string> shapes{
      "opaque-~+/.",
      "not.a.jwt",
      "..",
      "e30.e30.e30",                                   // {} three times
      "eyJhbGciOiJub25lIn0.eyJzdWIiOiJkZW1vIn0.c2ln",  // {"alg":"none"}, {"sub":"demo"}: no exp
      "eyJhbGciOiJub25lIn0.eyJzdWIi.c2ln",             // half of the claims
      std::string(std::size_t{64} * 1024 - 1, 'x'),
  };
  for (const std::string& shape : shapes) {
    SCOPED_TRACE(shape.substr(0, 40));
    build(0s, {0s}, 300s);
    issue(*simulation, shape);
    call_for(700s, 20s);
    EXPECT_EQ(simulation->rejections(), 0U);
    EXPECT_EQ(tokens_sent(),
              (std::set<std::string>{"Bearer " + shape + "1", "Bearer " + shape + "2",
                                     "Bearer " + shape + "3"}));
    simulation->servers().tokens().revoke_all();
    const auto outcome = client->get();
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(outcome.report.verdict, Verdict::token_revoked) << to_json(outcome.report);
  }
}

TEST_P(Scenario, T9ATokenThatCannotStandInAHeaderIsRejectedAndNeverSentOrShown) {
  for (const std::string& value :
       {std::string{"Evil\r\nX: 1"}, std::string{"Evil\n"}, std::string{"Evil\x01"},
        std::string{"Evil\x7f"}, std::string{"Evil\0", 5}}) {
    build(0s, {0s});
    issue(*simulation, value);
    const auto outcome = client->get();
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.report.exit_code, 1);
    EXPECT_THAT(outcome.error->message, testing::HasSubstr("access_token"));
    EXPECT_EQ(sends_with_token(), 0U);
    EXPECT_THAT(describe(*outcome.error) + to_json(outcome.report),
                testing::Not(testing::HasSubstr("Evil")));
  }
}

TEST_P(Scenario, T11ATokenWithTooLittleLifeIsReplacedAndANewOneWithLessIsAnError) {
  build(0s, {0s}, 300s);
  ASSERT_TRUE(client->token());
  simulation->run_for(100s);
  const auto enough = client->token({.min_life = 150s});
  ASSERT_TRUE(enough);
  EXPECT_GE(enough->remaining, 150s);
  EXPECT_EQ(simulation->token_requests(), 1U);
  const auto renewed = client->token({.min_life = 250s});
  ASSERT_TRUE(renewed);
  EXPECT_GE(renewed->remaining, 250s);
  EXPECT_EQ(simulation->token_requests(), 2U);
  const auto never = client->token({.min_life = 10min});
  ASSERT_FALSE(never);
  EXPECT_EQ(never.error().report->exit_code, 1);
  EXPECT_THAT(never.error().message, testing::HasSubstr("600"));
  EXPECT_LE(simulation->token_requests(), 3U);
  EXPECT_EQ(client->get().status, 200) << "the token serves those who ask for less";
  EXPECT_LE(simulation->token_requests(), 3U);
}

TEST_P(Scenario, T12AFrozenProcessSendsNoTokenThatHasEnded) {
  build(0s, {0s}, 1h);
  VirtualClient frozen(*simulation);
  ASSERT_EQ(frozen.get().status, 200);
  frozen.process.freeze_for(2h);
  const auto outcome = frozen.get();
  EXPECT_EQ(outcome.status, 200);
  EXPECT_EQ(outcome.report.verdict, Verdict::ok) << to_json(outcome.report);
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_EQ(simulation->token_requests(), 2U);
}

TEST_P(Scenario, T12WithoutAnyTimerNoTokenIsSentThatHasEnded) {
  build(0s, {0s}, 300s);
  VirtualClient deaf(*simulation);
  deaf.process.loop.lose_timers();
  for (int i = 0; i < 60; ++i) {
    const auto outcome = deaf.get();
    ASSERT_EQ(outcome.status, 200) << i << to_json(outcome.report);
    simulation->run_for(i % 10 == 9 ? 400s : 20s);  // now and then the token expires unnoticed
  }
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_LE(simulation->token_requests(), 13U);
}

TEST_P(Scenario, T12ACallFrozenInItsWaitEndsAtOnceWhereItsDeadlineHasPassed) {
  build(5s, {0s}, 60s);
  VirtualClient frozen(*simulation);
  Request request;
  request.path = kMe;
  const auto pending = frozen.start(request);
  simulation->run_for(1s);
  ASSERT_EQ(simulation->rejections(), 1U);
  frozen.process.freeze_for(2h);
  const Instant thawed = simulation->boot();
  simulation->run_for(1s);
  ASSERT_TRUE(pending->has_value());
  EXPECT_LE((*pending)->ended, thawed + 100ms);
  EXPECT_NE((*pending)->report.exit_code, 0) << to_json((*pending)->report);
  EXPECT_EQ(sends_with_token(), 1U);
  simulation->run_for(10s);
  EXPECT_EQ(frozen.get().status, 200);
}

TEST_P(Scenario, T12ACallFrozenInItsWaitContinuesWithItsTokenWhereBothLive) {
  build(5s, {0s}, 1h);
  VirtualClient frozen(*simulation);
  Request request;
  request.path = kMe;
  request.timeout = 24h;
  const auto pending = frozen.start(request);
  simulation->run_for(1s);
  frozen.process.freeze_for(10min);
  simulation->run_for(1s);
  ASSERT_TRUE(pending->has_value());
  EXPECT_EQ((*pending)->status, 200) << to_json((*pending)->report);
  EXPECT_EQ(simulation->rejections(), 1U);
  EXPECT_EQ(simulation->token_requests(), 1U);
}

TEST_P(Scenario, T12ACallSuspendedInItsWaitReplacesATokenThatHasEndedMeanwhile) {
  build(5s, {0s}, 60s);
  Request request;
  request.path = kMe;
  request.timeout = 24h;
  const auto pending = client->start(request);
  simulation->run_for(1s);
  simulation->suspend(2h);
  simulation->run_for(20s);
  ASSERT_TRUE(pending->has_value());
  EXPECT_EQ((*pending)->status, 200) << to_json((*pending)->report);
  EXPECT_LE(simulation->rejections(), 2U);
}

TEST_P(Scenario, T12ACallSuspendedBeforeItsFirstSendSendsNoTokenThatHasEnded) {
  build(5s, {0s}, 60s);
  ASSERT_EQ(client->get().status, 200);
  const std::size_t learned_from = simulation->rejections();
  simulation->run_for(200s);
  Request request;
  request.path = kMe;
  request.timeout = 24h;
  const auto pending = client->start(request);
  simulation->run_for(1s);
  simulation->suspend(2h);
  simulation->run_for(20s);
  ASSERT_TRUE(pending->has_value());
  EXPECT_EQ((*pending)->status, 200) << to_json((*pending)->report);
  EXPECT_EQ(simulation->rejections(), learned_from);
}

TEST_P(Scenario, T12ACallThatOversleptHoldsNobodyElseUp) {
  build(5s, {0s}, 60s);
  VirtualClient frozen(*simulation);
  Request request;
  request.path = kMe;
  const auto pending = frozen.start(request);
  simulation->run_for(1s);
  frozen.process.freeze_for(2h);
  simulation->run_for(1s);
  ASSERT_TRUE(pending->has_value());
  EXPECT_EQ(frozen.get().status, 200) << "no new token was ever refused";
}

TEST_P(Scenario, T12ATokenWhoseLifePassedWhileItsAnswerLayUnreadIsNotUsed) {
  build(0s, {0s}, 1h);
  VirtualClient frozen(*simulation);
  Request request;
  request.path = kMe;
  request.timeout = 24h;
  const auto pending = frozen.start(request);
  simulation->run_for(5ms);
  frozen.process.freeze_for(2h);
  simulation->run_for(10s);
  ASSERT_TRUE(pending->has_value());
  EXPECT_EQ((*pending)->status, 200) << to_json((*pending)->report);
  EXPECT_EQ(simulation->rejections(), 0U);
  EXPECT_EQ(simulation->token_requests(), 2U);
}

// T15: `token` in a loop, each time in a new process ----------------------------------------------

TEST_P(Scenario, T15EveryTokenThatIsIssuedIsTakenAtOnce) {
  build(3s, {0s});
  for (int i = 0; i < 20; ++i) {
    VirtualClient process(*simulation, VirtualClient::default_options(),
                          static_cast<std::uint64_t>(i));
    const auto token = process.token();
    ASSERT_TRUE(token) << token.error().message;
    HttpRequest request{"GET", std::string(kApiUrl) + "/api/v2/tokens/me"};
    request.authorization = oauth::bearer_authorization(token->value);
    std::optional<SendResult> answer;
    simulation->transport().send(std::move(request), {simulation->boot() + 10s, 10'000},
                                 [&](SendResult result) { answer = std::move(result); });
    simulation->run_while([&] { return !answer; }, 10s);
    ASSERT_TRUE(answer && std::holds_alternative<Exchange>(*answer));
    EXPECT_EQ(std::get<Exchange>(*answer).status, 200) << i;
  }
}

}  // namespace
}  // namespace skewguard::simulation
