// One claim for each row of the verdict table and each rule of evidence (docs/contract.md section
// 4).
#include "guard/call_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <ostream>

#include "bench.hpp"
#include "diagnosis/call_error.hpp"

namespace skewguard::guard::testing {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Log = std::vector<std::string>;

/// The verdicts of the attempts, in order; "-" for a good answer.
Log verdicts(const CallReport& report) {
  Log out;
  for (const auto& a : report.attempts) out.emplace_back(a.verdict ? to_string(*a.verdict) : "-");
  return out;
}
Log actions(const CallReport& report) {
  Log out;
  for (const auto& a : report.attempts) out.emplace_back(to_string(a.action));
  return out;
}

/// What must hold of every call, whatever happened.
void expect_sound(const Bench& w) {
  ASSERT_TRUE(w.end) << "no end";
  const CallReport& r = w.end->report;
  for (std::size_t i = 0; i < r.attempts.size(); ++i) {
    EXPECT_EQ(r.attempts[i].n, static_cast<int>(i) + 1);
    EXPECT_TRUE(!r.attempts[i].verdict || !r.attempts[i].explanation.empty());
  }
  EXPECT_LE(w.refusals.size(), static_cast<std::size_t>(std::max(w.options.attempts, 1)));
  for (const auto& [token, sent] : w.refusals) {
    EXPECT_LE(sent.size(), 4U) << "token " << token;
    for (std::size_t i = 1; i < sent.size(); ++i)
      EXPECT_GE(sent[i] - sent[i - 1], milliseconds{500}) << "token " << token;
  }
  for (const Instant at : w.sent_at) EXPECT_LT(at, w.options.deadline);
  for (const HttpRequest& look : w.looks) {
    EXPECT_TRUE(look.authorization.empty());
    EXPECT_EQ(look.method, "HEAD");
    EXPECT_TRUE(look.body.empty());
  }
  EXPECT_NE(w.end->answer != nullptr, w.end->error.has_value());
  EXPECT_EQ(r.mitigated, r.exit_code == 0 && r.verdict != Verdict::ok);
  EXPECT_THAT(to_json(r), Not(HasSubstr("secret-token")));
  for (const LogLine& line : w.lines) EXPECT_THAT(line.message, Not(HasSubstr("secret-token")));
}

struct Variant {
  const char* name;
  bool jwt;
  Duration wall;
};
void PrintTo(const Variant& variant, std::ostream* out) {
  *out << variant.name;
}
/// Both token formats; the wall clock right, 900 s fast, 900 s slow, and in 1970. None of it may
/// change a verdict or an action.
class Guard : public ::testing::TestWithParam<Variant> {
 public:
  Guard() {
    bench.jwt = GetParam().jwt;
    bench.wall_offset = GetParam().wall;
  }
  ~Guard() override { expect_sound(bench); }
  Bench bench;
};
INSTANTIATE_TEST_SUITE_P(
    Wall, Guard,
    ::testing::Values(Variant{"OpaqueRight", false, {}}, Variant{"OpaqueFast", false, seconds{900}},
                      Variant{"OpaqueSlow", false, -seconds{900}},
                      Variant{"Opaque1970", false, -kEpoch}, Variant{"JwtRight", true, {}},
                      Variant{"JwtFast", true, seconds{900}},
                      Variant{"JwtSlow", true, -seconds{900}}, Variant{"Jwt1970", true, -kEpoch}),
    [](const auto& param) { return param.param.name; });

// ok ----------------------------------------------------------------------------------------------

TEST_P(Guard, CleanCallIsOkAndSaysThatTheTokenWasTaken) {
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::ok);
  EXPECT_FALSE(r.mitigated);
  EXPECT_EQ(r.token_requests, 1);
  EXPECT_EQ(r.http_status, 200);
  EXPECT_THAT(verdicts(r), ElementsAre("-"));
  EXPECT_EQ(facts_of<oauth::event::Accepted>(bench).at(0).generation, 1U);
  EXPECT_THAT(r.clocks, SizeIs(2));
}

TEST_P(Guard, ApiErrorsThatAreNotAboutTheTokenAreOkWithExit1) {
  bench.replies = {{404, "not.found", {}, {}}};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.verdict, Verdict::ok);
  EXPECT_EQ(r.attempts.at(0).error_code, "not.found");
  EXPECT_THAT(actions(r), ElementsAre("none"));
  EXPECT_THAT(bench.rejections, IsEmpty());
  EXPECT_THAT(facts_of<oauth::event::Accepted>(bench), SizeIs(1));
}

// token_expired -----------------------------------------------------------------------------------

TEST_P(Guard, OwnDeadlinePassedIsTokenExpired) {
  bench.has_token = true;
  bench.token_age = seconds{301};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1", "need 1", "send 2"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  EXPECT_TRUE(r.mitigated);
  EXPECT_THAT(verdicts(r), ElementsAre("token_expired", "-"));
  EXPECT_THAT(actions(r), ElementsAre("refresh_and_retry", "none"));
  EXPECT_THAT(facts_of<oauth::event::ApiLeads>(bench), IsEmpty());
}

TEST_P(Guard, ApiThatLeadsByLessThanTheLifetimeIsLearnedFromOneExpiredToken) {  // C21
  bench.api_offset = seconds{120};
  bench.has_token = true;
  bench.token_age = seconds{200};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1", "need 1", "send 2"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  const auto leads = facts_of<oauth::event::ApiLeads>(bench);
  ASSERT_THAT(leads, SizeIs(1));
  EXPECT_GE(leads[0].lead, seconds{120});  // no later token is sent in its last 120 s
  EXPECT_LE(leads[0].lead, seconds{125});
}

TEST_P(Guard, NoDateButOwnDeadlinePassedIsTokenExpired) {
  bench.dates = Bench::Dates::none;
  bench.has_token = true;
  bench.token_age = seconds{400};
  bench.refuses_all = false;
  const CallReport& r = bench.run();
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  EXPECT_EQ(r.exit_code, 0);
}

// issuer_clock_ahead ------------------------------------------------------------------------------

TEST_P(Guard, LoginAheadByFiveSecondsIsWaitedForWithTheSameToken) {  // C3: proof
  bench.login_offset = seconds{5};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1", HasSubstr("sleep "), "need 0", "send 1"))
      << "the token may have ended meanwhile: ask, and get the same";
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_TRUE(r.mitigated);
  EXPECT_EQ(r.token_requests, 1);
  EXPECT_THAT(actions(r), ElementsAre("wait_and_retry", "none"));
  EXPECT_GE(r.attempts[0].waited, seconds{4});
  EXPECT_LE(r.attempts[0].waited, seconds{6});
  EXPECT_THAT(r.attempts[0].explanation,
              AllOf(HasSubstr("the token was not valid before 12:00:05"),
                    HasSubstr("the API answered at 12:00:00"), HasSubstr("sent the same token"),
                    Not(HasSubstr("or its Date is late")), Not(HasSubstr("wrong"))));
  const auto lags = facts_of<oauth::event::ApiLags>(bench);
  ASSERT_THAT(lags, SizeIs(1));
  EXPECT_GE(lags[0].lag, seconds{5});
  EXPECT_LE(lags[0].lag, seconds{9});
}

TEST_P(Guard, LoginAheadByASecondIsSettledByTheOutcome) {  // C15
  bench.login_offset = milliseconds{1200};
  const CallReport& r = bench.run();
  EXPECT_EQ(bench.log.back(), "send 1");
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.token_requests, 1);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("or its Date is late"));
  EXPECT_LE(r.attempts[0].waited, milliseconds{1100});
  ASSERT_THAT(bench.rejections, SizeIs(1));  // provisional, with what it may still be
  EXPECT_THAT(bench.rejections[0].candidates, Contains(Verdict::issuer_clock_ahead));
  EXPECT_GT(bench.rejections[0].candidates.size(), 1U);
  EXPECT_THAT(bench.rejections[0].attempt.explanation, HasSubstr("rovisional"));
}

TEST_P(Guard, OneLaggingBackendOfSeveralIsWaitedFor) {  // C15
  bench.backends = {-seconds{1}, Duration{0}, Duration{0}};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.token_requests, 1);
}

TEST_P(Guard, LoginAheadByTwoMinutesGivesUpWith4AfterAnotherLookAndANewToken) {  // C4
  bench.login_offset = seconds{120};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log,
              ElementsAre("need 0", "send 1", "sleep 1.1 s", "look", "need 1", "send 2"));
  EXPECT_EQ(r.exit_code, 4);
  EXPECT_EQ(r.token_requests, 2);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_THAT(verdicts(r), ElementsAre("issuer_clock_ahead", "issuer_clock_ahead"));
  EXPECT_THAT(actions(r), ElementsAre("refresh_and_retry", "give_up"));
  EXPECT_THAT(r.attempts[0].explanation,
              AllOf(HasSubstr("would have taken 120.0 s"), HasSubstr("--max-wait")));
  EXPECT_THAT(r.attempts[1].explanation,
              AllOf(HasSubstr("the login host's"), HasSubstr("would have taken 120.0 s"),
                    HasSubstr("NTP"), Not(HasSubstr(" is behind"))));
  EXPECT_EQ(bench.looks.at(0).url, "https://api.example/api/v2/things");
  EXPECT_TRUE(bench.end->answer);
  EXPECT_THAT(facts_of<oauth::event::RefusedForGood>(bench), IsEmpty());
  EXPECT_THAT(facts_of<oauth::event::ApiLags>(bench), SizeIs(1));
}

TEST_P(Guard, ATokenOfALoginHostThatWasCorrectedIsReplacedByAUsableOne) {  // C22
  bench.login_offset = seconds{120};
  bench.before_look = [](Bench& w) { w.login_offset = Duration{0}; };
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log,
              ElementsAre("need 0", "send 1", "sleep 1.1 s", "look", "need 1", "send 2"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_TRUE(r.mitigated);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("requested a new token"));
  ASSERT_TRUE(bench.wants.at(1).refused);
  EXPECT_TRUE(bench.wants.at(1).refused->ill_timed);
  EXPECT_EQ(bench.wants.at(1).refused->sent, bench.sent_at.at(0));
  const Duration begins = *bench.wants.at(1).refused->begins - bench.sent_at.at(0);
  EXPECT_GE(begins, seconds{119});
  EXPECT_LE(begins, seconds{121});
}

TEST_P(Guard, ATokenRevokedWhileTheCallWaitsForItIsReplacedAndWaitedForAgain) {  // C23
  bench.login_offset = seconds{3};
  bench.revoked = {1};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1", HasSubstr("sleep "), "need 0", "send 1",
                                     "need 1", "send 2", HasSubstr("sleep "), "need 1", "send 2"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.token_requests, 2);
  EXPECT_THAT(verdicts(r),
              ElementsAre("issuer_clock_ahead", "token_revoked", "issuer_clock_ahead", "-"));
  EXPECT_FALSE(bench.wants.at(2).refused->ill_timed);
}

TEST_P(Guard, TheErrorIsThatOfTheLastAttempt) {  // C23
  bench.login_offset = seconds{3};
  bench.refuses_all = true;
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 3);
  ASSERT_EQ(r.attempts.back().verdict, Verdict::token_rejected);
  const auto error = diagnosis::error_of(r);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message, r.attempts.back().explanation);
}

TEST_P(Guard, ExactlyMaxWaitIsStillWaitedFor) {
  bench.login_offset = seconds{15};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
}

TEST_P(Guard, AWaitThatTheDeadlineDoesNotAllowGivesUpWith4) {
  bench.login_offset = seconds{5};
  const CallReport& r = bench.run(seconds{4});
  EXPECT_EQ(r.exit_code, 4);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_THAT(bench.log, Contains("look"));
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("--timeout"));
}

TEST_P(Guard, WithoutRoomForAnotherLookNoClockIsBlamed) {  // evidence rule 5
  bench.login_offset = seconds{120};
  const CallReport& r = bench.run(seconds{1});
  EXPECT_NE(r.exit_code, 4);
  EXPECT_NE(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::unknown);
}

TEST_P(Guard, WithOneAttemptATokenIsWaitedForButNotReplaced) {
  bench.options.attempts = 1;
  bench.login_offset = seconds{5};
  EXPECT_EQ(bench.run().exit_code, 0);
  Bench far;
  far.jwt = GetParam().jwt;
  far.options.attempts = 1;
  far.login_offset = seconds{120};
  const CallReport& r = far.run();
  EXPECT_THAT(far.log, ElementsAre("need 0", "send 1", "sleep 1.1 s", "look"));
  EXPECT_EQ(r.exit_code, 4);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  expect_sound(far);
}

TEST_P(Guard, WithOneAttemptATokenThatEndsBeforeItCanBeSentAgainIsNotReplaced) {
  bench.options.attempts = 1;
  bench.has_token = true;
  bench.token_age = seconds{300};
  bench.login_offset = seconds{600};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1", "sleep 1.1 s", "look"));
  EXPECT_EQ(r.exit_code, 4);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  expect_sound(bench);
}

TEST_P(Guard, WithOneAttemptATokenThatSomebodyReplacedDuringItsWaitIsNotFollowedByAnother) {
  bench.options.attempts = 1;
  bench.login_offset = seconds{5};
  bench.replaced_while_it_waits = true;
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1", HasSubstr("sleep "), "need 0"));
  EXPECT_NE(r.exit_code, 0);
  ASSERT_EQ(r.attempts.size(), 1U);
  EXPECT_EQ(r.attempts[0].action, Action::give_up);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("--attempts allows no other token"));
  EXPECT_TRUE(bench.end->answer);
}

TEST_P(Guard, ARefusedTokenThatComesBackAfterAnothersTroubleIsHeldForHalfASecond) {
  bench.has_token = true;
  bench.delivered = {1, 2, 1};
  bench.replies = {{401, {}, {}, {}}, {503, {}, {}, {}}};
  bench.run();
  ASSERT_EQ(bench.sent_at.size(), 3U);
  EXPECT_EQ(bench.sent_at[2] - bench.sent_at[0], milliseconds{500});
  EXPECT_EQ(bench.end->report.exit_code, 0);
}

TEST_P(Guard, AClockThatWasCorrectedBeforeTheLookLetsTheCallThrough) {
  bench.api_offset = -seconds{120};
  bench.before_look = [](Bench& w) { w.api_offset = Duration{0}; };
  const CallReport& r = bench.run();
  EXPECT_EQ(bench.log.back(), "send 1");
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_THAT(actions(r), ElementsAre("wait_and_retry", "none"));
  EXPECT_EQ(r.token_requests, 1);
}

// issuer_clock_behind -----------------------------------------------------------------------------

TEST_P(Guard, LoginBehindByMoreThanTheLifetimeGivesUpWith4AfterOneNewToken) {  // C5
  bench.login_offset = -seconds{900};
  const CallReport& r = bench.run();
  // An opaque token has its times from the Date of the login host, which must be seen to move, too.
  const Log dated{"need 0", "send 1", "sleep 1.0 s", "need 1", "send 2"};
  const Log claimed{"need 0", "send 1", "need 1", "send 2", "sleep 1.1 s", "look"};
  EXPECT_EQ(bench.log, GetParam().jwt ? claimed : dated);
  EXPECT_EQ(r.exit_code, 4);
  EXPECT_EQ(r.token_requests, 2);
  EXPECT_THAT(verdicts(r), ElementsAre("issuer_clock_behind", "issuer_clock_behind"));
  EXPECT_THAT(actions(r), ElementsAre("refresh_and_retry", "give_up"));
  EXPECT_THAT(r.attempts[1].explanation, HasSubstr("behind the API's"));
  ASSERT_THAT(facts_of<oauth::event::RefusedForGood>(bench), SizeIs(1));
  EXPECT_EQ(facts_of<oauth::event::RefusedForGood>(bench)[0].generation, 2U);
}

TEST_P(Guard, AnOldTokenThatEndedIsNotEvidenceAgainstTheIssuersClock) {
  bench.has_token = true;
  bench.token_age = seconds{299};
  bench.api_offset = seconds{2};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  EXPECT_EQ(r.exit_code, 0);
}

// token_not_yet_active ----------------------------------------------------------------------------

TEST_P(Guard, ANewTokenThatIsRefusedThenTakenUnchangedWasNotYetActive) {
  bench.spreads_after = milliseconds{800};
  const CallReport& r = bench.run();
  EXPECT_EQ(bench.log.at(4), "send 1");
  EXPECT_EQ(r.verdict, Verdict::token_not_yet_active);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_TRUE(r.mitigated);
  EXPECT_EQ(r.token_requests, 1);
  EXPECT_THAT(actions(r), ElementsAre("wait_and_retry", "none"));
  EXPECT_THAT(facts_of<oauth::event::ApiLags>(bench), IsEmpty());
}

// token_revoked, token_rejected -------------------------------------------------------------------

TEST_P(Guard, AnAcceptedTokenRefusedInItsLifeIsReplacedAtOnce) {  // T1, evidence rule 4
  bench.has_token = true;
  bench.revoked = {1};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1", "need 1", "send 2"));
  EXPECT_EQ(r.verdict, Verdict::token_revoked);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_THAT(verdicts(r), ElementsAre("token_revoked", "-"));
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("o clock explains it"));
}

TEST_P(Guard, ANewTokenRefusedForGoodIsTokenRejected) {  // T8, evidence rule 3
  bench.refuses_all = true;
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1", "sleep 3.0 s", "need 0", "send 1",
                                     "need 1", "send 2"));
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_rejected);
  EXPECT_EQ(r.token_requests, 2);
  EXPECT_THAT(actions(r), ElementsAre("wait_and_retry", "refresh_and_retry", "give_up"));
  EXPECT_THAT(facts_of<oauth::event::RefusedForGood>(bench), SizeIs(1));
  EXPECT_THAT(r.attempts.back().explanation, HasSubstr("Check"));
}

TEST_P(Guard, AnOldTokenAndItsSuccessorRefusedIsTokenRejected) {  // evidence rule 4
  bench.has_token = true;
  bench.refuses_all = true;
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1", "need 1", "send 2", "sleep 3.0 s",
                                     "need 1", "send 2"));
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_THAT(verdicts(r), ElementsAre("token_rejected", "token_rejected", "token_rejected"));
}

TEST_P(Guard, WithOneAttemptARefusalThatProvesNothingIsUnknown) {
  bench.options.attempts = 1;
  bench.has_token = true;
  bench.revoked = {1};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::unknown);
  EXPECT_TRUE(bench.end->answer);
}

TEST_P(Guard, ClocksApartButATokenThatIsRefusedAfterTheWaitTooEndsWith3) {
  bench.login_offset = seconds{5};
  bench.refuses_all = true;
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.attempts.at(0).verdict, Verdict::issuer_clock_ahead);  // proof stands
}

// unknown -----------------------------------------------------------------------------------------

TEST_P(Guard, WithoutADateOneWaitOneRefreshThenUnknown) {
  for (const auto dates : {Bench::Dates::none, Bench::Dates::two, Bench::Dates::with_age}) {
    Bench w;
    w.jwt = GetParam().jwt;
    w.wall_offset = GetParam().wall;
    w.dates = dates;
    w.refuses_all = true;
    const CallReport& r = w.run();
    EXPECT_THAT(w.log, ElementsAre("need 0", "send 1", "sleep 3.0 s", "need 0", "send 1", "need 1",
                                   "send 2"));
    EXPECT_EQ(r.exit_code, 3);
    EXPECT_THAT(verdicts(r), ElementsAre("unknown", "unknown", "unknown"));
    expect_sound(w);
  }
  bench.run();
}

TEST_P(Guard, ADateThatStandsStillSupportsNoVerdict) {  // C19, evidence rule 5
  for (const Duration at : {Duration{0}, kEpoch - hours{1}, kEpoch + hours{24 * 365 * 74}}) {
    Bench w;
    w.jwt = GetParam().jwt;
    w.wall_offset = GetParam().wall;
    w.dates = Bench::Dates::frozen;
    w.frozen_at = at;
    w.refuses_all = true;
    const CallReport& r = w.run();
    EXPECT_EQ(r.exit_code, 3);
    for (const auto& a : r.attempts) EXPECT_EQ(a.verdict, Verdict::unknown) << a.explanation;
    EXPECT_THAT(facts_of<oauth::event::ApiLags>(w), IsEmpty());
    EXPECT_THAT(facts_of<oauth::event::ApiLeads>(w), IsEmpty());
    expect_sound(w);
  }
  bench.run();
}

TEST_P(Guard, ADateFrozenIn1970DoesNotHinderARevokedTokensReplacement) {  // C19
  bench.dates = Bench::Dates::frozen;
  bench.frozen_at = Duration{0};
  bench.has_token = true;
  bench.revoked = {1};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::unknown);
}

TEST_P(Guard, ADateByWhichTheApiTakesEndedTokensCountsForNothing) {  // C19
  bench.dates = Bench::Dates::frozen;
  bench.frozen_at = kEpoch + hours{24 * 365 * 74};
  bench.has_token = true;
  bench.revoked = {1};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::unknown);
  EXPECT_THAT(facts_of<oauth::event::ApiLeads>(bench), IsEmpty());
}

TEST_P(Guard, AFrozenDateIsNoOutcomeEither) {  // evidence rule 5
  bench.dates = Bench::Dates::frozen;
  bench.frozen_at = kEpoch - seconds{1};
  bench.spreads_after = milliseconds{700};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::token_not_yet_active);
}

TEST_P(Guard, ALateDateWithinTheStalenessIsNoProof) {  // C11
  bench.dates = Bench::Dates::late;
  bench.late_by = seconds{1};
  bench.refuses_all = true;
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 3);
  for (const auto& a : r.attempts)
    EXPECT_NE(a.verdict, Verdict::issuer_clock_ahead) << a.explanation;
}

// The token machine's part ------------------------------------------------------------------------

TEST_P(Guard, ALearnedLagIsWaitedForBeforeTheFirstSend) {  // C3, second half
  bench.login_offset = seconds{5};
  bench.first_use_in = seconds{6};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "sleep 6.0 s", "need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::ok);
}

TEST_P(Guard, AFirstUseBeyondMaxWaitIsTriedAtOnce) {
  bench.first_use_in = seconds{600};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 0);
}

TEST_P(Guard, AFailedTokenRequestEndsTheCallWithItsExitCode) {
  bench.login_denies = Verdict::credentials_rejected;
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0"));
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::credentials_rejected);
  ASSERT_TRUE(bench.end->error);
  EXPECT_EQ(bench.end->error->kind, ErrorKind::credentials);
  EXPECT_TRUE(bench.end->error->report);
}

TEST_P(Guard, APauseAfterARejectedTokenSettlesTheOldOneAsRejected) {
  bench.has_token = true;
  bench.revoked = {1};
  bench.login_denies = Verdict::token_rejected;
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_rejected);
  EXPECT_THAT(actions(r), ElementsAre("give_up"));
  ASSERT_TRUE(bench.end->answer) << "a 401 that stayed is an answer";
  EXPECT_EQ(bench.end->answer->status, 401);
}

TEST_P(Guard, APauseEndsACallByItsOwnLastRefusal) {
  bench.has_token = true;
  bench.revoked = {1};
  bench.login_denies = Verdict::issuer_clock_behind;  // exit code 4
  bench.pause_left = seconds{5};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 3) << "no clock explains this one";
  EXPECT_EQ(r.verdict, Verdict::unknown);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("the next one may be requested in 5.0 s"));
}

TEST_P(Guard, WaitsCausedByRule8AreReported) {
  bench.has_token = true;
  bench.revoked = {1};
  bench.held_up = seconds{4};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.attempts[0].waited, seconds{4});
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("waited 4.0 s, requested a new token"));
}

TEST_P(Guard, ManyAttemptsAreNoReasonToAskForManyTokens) {
  bench.refuses_all = true;
  bench.options.attempts = 100;
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_rejected);
  EXPECT_EQ(r.token_requests, 2);
}

TEST_P(Guard, WithoutTimeToWaitANewTokenIsNotReplaced) {
  bench.login_offset = seconds{5};
  bench.options.attempts = 60;
  const CallReport& r = bench.run(seconds{1});
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::unknown) << "the Date could not be seen again";
  EXPECT_EQ(r.token_requests, 1);
}

TEST_P(Guard, DuringThePauseATokenBornDeadIsStillTheIssuersClocks) {
  bench.has_token = true;
  bench.token_age = seconds{0};
  bench.login_offset = -bench.life - seconds{60};
  bench.login_denies = Verdict::issuer_clock_behind;
  EXPECT_EQ(bench.run().verdict, Verdict::issuer_clock_behind);
}

TEST_P(Guard, ADateOf1970BlamesNoClock) {
  bench.has_token = true;
  bench.revoked = {1};
  bench.replies.push_back(
      {401, "bad.credentials", {{"Date", "Thu, 01 Jan 1970 00:00:00 GMT"}}, {}});
  bench.dates = Bench::Dates::honest;
  const CallReport& r = bench.run();
  EXPECT_NE(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_EQ(r.exit_code, 0);
}

TEST_P(Guard, ATokenThatEndsWhileTheCallWaitsIsReplacedBeforeTheNextSend) {
  bench.has_token = true;
  bench.token_age = bench.life - seconds{5};
  bench.replies.push_back({429, {}, {{"Retry-After", "10"}}, {}});
  EXPECT_EQ(bench.run().exit_code, 0);
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1", "sleep 10.0 s", "need 0", "send 2"));
  EXPECT_EQ(bench.end->answer->status, 200);
}

TEST_P(Guard, ACallThatIsCancelledInAWaitGaveUpOnTheRefusal) {
  bench.login_offset = seconds{5};
  bench.judges_begin = true;
  bench.cancel_after_first = true;
  EXPECT_THAT(actions(bench.run()), ElementsAre("give_up"));
}

// Contention --------------------------------------------------------------------------------------

TEST_P(Guard, ASecondTokenRunningThatEndsEarlyIsContendedAndBackedOffFrom) {  // T10
  bench.has_token = true;
  bench.early_ends_before = 1;
  bench.revoked = {1};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.verdict, Verdict::token_contended);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_TRUE(r.mitigated);
  EXPECT_EQ(r.attempts[0].action, Action::refresh_and_retry);
  EXPECT_GE(r.attempts[0].waited, milliseconds{500});
  EXPECT_LE(r.attempts[0].waited, milliseconds{1200});
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("someone else may be using this client"));
  ASSERT_THAT(facts_of<oauth::event::EndedEarly>(bench), SizeIs(1));
  EXPECT_EQ(facts_of<oauth::event::EndedEarly>(bench)[0].generation, 1U);
}

TEST_P(Guard, TheBackOffGrowsWithEachTokenThatEndedEarly) {
  bench.has_token = true;
  bench.early_ends_before = 3;  // 1 s, 2 s, 4 s
  bench.revoked = {1};
  const CallReport& r = bench.run();
  EXPECT_GE(r.attempts[0].waited, seconds{2});
  EXPECT_LE(r.attempts[0].waited, milliseconds{4200});
}

TEST_P(Guard, AContendedTokenWhoseSuccessorIsRefusedTooEndsWith3) {
  bench.has_token = true;
  bench.early_ends_before = 1;
  bench.refuses_all = true;
  const CallReport& r = bench.run();
  EXPECT_EQ(r.verdict, Verdict::token_contended);
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_FALSE(r.mitigated);
}

TEST_P(Guard, OneTokenThatEndsEarlyIsOnlyRevokedAndRemembered) {
  bench.has_token = true;
  bench.revoked = {1};
  EXPECT_EQ(bench.run().verdict, Verdict::token_revoked);
  EXPECT_THAT(facts_of<oauth::event::EndedEarly>(bench), SizeIs(1));
}

TEST_P(Guard, ATokenRevokedLateInItsLifetimeDoesNotPointToAnotherProgram) {
  bench.has_token = true;
  bench.early_ends_before = 1;
  bench.token_age = bench.life - seconds{60};
  bench.revoked = {1};
  EXPECT_EQ(bench.run().verdict, Verdict::token_revoked);
  EXPECT_THAT(facts_of<oauth::event::EndedEarly>(bench), IsEmpty());
}

TEST_P(Guard, ABackOffThatTheDeadlineDoesNotAllowEndsTheCallAtOnce) {
  bench.has_token = true;
  bench.early_ends_before = 1;
  bench.revoked = {1};
  const CallReport& r = bench.run(milliseconds{800});
  EXPECT_EQ(r.verdict, Verdict::token_contended);
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_LT(r.elapsed, milliseconds{100});
}

// A given token -----------------------------------------------------------------------------------

TEST_P(Guard, AGivenTokenThatIsRefusedEndsWith3) {
  bench.given = true;
  bench.refuses_all = true;
  if (GetParam().jwt) {
    bench.given_claims =
        oauth::JwtClaims{kEpoch - seconds{60}, kEpoch - seconds{60}, kEpoch + seconds{600}};
  }
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_rejected);
  EXPECT_THAT(facts_of<oauth::event::RefusedForGood>(bench), IsEmpty());
}

TEST_P(Guard, AGivenJwtThatHasEndedByTheApisClockIsTokenExpiredWithExit3) {
  bench.given = true;
  bench.given_claims =
      oauth::JwtClaims{kEpoch - seconds{600}, kEpoch - seconds{600}, kEpoch - seconds{60}};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("cannot be refreshed"));
}

/// A JWT of the hour around noon, judged by a wall clock that is `wall` off.
void give_jwt(Bench& bench, Duration begins, Duration ends, Duration wall) {
  bench.given = true;
  bench.wall_offset = wall;
  bench.given_claims = oauth::JwtClaims{kEpoch + begins, kEpoch + begins, kEpoch + ends};
}

TEST_P(Guard, AGivenJwtThatTheLocalClockCallsGoodThoughItEndedNamesThatClock) {
  give_jwt(bench, -seconds{1200}, -seconds{60}, -seconds{600});
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  EXPECT_THAT(r.attempts[0].explanation,
              AllOf(HasSubstr("has 540.0 s left"), HasSubstr("behind the API's"),
                    HasSubstr("which of the two is wrong"), Not(HasSubstr("local_clock"))))
      << "no referee has been asked";
}

TEST_P(Guard, AGivenJwtThatTheLocalClockCallsGoodBeforeItBeginsNamesThatClock) {
  give_jwt(bench, seconds{300}, seconds{3600}, seconds{600});
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 3) << to_json(r);
  EXPECT_THAT(r.attempts[0].explanation,
              HasSubstr("ahead of the API's. Run `skewguard doctor` to find out"));
}

TEST_P(Guard, ALocalClockThatJudgesAGivenJwtRightIsNotBlamed) {
  give_jwt(bench, -seconds{3600}, -seconds{1200}, -seconds{600});  // ended by either clock
  EXPECT_THAT(bench.run().attempts[0].explanation, Not(HasSubstr("local_clock")));
}

TEST_P(Guard, ALocalClockThatMayBeRightIsNotBlamed) {
  give_jwt(bench, -seconds{1200}, seconds{0}, -milliseconds{900});  // good by it, for 0.9 s
  const CallReport& r = bench.run();
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  EXPECT_THAT(r.attempts[0].explanation, Not(HasSubstr("local_clock")));
}

TEST_P(Guard, AGivenJwtIsNotMeasuredByADateThatDoesNotCount) {
  give_jwt(bench, -seconds{1200}, -seconds{60}, -seconds{600});
  bench.dates = Bench::Dates::with_age;
  EXPECT_THAT(bench.run().attempts[0].explanation, Not(HasSubstr("local_clock")));
}

TEST_P(Guard, TheLocalClockIsNeverBlamedForAManagedToken) {
  bench.wall_offset = -seconds{900};
  bench.refuses_all = true;
  for (const auto& attempt : bench.run().attempts)
    EXPECT_THAT(attempt.explanation, Not(HasSubstr("local_clock")));
}

TEST_P(Guard, AGivenJwtThatBeginsInAMomentIsWaitedFor) {
  bench.given = true;
  bench.given_claims =
      oauth::JwtClaims{kEpoch + seconds{3}, kEpoch + seconds{3}, kEpoch + seconds{600}};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
}

// Not the API itself ------------------------------------------------------------------------------

constexpr const char* kPage = "<html><title>Sign in</title></html>";

TEST_P(Guard, APageThatANewTokenMeetsTooIsAGateways) {  // A7
  bench.refusal = kPage;
  bench.refuses_all = true;
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.verdict, Verdict::gateway_refused);
  EXPECT_EQ(r.token_requests, 2);
  for (const ReportedAttempt& attempt : r.attempts) {
    EXPECT_EQ(attempt.verdict, Verdict::gateway_refused);
    EXPECT_THAT(attempt.explanation, HasSubstr("page \"Sign in\""));
  }
  const auto facts = facts_of<oauth::event::RefusedForGood>(bench);
  ASSERT_THAT(facts, SizeIs(1));
  EXPECT_EQ(facts[0].verdict, Verdict::gateway_refused);
}

TEST_P(Guard, APageThatOneTokenAloneMeetsIsARefusalOfThat) {
  bench.refusal = kPage;
  bench.has_token = true;
  bench.revoked = {1};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::token_revoked);
}

TEST_P(Guard, AClockThatExplainsAPageIsWaitedFor) {
  bench.refusal = kPage;
  bench.login_offset = seconds{5};
  bench.has_token = true;
  bench.revoked = {1};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.token_requests, 1);
}

TEST_P(Guard, A401ThatAsksForOtherSchemesAloneIsAGatewaysAtOnce) {  // A10
  Headers headers;
  headers.add("WWW-Authenticate", "Basic realm=\"proxy\"");
  bench.replies = {{401, "", headers, {}}};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.verdict, Verdict::gateway_refused);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("Basic (realm \"proxy\")"));
  EXPECT_THAT(facts_of<oauth::event::Accepted>(bench), IsEmpty());
}

TEST_P(Guard, A403PageIsAGatewaysAndSaysNothingAboutTheToken) {
  bench.replies = {{403, kPage, {}, {}}};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.verdict, Verdict::gateway_refused);
  EXPECT_THAT(facts_of<oauth::event::Accepted>(bench), IsEmpty());
}

TEST_P(Guard, A403ThatSaysThatTheTokenHasEndedIsCuredByANewOne) {  // A10
  bench.has_token = true;
  bench.replies = {{403, "token.expired", {}, {}}};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.token_requests, 1);
}

TEST_P(Guard, TheApisOwnWordsStandInEveryExplanation) {
  bench.has_token = true;
  bench.revoked = {1};
  bench.refusal = "credentials.expired";
  const CallReport& r = bench.run();
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("The API's words: \"credentials.expired\"."));
}

TEST_P(Guard, WhereNoTokenArrivedTheWayThereIsSuspected) {  // A10
  bench.refuses_all = true;
  bench.refusal = "authentication.required";
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_rejected);
  EXPECT_THAT(r.attempts.back().explanation, HasSubstr("may be removing the Authorization header"));
}

TEST_P(Guard, ARefusalForGoodNamesBothHosts) {
  bench.refuses_all = true;
  const CallReport& r = bench.run();
  EXPECT_THAT(r.attempts.back().explanation,
              AllOf(HasSubstr("https://login.example"), HasSubstr("https://api.example")));
}

TEST_P(Guard, OurOwnPauseIsNotReportedAsTheServersRequest) {
  bench.options.deadline = bench.now().boot + seconds{30};
  for (int i = 0; i < 100; ++i) bench.replies.push_back({429, "", {}, {}});
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 7);
  for (const ReportedAttempt& attempt : r.attempts)
    EXPECT_THAT(attempt.explanation, Not(HasSubstr("asks to wait")));
  Bench w;
  Headers headers;
  headers.add("Retry-After", "0.503");
  w.replies = {{429, "", headers, {}}};
  EXPECT_THAT(w.run().attempts[0].explanation, HasSubstr("asks to wait 1.0 s"));
  EXPECT_THAT(w.log, Contains("sleep 1.0 s"));
  Bench soon;
  Headers at_once;
  at_once.add("Retry-After", "0");
  soon.replies = {{429, "", at_once, {}}};
  EXPECT_THAT(soon.run().attempts[0].explanation, HasSubstr("says to try again at once; the"));
}

// Permissions -------------------------------------------------------------------------------------

TEST_P(Guard, A403IsMissingPermissionAndNeverARefresh) {  // A5
  bench.replies = {{403, "missing.permissions", {}, {}}};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 5);
  EXPECT_EQ(r.verdict, Verdict::missing_permission);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("routing:queue:view"));
  EXPECT_THAT(facts_of<oauth::event::Accepted>(bench), SizeIs(1));
}

TEST_P(Guard, InsufficientScopeIsMissingPermissionWhateverTheStatus) {  // A7
  Headers headers;
  headers.add("WWW-Authenticate", "Bearer error=\"insufficient_scope\", scope=\"queue\"");
  bench.replies = {{401, "", headers, {}}};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 5);
  EXPECT_EQ(r.verdict, Verdict::missing_permission);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("queue"));
}

TEST_P(Guard, NoUserContextEndsWith1AndSaysWhatToAsk) {
  bench.request.url = "https://api.example/api/v2/users/me";
  bench.replies = {{404, "not.found", {}, {}}};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.verdict, Verdict::no_user_context);
  EXPECT_THAT(r.attempts[0].explanation,
              AllOf(HasSubstr("/api/v2/tokens/me"), HasSubstr("/api/v2/organizations/me")));
}

// Limits and back ends ----------------------------------------------------------------------------

Headers retry_after(const char* text) {
  Headers headers;
  headers.add("Retry-After", text);
  return headers;
}

TEST_P(Guard, A429WaitsAsRequestedWithinTheDeadline) {  // A4
  bench.request.method = "POST";
  bench.replies = {{429, "too.many.requests", retry_after("3"), {}}};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1", "sleep 3.0 s", "need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::api_rate_limited);
  EXPECT_TRUE(r.mitigated);
  EXPECT_EQ(r.attempts[0].waited, seconds{3});
}

TEST_P(Guard, ARetryAfterBeyondTheDeadlineGivesUpAtOnceWith7) {  // A4
  bench.replies = {{429, "too.many.requests", retry_after("3600"), {}}};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 7);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("longer than"));
}

TEST_P(Guard, A429WithoutATimeOrWithGarbageBacksOffUntilTheDeadline) {  // A4
  for (int i = 0; i < 1000; ++i) {
    bench.replies.push_back(
        {429, "", i % 3 == 0 ? Headers{} : retry_after(i % 3 == 1 ? "soon" : "0"), {}});
  }
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 7);
  EXPECT_LE(r.attempts.size(), 12U);
}

TEST_P(Guard, RateLimitResetIsTakenWhereThereIsNoRetryAfter) {
  Headers headers;
  headers.add("inin-ratelimit-reset", "2");
  bench.replies = {{429, "", headers, {}}};
  bench.run();
  EXPECT_THAT(bench.log, Contains("sleep 2.0 s"));
  headers.add("inin-ratelimit-count", "7");
  headers.add("inin-ratelimit-allowed", "300");
  Bench w;
  w.replies = {{429, "", headers, {}}};
  w.run();
  EXPECT_THAT(w.log, Not(Contains("sleep 2.0 s"))) << "that limit is not used up";
}

TEST_P(Guard, AuthBackendTimeOutKeepsTheTokenAndIsRetriedToTheEnd) {
  bench.replies = {{504, "authentication.request.timeout", {}, {}}};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::auth_backend_unavailable);
  EXPECT_EQ(r.token_requests, 1);
  Bench w;
  for (int i = 0; i < 1000; ++i)
    w.replies.push_back({504, "authentication.request.timeout", {}, {}});
  EXPECT_EQ(w.run().exit_code, 1);
  EXPECT_EQ(w.requests, 1);
  EXPECT_THAT(facts_of<oauth::event::Accepted>(w), IsEmpty());
}

TEST_P(Guard, GatewayTroubleIsRetriedTwiceForGetAndNeverForPost) {  // A6
  for (int i = 0; i < 5; ++i) bench.replies.push_back({502, "<html>", {}, {}});
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.verdict, Verdict::ok);
  EXPECT_EQ(bench.sent.size(), 3U);
  Bench w;
  w.request.method = "POST";
  w.replies = {{503, "", {}, {}}};
  EXPECT_EQ(w.run().exit_code, 1);
  EXPECT_EQ(w.sent.size(), 1U);
}

// No usable answer --------------------------------------------------------------------------------

TEST_P(Guard, AResetIsRetriedForGetAndAPostIsSentOnce) {  // A9
  bench.replies = {{0, "", {}, TransportFailure::Kind::reset}};
  const CallReport& r = bench.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::network);
  EXPECT_FALSE(r.attempts[0].http_status);
  Bench w;
  w.request.method = "POST";
  w.replies = {{0, "", {}, TransportFailure::Kind::reset}};
  EXPECT_EQ(w.run().exit_code, 6);
  EXPECT_EQ(w.sent.size(), 1U);
  ASSERT_TRUE(w.end->error);
  EXPECT_EQ(w.end->error->kind, ErrorKind::unavailable);
}

TEST(GuardFailures, EachKindOfMissingAnswerHasItsVerdictAndExitCode) {
  using Kind = TransportFailure::Kind;
  const struct {
    Kind kind;
    Verdict verdict;
    int exit_code;
    ErrorKind error;
  } rows[] = {{Kind::dns, Verdict::network, 6, ErrorKind::unavailable},
              {Kind::refused, Verdict::network, 6, ErrorKind::unavailable},
              {Kind::unreachable, Verdict::network, 6, ErrorKind::unavailable},
              {Kind::tls_failed, Verdict::network, 6, ErrorKind::unavailable},
              {Kind::proxy, Verdict::network, 6, ErrorKind::unavailable},
              {Kind::proxy_refused, Verdict::network, 6, ErrorKind::unavailable},
              {Kind::tls_untrusted, Verdict::tls_untrusted, 6, ErrorKind::unavailable},
              {Kind::timeout, Verdict::timeout, 6, ErrorKind::timeout},
              {Kind::malformed, Verdict::protocol, 1, ErrorKind::protocol},
              {Kind::too_large, Verdict::protocol, 1, ErrorKind::protocol},
              {Kind::bad_request, Verdict::protocol, 2, ErrorKind::config}};
  for (const auto& row : rows) {
    Bench w;
    w.replies = {{0, "", {}, row.kind}};
    const CallReport& r = w.run();
    EXPECT_EQ(r.verdict, row.verdict) << to_string(row.kind);
    EXPECT_EQ(r.exit_code, row.exit_code) << to_string(row.kind);
    EXPECT_EQ(w.end->error->kind, row.error) << to_string(row.kind);
    EXPECT_EQ(w.sent.size(), 1U) << to_string(row.kind);
    expect_sound(w);
  }
}

TEST(GuardFailures, ARequestThatCannotBeSentIsNoRejection) {
  Bench w;
  w.replies = {{0, "", {}, TransportFailure::Kind::bad_request}};
  EXPECT_EQ(w.run().attempts.size(), 1U);
  EXPECT_TRUE(w.rejections.empty());
  for (const LogLine& line : w.lines) EXPECT_THAT(line.message, Not(HasSubstr("rejected")));
}

TEST(GuardFailures, ACertificateThatIsNotValidNowIsTheLocalClocksFaultIfARefereeSaysSo) {
  using Kind = TransportFailure::Kind;
  constexpr Duration kYears = std::chrono::hours{24 * 1000};  // until after this was written
  const auto told = [](Duration truth) {
    return TimeReport{{truth - seconds{1}, truth + seconds{1}}, "NTP (ntp:123)"};
  };
  Bench w;
  w.replies = {{0, "", {}, Kind::tls_time, told(kYears)}};
  const CallReport& r = w.run();
  EXPECT_EQ(r.verdict, Verdict::tls_clock);
  EXPECT_EQ(r.exit_code, 4);
  EXPECT_EQ(w.end->error->kind, ErrorKind::clock);
  EXPECT_THAT(r.attempts.back().explanation,
              AllOf(HasSubstr("the certificate of https://api.example"),
                    HasSubstr("2.7 years behind; NTP (ntp:123) says so. Correct the clock")));
  EXPECT_EQ(describe(*w.end->error), r.attempts.back().explanation);
  EXPECT_THAT(w.end->error->message, EndsWith("NTP (ntp:123) says so."));
  EXPECT_THAT(w.end->error->remedy, StartsWith("correct the clock"));
  expect_sound(w);
  Bench right;
  right.wall_offset = kYears;
  right.replies = {{0, "", {}, Kind::tls_time, told(seconds{0})}};
  EXPECT_EQ(right.run().verdict, Verdict::tls_untrusted);
  EXPECT_EQ(right.end->report.exit_code, 6);
  EXPECT_EQ(right.end->error->remedy, "ask the operator of https://api.example to renew it");
}

TEST_P(Guard, ARedirectIsNamedAndNotFollowed) {  // A8
  Headers headers;
  headers.add("Location", "https://evil.example/login?token=abc");
  bench.replies = {{302, "", headers, {}}};
  const CallReport& r = bench.run();
  EXPECT_THAT(bench.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.verdict, Verdict::protocol);
  EXPECT_THAT(r.attempts[0].explanation, AllOf(HasSubstr("evil.example"), Not(HasSubstr("abc"))));
  EXPECT_THAT(facts_of<oauth::event::Accepted>(bench), IsEmpty());
}

// Replays and secrets -----------------------------------------------------------------------------

TEST_P(Guard, APostRefusedByA401IsSentAgainByteForByte) {  // T7
  bench.request.method = "POST";
  bench.request.headers.add("Content-Type", "application/json");
  bench.request.body = Secret("{\"a\":1}");
  bench.has_token = true;
  bench.revoked = {1};
  bench.run();
  ASSERT_THAT(bench.sent, SizeIs(2));
  EXPECT_EQ(bench.sent[0].body, bench.sent[1].body);
  EXPECT_EQ(bench.sent[0].headers.fields(), bench.sent[1].headers.fields());
  EXPECT_EQ(bench.sent[0].url, bench.sent[1].url);
  EXPECT_NE(bench.sent[0].authorization, bench.sent[1].authorization);
}

TEST_P(Guard, AServerThatRepeatsTheTokenDoesNotPutItIntoTheReport) {
  Headers headers;
  headers.add("WWW-Authenticate",
              "Bearer error=\"insufficient_scope\", error_description=\"no: secret-token-1\"");
  bench.replies = {{403, "secret-token-1", headers, {}}};
  bench.run();  // expect_sound looks for it
}

TEST_P(Guard, ATokenThatIsValidLocallyButRefusedIsACriticalLine) {
  bench.has_token = true;  // 60 s of its 300 s are over
  bench.revoked = {1};
  const CallReport& r = bench.run();
  std::vector<std::string> critical;
  for (const LogLine& line : bench.lines)
    if (line.level == LogLevel::critical) critical.push_back(line.message);
  // A JWT's exp is compared with the wall clock now; expires_in was added to its earlier reading,
  // so a constant clock error cancels out.
  using Status = WallClockAnalysis::Status;
  if (GetParam().jwt && GetParam().wall >= seconds{240}) {
    EXPECT_THAT(critical, IsEmpty());
    EXPECT_EQ(r.attempts[0].analysis.status, Status::expired_locally);
    return;
  }
  ASSERT_THAT(critical, SizeIs(1));
  EXPECT_THAT(critical[0], HasSubstr("token valid locally but refused by https://api.example: "));
  EXPECT_EQ(r.attempts[0].analysis.status, Status::valid_locally);
  const Duration left = seconds{240} - bench.rtt - (GetParam().jwt ? GetParam().wall : Duration{});
  EXPECT_EQ(r.attempts[0].analysis.time_remaining, left);
  EXPECT_THAT(critical[0], HasSubstr(" s left by the local wall clock (verdict provisional)"));
}

TEST_P(Guard, CancelledEndsTheCallWithAnErrorOfThatKind) {
  bench.cancel_after_first = true;
  bench.replies = {{429, "", retry_after("3"), {}}};
  bench.run();
  ASSERT_TRUE(bench.end->error);
  EXPECT_EQ(bench.end->error->kind, ErrorKind::cancelled);
  EXPECT_EQ(bench.end->error->message, "the call was cancelled before it ended");
}

TEST_P(Guard, ACallWhoseTransportWasCancelledSaysWhy) {
  bench.replies = {{0, "", {}, TransportFailure::Kind::cancelled}};
  bench.run();
  ASSERT_TRUE(bench.end->error);
  EXPECT_EQ(bench.end->error->kind, ErrorKind::cancelled);
  EXPECT_EQ(bench.end->error->message,
            "the call was cancelled before it ended: no answer from api.example:443");
}

}  // namespace
}  // namespace skewguard::guard::testing
