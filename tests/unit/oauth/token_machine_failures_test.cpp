#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "oauth/login_failure.hpp"
#include "oauth/token_machine.hpp"
#include "token_machine_testing.hpp"

namespace skewguard::oauth {
namespace {

using action::Deliver;
using action::Fail;
using action::StartFetch;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using Kind = TransportFailure::Kind;

/// Waits until a fetch is under way; fails the test after a minute.
void next_fetch(Bench& bench) {
  for (int i = 0; i < 600 && !bench.machine->fetching(); ++i) {
    bench.advance(100ms);
    bench.tick();
  }
  ASSERT_TRUE(bench.machine->fetching());
}

void expect_failure(const Fail& failed, Verdict verdict, ErrorKind kind) {
  EXPECT_EQ(failed.failure.verdict, verdict) << failed.failure.error.message;
  EXPECT_EQ(failed.failure.error.kind, kind) << failed.failure.error.message;
}

TEST(LoginFailures, AWrongSecretIsReportedToAllCallersAfterOneRequest) {
  Bench bench;
  bench.want(1);
  bench.want(2);
  const auto failed =
      all<Fail>(bench.reply(401, oauth_error_body("invalid_client", "authentication failed")));
  ASSERT_EQ(failed.size(), 2U);
  expect_failure(failed[0], Verdict::credentials_rejected, ErrorKind::credentials);
  EXPECT_THAT(failed[0].failure.error.message, HasSubstr("authentication failed"));
  EXPECT_EQ(failed[0].token_requests, 1);
  EXPECT_EQ(bench.fetches, 1);
}

// A secret that is being replaced
// ------------------------------------------------------------------

Grants secrets(std::initializer_list<const char*> values) {
  Grants out;
  for (const char* value : values)
    out.push_back(std::make_shared<ClientCredentials>("my-client", Secret{value}));
  return out;
}

TEST(SecretRotation, TheNextSecretIsTriedAtOnceWhereOneIsRefused) {
  Bench bench;
  bench.step(event::NewGrants{secrets({"new-secret", "old-secret"})});
  const auto first = only<StartFetch>(bench.want(1)).request.authorization;
  const auto actions = bench.reply(401, oauth_error_body("invalid_client", "no"));
  EXPECT_TRUE(all<Fail>(actions).empty());
  EXPECT_EQ(all<action::Rejected>(actions).size(), 1U) << "it is told all the same";
  EXPECT_NE(only<StartFetch>(actions).request.authorization, first);
  const auto delivered = only<Deliver>(bench.give("t1", "300"));
  EXPECT_EQ(delivered.token_requests, 2);
  ASSERT_EQ(delivered.attempts.size(), 1U);
  EXPECT_EQ(delivered.attempts[0].attempt.verdict, Verdict::credentials_rejected);
  EXPECT_EQ(delivered.attempts[0].attempt.action, Action::refresh_and_retry);
}

TEST(SecretRotation, TheOneThatWorkedIsUsedUntilItIsRefused) {
  Bench bench;
  bench.step(event::NewGrants{secrets({"new-secret", "old-secret"})});
  bench.want(1);
  bench.reply(401, oauth_error_body("invalid_client", "no"));
  bench.give("t1", "300");
  bench.advance(400s);
  bench.want(2);
  bench.give("t2", "300");
  EXPECT_EQ(bench.fetches, 3) << "the refused one was not tried again";
  bench.advance(400s);
  bench.want(3);
  bench.reply(401, oauth_error_body("invalid_client", "rotated"));
  EXPECT_EQ(only<Deliver>(bench.give("t3", "300")).token->value.reveal(), "t3") << "and back";
}

TEST(SecretRotation, IfAllAreRejectedEveryCallerFailsAfterOneRound) {
  Bench bench;
  bench.step(event::NewGrants{secrets({"a-secret", "b-secret", "c-secret"})});
  bench.want(1);
  bench.reply(401, oauth_error_body("invalid_client", "no"));
  bench.reply(401, oauth_error_body("invalid_client", "no"));
  const auto failed = only<Fail>(bench.reply(401, oauth_error_body("invalid_client", "no")));
  expect_failure(failed, Verdict::credentials_rejected, ErrorKind::credentials);
  EXPECT_EQ(failed.attempts.size(), 3U);
  EXPECT_EQ(bench.fetches, 3);
}

TEST(SecretRotation, NewSecretsOpenADoorThatTheOldOnesClosed) {
  Bench bench;
  bench.want(1);
  bench.reply(401, oauth_error_body("invalid_client", "no"));
  EXPECT_EQ(all<Fail>(bench.want(2)).size(), 1U);
  bench.step(event::NewGrants{secrets({"new-secret"})});
  bench.want(3);
  EXPECT_EQ(only<Deliver>(bench.give("t1", "300")).token->value.reveal(), "t1");
}

TEST(SecretRotation, NoSecretOfThemAllIsSeenWhereAServerEchoesIt) {
  Bench bench;
  bench.step(event::NewGrants{secrets({"new-secret", "old-secret"})});
  bench.want(1);
  bench.reply(401, oauth_error_body("invalid_client", "no"));
  const auto failed = only<Fail>(
      bench.reply(401, oauth_error_body("invalid_client", "not new-secret nor old-secret")));
  EXPECT_THAT(failed.failure.error.message, Not(HasSubstr("-secret")));
}

TEST(SecretRotation, ALateRejectionOfAReplacedSecretDoesNotCountAgainstTheNewOne) {
  Bench bench;
  const auto old = only<StartFetch>(bench.want(1)).request.authorization;
  bench.step(event::NewGrants{secrets({"new-secret"})});
  const auto late = bench.reply(401, oauth_error_body("invalid_client", "no"));
  EXPECT_TRUE(all<Fail>(late).empty());
  EXPECT_NE(only<StartFetch>(late).request.authorization, old) << "at once, with the new one";
  const auto delivered = only<Deliver>(bench.give("t1"));
  ASSERT_EQ(delivered.attempts.size(), 1U);
  EXPECT_EQ(delivered.attempts[0].attempt.action, Action::refresh_and_retry);
}

TEST(SecretRotation, ALateRejectionOfAReplacedSecretSkipsNoneOfTheNewOnes) {
  Bench bench;
  bench.want(1);
  const auto fresh = secrets({"a-secret", "b-secret"});
  bench.step(event::NewGrants{fresh});
  const auto next = only<StartFetch>(bench.reply(401, oauth_error_body("invalid_client", "no")));
  EXPECT_EQ(next.request.authorization,
            Rfc6749Dialect().request(*fresh.front(), next.request.url).authorization);
  bench.reply(401, oauth_error_body("invalid_client", "no"));
  EXPECT_EQ(all<Fail>(bench.reply(401, oauth_error_body("invalid_client", "no"))).size(), 1U)
      << "each of the new ones was tried once";
}

TEST(SecretRotation, ALateAnswerToAReplacedSecretDoesNotShowThatTheNewOneWorks) {
  Bench bench;
  bench.want(1);
  bench.step(event::NewGrants{secrets({"new-secret"})});
  bench.give("t1", "1");
  bench.advance(2s);
  bench.want(2);
  bench.reply(401, oauth_error_body("invalid_client", "no"));
  EXPECT_EQ(all<Fail>(bench.want(3)).size(), 1U) << "nobody waits for one that never worked";
}

TEST(SecretRotation, ALateAnswerShowsNoSecretThatWasReplacedMeanwhile) {
  Bench bench;
  bench.want(1);
  bench.step(event::NewGrants{secrets({"new-secret"})});
  const std::string echo = std::string("not ") + Bench::kSecret;
  const auto told =
      only<action::Rejected>(bench.reply(401, oauth_error_body("invalid_client", echo)))
          .attempt.attempt.explanation;
  EXPECT_THAT(told, HasSubstr("not ***"));
  EXPECT_THAT(told, Not(HasSubstr(Bench::kSecret)));
}

TEST(SecretRotation, AReplacedSecretIsKeptNoLongerThanItsRequestTakes) {
  for (const bool answered : {true, false}) {
    Bench bench;
    const auto replaced = secrets({"second-secret"});
    const std::weak_ptr<const Grant> grant = replaced.front();
    bench.step(event::NewGrants{replaced});
    bench.want(1);
    bench.step(event::NewGrants{secrets({"third-secret"})});
    EXPECT_EQ(grant.use_count(), 2) << "here and in the machine";
    if (answered) {
      bench.give("t1");
    } else {
      bench.fail(TransportFailure::Kind::timeout);
    }
    EXPECT_EQ(grant.use_count(), 1);
  }
  Bench idle;
  const auto replaced = secrets({"second-secret"});
  idle.step(event::NewGrants{replaced});
  idle.step(event::NewGrants{secrets({"third-secret"})});
  EXPECT_EQ(replaced.front().use_count(), 1);
}

TEST(LoginFailures, WrongCredentialsAreNotTriedAgainDuringAGrowingPause) {
  Bench bench;
  WaiterId id = 1;
  for (const Duration pause : {5s, 10s, 20s}) {
    bench.want(id++);
    bench.reply(401, oauth_error_body("invalid_client", "no"));
    const int before = bench.fetches;
    for (int i = 0; i < 10; ++i) {
      expect_failure(only<Fail>(bench.want(id++)), Verdict::credentials_rejected,
                     ErrorKind::credentials);
      bench.advance(pause / 10);
    }
    EXPECT_EQ(bench.fetches, before);
  }
  bench.want(id++);
  EXPECT_EQ(all<Deliver>(bench.give("t1")).size(), 1U) << "the secret was put right";
}

TEST(LoginFailures, ARejectionThatAnotherProcessGotIsOneForEveryCaller) {
  Bench bench;
  const auto fetch = only<StartFetch>(bench.want(1)).fetch;
  bench.want(2);
  EXPECT_FALSE(bench.machine->pause(bench.boot));
  const auto failed = all<Fail>(bench.step(event::RejectedElsewhere{fetch}));
  ASSERT_EQ(failed.size(), 2U);
  expect_failure(failed[1], Verdict::credentials_rejected, ErrorKind::credentials);
  EXPECT_EQ(failed[1].token_requests, 0);
  EXPECT_THAT(failed[1].failure.error.message, HasSubstr("another process"));
  ASSERT_TRUE(bench.machine->pause(bench.boot));
  EXPECT_TRUE(bench.machine->pause(bench.boot)->credentials);
  EXPECT_EQ(all<Fail>(bench.want(3)).size(), 1U) << "nobody asks during the pause";
  EXPECT_TRUE(bench.step(event::RejectedElsewhere{fetch}).empty()) << "a late one changes nothing";
}

TEST(SecretRotation, ARejectionThatAnotherProcessGotIsOneOfAllSecrets) {
  Bench bench;
  bench.step(event::NewGrants{secrets({"new-secret", "old-secret"})});
  const auto fetch = only<StartFetch>(bench.want(1)).fetch;
  const auto actions = bench.step(event::RejectedElsewhere{fetch});
  EXPECT_EQ(all<Fail>(actions).size(), 1U);
  EXPECT_TRUE(all<StartFetch>(actions).empty());
}

TEST(SecretRotation, OnlyARejectionOfAllSecretsIsOneForOthers) {
  Bench bench;
  bench.step(event::NewGrants{secrets({"new-secret", "old-secret"})});
  bench.want(1);
  bench.reply(401, oauth_error_body("invalid_client", "no"));
  EXPECT_FALSE(bench.machine->pause(bench.boot));
  bench.reply(401, oauth_error_body("invalid_client", "no"));
  EXPECT_TRUE(bench.machine->pause(bench.boot)->credentials);
}

/// Each try is refused, after the pauses of 1, 2, 4, 8 and 16 s in which a caller waits.
WaiterId refuse_good_credentials(Bench& bench, WaiterId id) {
  bench.want(id++);
  bench.reply(401, oauth_error_body("invalid_client", "no"));
  for (const Duration pause : {1s, 2s, 4s, 8s, 16s}) {
    const auto waits = bench.want(id);
    EXPECT_TRUE(all<Fail>(waits).empty()) << pause / 1s;
    EXPECT_TRUE(all<action::StartFetch>(waits).empty()) << pause / 1s;
    bench.advance(pause - 100ms);
    EXPECT_TRUE(all<action::StartFetch>(bench.tick()).empty()) << pause / 1s;
    bench.advance(100ms);
    EXPECT_EQ(all<action::StartFetch>(bench.tick()).size(), 1U) << pause / 1s;
    const auto failed = only<Fail>(bench.reply(401, oauth_error_body("invalid_client", "no")));
    EXPECT_EQ(failed.waiter, id++);
    expect_failure(failed, Verdict::credentials_rejected, ErrorKind::credentials);
  }
  return id;
}

TEST(LoginFailures, CallersWaitForTheNextTryOfCredentialsThatHaveWorked) {  // login-refuses-*
  Bench bench;
  bench.get("t1", "1");
  bench.advance(2s);
  WaiterId id = refuse_good_credentials(bench, 1);
  EXPECT_EQ(all<Fail>(bench.want(id++)).size(), 1U) << "it has lasted for half a minute";
  bench.advance(32s);
  bench.want(id++);
  EXPECT_EQ(all<Deliver>(bench.give("t2", "1")).size(), 1U);
  bench.advance(2s);
  refuse_good_credentials(bench, id);
}

TEST(LoginFailures, ACallerWithoutTimeForTheNextTryFailsAtOnce) {
  Bench bench;
  bench.get("t1", "1");
  bench.advance(2s);
  bench.want(1);
  bench.reply(401, oauth_error_body("invalid_client", "no"));
  expect_failure(only<Fail>(bench.want(2, 900ms)), Verdict::credentials_rejected,
                 ErrorKind::credentials);
}

TEST(LoginFailures, NewCredentialsHaveNotWorkedYet) {
  Bench bench;
  bench.get("t1", "1");
  bench.advance(2s);
  bench.step(event::NewGrants{secrets({"new-secret"})});
  bench.want(1);
  bench.reply(401, oauth_error_body("invalid_client", "no"));
  EXPECT_EQ(all<Fail>(bench.want(2)).size(), 1U);
}

/// A dialect that recognizes an unknown client, like that of Genesys.
class TellsUnknownClients final : public Dialect {
 public:
  HttpRequest request(const Grant& grant, std::string_view url) const override {
    return base_.request(grant, url);
  }
  Result<TokenAnswer> token(const clocks::Answer& exchange) const override {
    return base_.token(exchange);
  }
  Refusal login_refusal(const Exchange& exchange) const override {
    Refusal refusal = base_.login_refusal(exchange);
    refusal.kind = Refusal::Kind::unknown_client;
    return refusal;
  }
  Refusal api_refusal(const Exchange& exchange, std::string_view path,
                      bool managed) const override {
    return base_.api_refusal(exchange, path, managed);
  }

 private:
  Rfc6749Dialect base_;
};

TEST(LoginFailures, AnUnknownClientIsNamedWithItsRegion) {
  Bench bench({}, Bench::kSecret, std::make_shared<TellsUnknownClients>());
  bench.want(1);
  const auto failed =
      only<Fail>(bench.reply(400, oauth_error_body("invalid_client", "client not found")));
  expect_failure(failed, Verdict::unknown_client, ErrorKind::credentials);
  EXPECT_THAT(failed.failure.error.message, HasSubstr("my-client"));
  EXPECT_THAT(failed.failure.error.message, HasSubstr("mypurecloud.ie"));
  EXPECT_THAT(failed.failure.error.message, HasSubstr("login.example.com"));
}

TEST(LoginFailures, ARateLimitIsWaitedOutAsRequested) {
  Bench bench;
  bench.want(1, 30s);
  bench.reply(429, "", {{"Retry-After", "7"}});
  bench.advance(6900ms);
  EXPECT_TRUE(all<StartFetch>(bench.tick()).empty());
  bench.advance(100ms);
  EXPECT_EQ(all<StartFetch>(bench.tick()).size(), 1U);
  const auto delivered = only<Deliver>(bench.give("t1"));
  EXPECT_EQ(delivered.token_requests, 2);
  ASSERT_EQ(delivered.attempts.size(), 1U);
  EXPECT_EQ(delivered.attempts[0].attempt.verdict, Verdict::login_rate_limited);
  EXPECT_EQ(delivered.attempts[0].attempt.action, Action::wait_and_retry);
  EXPECT_EQ(delivered.attempts[0].attempt.waited, 7s);
}

TEST(LoginFailures, ARateLimitPastTheDeadlineIsReportedAtOnceWithItsLength) {
  Bench bench;
  bench.want(1, 28s);
  const auto failed = only<Fail>(bench.reply(429, "", {{"Retry-After", "3600"}}));
  expect_failure(failed, Verdict::login_rate_limited, ErrorKind::throttled);
  EXPECT_THAT(failed.failure.error.message, HasSubstr("1 h"));
  EXPECT_THAT(failed.failure.error.message, HasSubstr("28"));
  ASSERT_EQ(failed.attempts.size(), 1U);
  EXPECT_EQ(failed.attempts[0].attempt.action, Action::give_up);
  EXPECT_EQ(failed.attempts[0].attempt.waited, 0s);
  expect_failure(only<Fail>(bench.want(2)), Verdict::login_rate_limited, ErrorKind::throttled);
  EXPECT_EQ(bench.fetches, 1);
}

TEST(LoginFailures, ARateLimitWithoutATimeIsBackedOffFrom) {
  for (const Headers& headers :
       {Headers{}, Headers{{"Retry-After", "soon"}}, Headers{{"Retry-After", "0"}}}) {
    Bench bench;
    bench.want(1);
    bench.reply(400, oauth_error_body("invalid_request", "rate limit exceeded; wait"), headers);
    bench.advance(249ms);
    EXPECT_TRUE(all<StartFetch>(bench.tick()).empty());
    bench.advance(251ms);
    EXPECT_EQ(all<StartFetch>(bench.tick()).size(), 1U);
  }
}

TEST(LoginFailures, AServerErrorIsRetriedUntilNoTryFitsTheDeadline) {
  Bench bench;
  bench.want(1, 10s);
  TokenActions actions;
  for (int tries = 0; tries < 20 && all<Fail>(actions).empty(); ++tries) {
    next_fetch(bench);
    actions = bench.reply(502, "<html>", {{"ININ-Correlation-Id", "c-7"}});
  }
  const auto failed = only<Fail>(actions);
  expect_failure(failed, Verdict::auth_backend_unavailable, ErrorKind::unavailable);
  EXPECT_GE(bench.fetches, 4) << "0.5 + 1 + 2 + 4 s fit into ten";
  EXPECT_LE(bench.fetches, 6);
  EXPECT_EQ(failed.token_requests, bench.fetches);
  ASSERT_EQ(failed.attempts.size(), static_cast<std::size_t>(bench.fetches));
  const auto& attempt = failed.attempts[0].attempt;
  EXPECT_EQ(attempt.host, HostRole::login);
  EXPECT_EQ(attempt.http_status, 502);
  EXPECT_EQ(attempt.correlation_id, "c-7");
  EXPECT_EQ(attempt.verdict, Verdict::auth_backend_unavailable);
  EXPECT_TRUE(attempt.server_date);
  EXPECT_THAT(attempt.explanation, HasSubstr("502"));
}

TEST(LoginFailures, RetryAfterOfA503IsHeeded) {
  Bench bench;
  bench.want(1);
  bench.reply(503, "", {{"Retry-After", "4"}});
  bench.advance(3900ms);
  EXPECT_TRUE(all<StartFetch>(bench.tick()).empty());
  bench.advance(100ms);
  EXPECT_EQ(all<StartFetch>(bench.tick()).size(), 1U);
}

TEST(LoginFailures, ResetsCutsAndTimeoutsAreRetriedWhileTheDeadlineAllows) {
  for (const Kind kind : {Kind::reset, Kind::truncated, Kind::timeout}) {
    Bench bench;
    bench.want(1, 60s);
    for (int i = 0; i < 5; ++i) {
      next_fetch(bench);
      EXPECT_TRUE(all<Fail>(bench.fail(kind)).empty()) << to_string(kind) << i;
    }
    next_fetch(bench);
    const auto delivered = only<Deliver>(bench.give("t1"));
    EXPECT_EQ(delivered.attempts.size(), 5U);
    EXPECT_EQ(delivered.attempts[0].attempt.verdict,
              kind == Kind::timeout ? Verdict::timeout : Verdict::network);
    EXPECT_EQ(delivered.attempts[0].attempt.http_status, std::nullopt);
  }
}

TEST(LoginFailures, AHostThatCannotBeReachedIsTriedTwiceMore) {
  for (const Kind kind : {Kind::refused, Kind::dns, Kind::unreachable, Kind::proxy}) {
    Bench bench;
    bench.want(1, 60s);
    for (int i = 0; i < 2; ++i) {
      next_fetch(bench);
      EXPECT_TRUE(all<Fail>(bench.fail(kind)).empty());
    }
    next_fetch(bench);
    const auto failed = only<Fail>(bench.fail(kind, "connection refused by login:443"));
    expect_failure(failed, Verdict::network, ErrorKind::unavailable);
    EXPECT_THAT(failed.failure.error.message, HasSubstr("connection refused by login:443"));
    EXPECT_EQ(bench.fetches, 3);
  }
}

TEST(LoginFailures, TlsFailuresAreNotRetried) {
  for (const auto& [kind, verdict] : {std::pair{Kind::tls_untrusted, Verdict::tls_untrusted},
                                      {Kind::tls_failed, Verdict::network}}) {
    Bench bench;
    bench.want(1);
    expect_failure(only<Fail>(bench.fail(kind)), verdict, ErrorKind::unavailable);
    bench.advance(30s);
    bench.tick();
    EXPECT_EQ(bench.fetches, 1);
  }
}

/// After this program was built: 2027-06-01. The certificate is good from 30 days before until 60
/// days after.
constexpr WallTime kTrueTime{1'811'808'000s};
TokenFailure out_of_time(WallTime local, std::optional<Duration> truth_less_local) {
  TransportFailure failure{.kind = Kind::tls_time,
                           .detail = "",
                           .not_before = kTrueTime - 30 * 24h,
                           .not_after = kTrueTime + 60 * 24h};
  if (truth_less_local) {
    failure.time_report =
        TimeReport{{*truth_less_local - 1ms, *truth_less_local + 1ms}, "NTP (ntp:123)"};
  }
  const LoginFailure login = failure_of(failure, "https://login.test", local);
  EXPECT_EQ(login.retry, Retry::never);
  return login.failure;
}

TEST(LoginFailures, TheLocalClockIsToBlameWhereARefereeSaysSo) {
  const auto behind = out_of_time(WallTime{600s}, kTrueTime - WallTime{600s});
  EXPECT_EQ(behind.verdict, Verdict::tls_clock);
  EXPECT_EQ(behind.error.kind, ErrorKind::clock);
  EXPECT_EQ(behind.error.message,
            "the certificate of https://login.test (valid from 2027-05-02T00:00:00Z until "
            "2027-07-31T00:00:00Z, and the local clock says 1970-01-01T00:10:00Z) fails because "
            "the local clock is wrong: it is 57.4 years behind; NTP (ntp:123) says so");
  EXPECT_THAT(behind.error.remedy, HasSubstr("correct the clock of this machine"));
  const auto ahead = out_of_time(kTrueTime + 2400h, -2400h);
  EXPECT_EQ(ahead.verdict, Verdict::tls_clock);
  EXPECT_THAT(ahead.error.message, HasSubstr("it is 100 d ahead; NTP (ntp:123) says so"));
}

TEST(LoginFailures, TheLocalClockIsToBlameWhereItShowsATimeBeforeThisProgramWasMade) {
  const auto failure = out_of_time(WallTime{600s}, std::nullopt);
  EXPECT_EQ(failure.verdict, Verdict::tls_clock);
  EXPECT_EQ(failure.error.kind, ErrorKind::clock);
  EXPECT_THAT(failure.error.message, HasSubstr("it is at least 56.9 years behind, because"));
}

TEST(LoginFailures, TheCertificateIsToBlameWhereTheLocalClockIsRight) {
  const auto failure = out_of_time(kTrueTime + 2400h, 0s);
  EXPECT_EQ(failure.verdict, Verdict::tls_untrusted);
  EXPECT_EQ(failure.error.kind, ErrorKind::unavailable);
  EXPECT_EQ(failure.error.kind, ErrorKind::unavailable);
  EXPECT_THAT(failure.error.message,
              HasSubstr("the local clock is not to blame: NTP (ntp:123) says so"));
  EXPECT_EQ(failure.error.remedy, "ask the operator of https://login.test to renew it");
}

TEST(LoginFailures, NobodyIsToBlameWhereNobodyKnowsTheTime) {
  const auto failure = out_of_time(kTrueTime + 2400h, std::nullopt);
  EXPECT_EQ(failure.verdict, Verdict::tls_untrusted);
  EXPECT_EQ(failure.error.kind, ErrorKind::unavailable);
  EXPECT_THAT(failure.error.message, HasSubstr("no other clock confirms"));
  EXPECT_THAT(failure.error.remedy, HasSubstr("--ntp"));
}

TEST(LoginFailures, AProxyThatRefusesUsIsNotAskedAgain) {
  Bench bench;
  bench.want(1);
  expect_failure(only<Fail>(bench.fail(Kind::proxy_refused)), Verdict::network,
                 ErrorKind::unavailable);
  bench.advance(30s);
  bench.tick();
  EXPECT_EQ(bench.fetches, 1);
}

TEST(LoginFailures, TheRemedyNamesTheSettingThatIsToBlame) {
  const auto remedy_of = [](Kind kind) {
    return failure_of(TransportFailure{kind, "words", false}, "", WallTime{}).failure.error.remedy;
  };
  for (const Kind kind : {Kind::proxy, Kind::proxy_refused}) {
    EXPECT_THAT(remedy_of(kind), AllOf(HasSubstr("--proxy, HTTPS_PROXY"), Not(HasSubstr("login"))));
  }
  EXPECT_THAT(remedy_of(Kind::tls_failed), HasSubstr("--client-cert, --client-key"));
  EXPECT_THAT(remedy_of(Kind::dns), AllOf(HasSubstr("login URL"), Not(HasSubstr("proxy"))));
}

TEST(LoginFailures, ACertificateThatIsNotValidNowIsReportedWithItsDatesAndOurs) {
  Bench bench;
  bench.wall_offset = -10'000s;  // 1970
  bench.want(1);
  const auto failed = only<Fail>(
      bench.step(event::FetchFailed{bench.fetch(),
                                    {.kind = Kind::tls_time,
                                     .detail = "certificate is not yet valid",
                                     .not_before = WallTime{std::chrono::seconds{1'767'225'600}},
                                     .not_after = WallTime{std::chrono::seconds{1'775'001'600}}}}));
  EXPECT_THAT(failed.failure.error.message, HasSubstr("2026-01-01T00:00:00Z"));
  EXPECT_THAT(failed.failure.error.message, HasSubstr("2026-04-01T00:00:00Z"));
  EXPECT_THAT(failed.failure.error.message, HasSubstr("1970-01-01T00:00:00Z"));
}

TEST(LoginFailures, AWallClockThatWasSetIsAskedWithAtOnce) {
  Bench bench;
  bench.wall_offset = -1'000'000s;
  const auto out_of_time = [&] {
    return event::FetchFailed{bench.fetch(),
                              {.kind = Kind::tls_time,
                               .detail = "",
                               .not_before = kTrueTime - 30 * 24h,
                               .not_after = kTrueTime + 60 * 24h}};
  };
  bench.want(1);
  EXPECT_EQ(only<Fail>(bench.step(out_of_time())).failure.verdict, Verdict::tls_clock);
  bench.want(2);
  EXPECT_EQ(bench.fetches, 1);
  bench.wall_offset += 1'000'000s;
  bench.want(3);
  EXPECT_EQ(bench.fetches, 2);
}

TEST(LoginFailures, UnusableAnswersAreTriedOnceMore) {
  const std::vector<std::pair<int, std::string>> answers = {{200, ""},
                                                            {204, ""},
                                                            {200, "<!DOCTYPE html><html>"},
                                                            {200, R"({"access_token":"abc)"},
                                                            {200, R"({"access_token":"a\u0000b"})"},
                                                            {200, token_body("t1", "true")},
                                                            {404, "not here"}};
  for (const auto& [status, body] : answers) {
    Bench bench;
    bench.want(1);
    EXPECT_TRUE(all<Fail>(bench.reply(status, body)).empty()) << body;
    next_fetch(bench);
    expect_failure(only<Fail>(bench.reply(status, body)), Verdict::protocol, ErrorKind::protocol);
    EXPECT_EQ(bench.fetches, 2);
  }
  Bench bench;
  bench.want(1);
  bench.fail(Kind::too_large);
  next_fetch(bench);
  expect_failure(only<Fail>(bench.fail(Kind::too_large)), Verdict::protocol, ErrorKind::protocol);
}

TEST(LoginFailures, WhatIsNotHttpIsReportedAfterOneRequest) {  // login-double-chunked
  Bench bench;
  bench.want(1);
  expect_failure(only<Fail>(bench.fail(Kind::malformed)), Verdict::protocol, ErrorKind::protocol);
  EXPECT_EQ(bench.fetches, 1);
}

TEST(LoginFailures, AnAccidentIsMitigatedByTheSecondTry) {
  Bench bench;
  bench.want(1);
  bench.reply(200, "");
  next_fetch(bench);
  EXPECT_EQ(only<Deliver>(bench.give("t1")).attempts.size(), 1U);
}

TEST(LoginFailures, AnInvalidLifetimeNamesTheField) {
  Bench bench;
  bench.want(1);
  bench.give("t1", "\"soon\"");
  next_fetch(bench);
  EXPECT_THAT(only<Fail>(bench.give("t1", "\"soon\"")).failure.error.message,
              HasSubstr("expires_in"));
}

/// Log lines about a field of a token answer.
std::vector<LogLine> oddities_in(const TokenActions& actions) {
  std::vector<LogLine> lines;
  for (const auto& log : all<action::Log>(actions))
    if (log.line.message.find('`') != std::string::npos) lines.push_back(log.line);
  return lines;
}

TEST(LoginFailures, WhatIsOddAboutATokenAnswerIsReportedOnce) {
  Bench bench;
  bench.want(1);
  const auto told = oddities_in(bench.give("t1", "0"));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].level, LogLevel::warn);
  EXPECT_THAT(told[0].message, AllOf(HasSubstr("expires_in"), HasSubstr("ignored")));
  bench.advance(400s);
  bench.want(2);
  EXPECT_TRUE(oddities_in(bench.give("t2", "-7")).empty());
}

TEST(LoginFailures, AnotherTokenTypeIsLoggedAtInfoWithoutTheSecret) {
  Bench bench;
  bench.want(1);
  const auto told = oddities_in(bench.reply(
      200, R"({"access_token":"t","token_type":")" + std::string(Bench::kSecret) + "\"}"));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].level, LogLevel::info);
  EXPECT_THAT(told[0].message,
              AllOf(HasSubstr("token_type"), HasSubstr("***"), Not(HasSubstr(Bench::kSecret))));
}

TEST(LoginFailures, AnOAuthErrorWith200Or403IsReportedAfterOneRequest) {
  for (const int status : {200, 403}) {
    Bench bench;
    bench.want(1);
    const auto failed =
        only<Fail>(bench.reply(status, oauth_error_body("access_denied", "no grant for it")));
    expect_failure(failed, Verdict::credentials_rejected, ErrorKind::credentials);
    EXPECT_THAT(failed.failure.error.message, HasSubstr("access_denied (no grant for it)"));
    EXPECT_EQ(bench.fetches, 1);
  }
}

TEST(LoginFailures, AFirewallsPageNamesIt) {
  Bench bench;
  bench.want(1);
  bench.reply(403, "<html><title>Blocked</title></html>");
  next_fetch(bench);
  const auto failed = only<Fail>(bench.reply(403, "<html><title>Blocked</title></html>"));
  expect_failure(failed, Verdict::gateway_refused, ErrorKind::protocol);
  EXPECT_THAT(failed.failure.error.message, HasSubstr("page \"Blocked\""));
}

TEST(LoginFailures, TheRemedyNamesOtherWaysToAuthenticate) {
  const auto remedy = [](const LoginContext& context, const char* words) {
    Refusal refusal;
    refusal.kind = Refusal::Kind::credentials_rejected;
    refusal.description = words;
    return failure_of(refusal, 401, context).failure.error.remedy;
  };
  LoginContext context{"https://login.example", "mypurecloud.ie", "my-client"};
  EXPECT_THAT(remedy(context, "no"), Not(HasSubstr("--client-auth")));
  EXPECT_THAT(remedy(context, "client_id and client_secret must be in the request body"),
              HasSubstr("--client-auth post"));
  EXPECT_THAT(remedy(context, "no"), HasSubstr("--region"));
  context.region.clear();
  EXPECT_THAT(remedy(context, "no"),
              AllOf(HasSubstr("--client-auth post"), HasSubstr("https://login.example")));
  EXPECT_THAT(remedy(context, "no"), Not(HasSubstr("--dialect")));
  context.raw = context.special = true;
  EXPECT_THAT(remedy(context, "no"), HasSubstr("--dialect rfc6749"));
  context.client_auth = ClientAuth::post;
  EXPECT_THAT(remedy(context, "no"),
              AllOf(HasSubstr("--client-auth basic"), Not(HasSubstr("--dialect"))));
}

TEST(LoginFailures, ARedirectIsNotFollowedAndNamesItsTarget) {
  Bench bench;
  bench.want(1);
  const auto failed =
      only<Fail>(bench.reply(302, "", {{"Location", "https://evil.example/oauth/token?x=1"}}));
  expect_failure(failed, Verdict::protocol, ErrorKind::protocol);
  EXPECT_THAT(failed.failure.error.message, HasSubstr("https://evil.example"));
  EXPECT_THAT(failed.failure.error.message, Not(HasSubstr("x=1")));
  EXPECT_EQ(bench.fetches, 1);
}

TEST(LoginFailures, OtherOAuthErrorsAreReportedInTheServersWords) {
  Bench bench;
  bench.want(1);
  const auto failed = only<Fail>(bench.reply(400, oauth_error_body("invalid_scope", "no such")));
  EXPECT_EQ(failed.failure.error.kind, ErrorKind::credentials);
  EXPECT_THAT(failed.failure.error.message, HasSubstr("invalid_scope (no such)"));
  EXPECT_EQ(failed.attempts.at(0).attempt.error_code, "invalid_scope");
}

TEST(LoginFailures, ARequestThatCannotBeSentIsAMatterOfSettings) {
  Bench bench;
  bench.want(1);
  expect_failure(only<Fail>(bench.fail(Kind::bad_request)), Verdict::protocol, ErrorKind::config);
}

TEST(LoginFailures, AWithdrawnRequestIsCancelled) {
  Bench bench;
  bench.want(1);
  EXPECT_EQ(only<Fail>(bench.fail(Kind::cancelled)).failure.error.kind, ErrorKind::cancelled);
}

TEST(LoginFailures, TheSecretThatAServerEchoesStaysOut) {
  Bench bench;
  bench.want(1);
  const std::string secret = Bench::kSecret;
  const auto actions = bench.reply(401, oauth_error_body("invalid_client", "bad " + secret));
  const auto failed = only<Fail>(actions);
  EXPECT_THAT(failed.failure.error.message, Not(HasSubstr(secret)));
  EXPECT_THAT(failed.attempts.at(0).attempt.explanation, Not(HasSubstr(secret)));
  for (const auto& log : all<action::Log>(actions)) {
    EXPECT_THAT(log.line.message, Not(HasSubstr(secret)));
  }
}

TEST(LoginFailures, TheSecretThatAServerEchoesAsItWasSentStaysOut) {
  const std::string encoded = "a%2Bb%2Fc%3Dd%2Be%2Ff%3Dg%2Bh%2Fi%3D";
  for (const ClientAuth way : {ClientAuth::basic, ClientAuth::post}) {
    for (const std::string& words : {"client_secret=" + encoded, "my-client:" + encoded}) {
      Bench bench;
      bench.step(event::NewGrants{{std::make_shared<ClientCredentials>(
          "my-client", Secret{"a+b/c=d+e/f=g+h/i="},
          std::vector<std::pair<std::string, std::string>>{}, way)}});
      bench.want(1);
      const auto actions = bench.reply(401, oauth_error_body("invalid_client", words));
      const auto rejected = all<action::Rejected>(actions);
      ASSERT_EQ(rejected.size(), 1U);
      EXPECT_THAT(rejected[0].attempt.attempt.explanation,
                  AllOf(HasSubstr("***"), Not(HasSubstr("%2B"))));
      for (const auto& log : all<action::Log>(actions))
        EXPECT_THAT(log.line.message, Not(HasSubstr("%2B"))) << words;
    }
  }
}

TEST(LoginFailures, TheSecretThatAServerEchoesIsNotSeenCutEither) {
  const std::string secret = Bench::kSecret;
  for (std::size_t before = 190; before <= 200; ++before) {  // its words are cut after 200
    Bench bench;
    bench.want(1);
    const auto failed = only<Fail>(
        bench.reply(401, oauth_error_body("invalid_client", std::string(before, 'x') + secret)));
    EXPECT_THAT(failed.failure.error.message, Not(HasSubstr(secret.substr(0, 4)))) << before;
  }
}

TEST(LoginFailures, WhatARejectionMeansDoesNotHangOnTheSecretsWords) {
  Bench bench({}, "authentication failed");
  bench.want(1);
  const auto failed =
      only<Fail>(bench.reply(401, oauth_error_body("invalid_client", "authentication failed")));
  expect_failure(failed, Verdict::credentials_rejected, ErrorKind::credentials);
  EXPECT_THAT(failed.failure.error.message, HasSubstr("(***)"));
}

TEST(LoginFailures, ASecretInTheWrongFieldOfAGoodAnswerStaysOut) {
  const std::string secret = Bench::kSecret;
  for (const std::string& body :
       {R"({"access_token":"t","expires_in":")" + secret + "\"}", "<" + secret + ">"}) {
    Bench bench;
    bench.want(1);
    const auto actions = bench.reply(200, body);
    for (const auto& rejected : all<action::Rejected>(actions)) {
      EXPECT_THAT(rejected.attempt.attempt.explanation, Not(HasSubstr(secret))) << body;
    }
    EXPECT_EQ(all<action::Rejected>(actions).size(), 1U) << body;
  }
}

TEST(LoginFailures, ARejectionIsReportedOnceHoweverManyWait) {
  Bench bench;
  bench.want(1);
  bench.want(2);
  const auto rejected = all<action::Rejected>(bench.reply(503, ""));
  ASSERT_EQ(rejected.size(), 1U);
  EXPECT_EQ(rejected[0].attempt.attempt.verdict, Verdict::auth_backend_unavailable);
  EXPECT_EQ(rejected[0].attempt.attempt.http_status, 503);
}

TEST(LoginFailures, AGatewaysComeBackTomorrowIsIgnored) {
  Bench bench;
  bench.want(1, 10min);
  bench.reply(503, "", {{"Retry-After", "86400"}});
  bench.advance(299s);
  EXPECT_TRUE(all<StartFetch>(bench.tick()).empty());
  bench.advance(1s);
  EXPECT_EQ(all<StartFetch>(bench.tick()).size(), 1U);
}

TEST(LoginFailures, WhatIsNoAnswerOfATokenEndpointIsNotBlamedOnTheCredentials) {
  Bench bench;
  bench.want(1);
  bench.reply(404, oauth_error_body("not_found", "no such path"));
  next_fetch(bench);
  expect_failure(only<Fail>(bench.reply(404, oauth_error_body("not_found", "no such path"))),
                 Verdict::protocol, ErrorKind::protocol);
}

TEST(LoginFailures, ASilentLoginHostHasARowInTheReport) {
  Bench bench;
  bench.want(1, 3s);
  bench.advance(3s);
  const auto failed = only<Fail>(bench.tick());
  expect_failure(failed, Verdict::timeout, ErrorKind::timeout);
  EXPECT_EQ(failed.token_requests, 1);
  ASSERT_EQ(failed.attempts.size(), 1U);
  const ReportedAttempt& attempt = failed.attempts[0].attempt;
  EXPECT_EQ(attempt.verdict, Verdict::timeout);
  EXPECT_EQ(attempt.http_status, std::nullopt);
  EXPECT_EQ(attempt.action, Action::give_up);
  EXPECT_THAT(attempt.explanation, HasSubstr("did not answer"));
}

TEST(LoginFailures, AtItsDeadlineACallerGetsTheLastFailure) {
  Bench bench;
  bench.want(1, 3s);
  bench.reply(503, "");
  next_fetch(bench);
  bench.advance(3s);  // the second request never ends
  const auto failed = only<Fail>(bench.tick());
  expect_failure(failed, Verdict::auth_backend_unavailable, ErrorKind::unavailable);
  EXPECT_EQ(failed.token_requests, 2);
  ASSERT_EQ(failed.attempts.size(), 2U);
  EXPECT_EQ(failed.attempts[0].attempt.action, Action::wait_and_retry);
  EXPECT_EQ(failed.attempts[1].attempt.action, Action::give_up);
  EXPECT_EQ(failed.attempts[1].attempt.verdict, Verdict::timeout);
}

TEST(LoginFailures, ACallerWhoJoinsDuringBackoffLearnsWhyNoTryFits) {
  Bench bench;
  bench.want(1, 20s);
  for (int i = 0; i < 4; ++i) {
    next_fetch(bench);
    bench.reply(503, "");
  }
  const auto failed = only<Fail>(bench.want(2, 500ms));
  expect_failure(failed, Verdict::auth_backend_unavailable, ErrorKind::unavailable);
  EXPECT_EQ(failed.token_requests, 0);
  EXPECT_TRUE(failed.attempts.empty());
}

TEST(LoginFailures, ASuccessForgetsTheBackoff) {
  Bench bench;
  bench.want(1, 60s);
  for (int i = 0; i < 4; ++i) {
    next_fetch(bench);
    bench.reply(503, "");
  }
  next_fetch(bench);
  bench.give("t1");
  bench.want_newer(2, 1);
  bench.reply(503, "");
  bench.advance(500ms);
  EXPECT_EQ(all<StartFetch>(bench.tick()).size(), 1U);
}

}  // namespace
}  // namespace skewguard::oauth
