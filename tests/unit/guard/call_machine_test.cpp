// One claim for each row of the verdict table and each rule of evidence (docs/contract.md section
// 4).
#include "guard/call_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <ostream>

#include "diagnosis/call_error.hpp"
#include "world.hpp"

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
void expect_sound(const World& w) {
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
    world.jwt = GetParam().jwt;
    world.wall_offset = GetParam().wall;
  }
  ~Guard() override { expect_sound(world); }
  World world;
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
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::ok);
  EXPECT_FALSE(r.mitigated);
  EXPECT_EQ(r.token_requests, 1);
  EXPECT_EQ(r.http_status, 200);
  EXPECT_THAT(verdicts(r), ElementsAre("-"));
  EXPECT_EQ(told<oauth::event::Accepted>(world).at(0).generation, 1U);
  EXPECT_THAT(r.clocks, SizeIs(2));
}

TEST_P(Guard, ApiErrorsThatAreNotAboutTheTokenAreOkWithExit1) {
  world.replies = {{404, "not.found", {}, {}}};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.verdict, Verdict::ok);
  EXPECT_EQ(r.attempts.at(0).error_code, "not.found");
  EXPECT_THAT(actions(r), ElementsAre("none"));
  EXPECT_THAT(world.rejections, IsEmpty());
  EXPECT_THAT(told<oauth::event::Accepted>(world), SizeIs(1));
}

// token_expired -----------------------------------------------------------------------------------

TEST_P(Guard, OwnDeadlinePassedIsTokenExpired) {
  world.has_token = true;
  world.token_age = seconds{301};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1", "need 1", "send 2"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  EXPECT_TRUE(r.mitigated);
  EXPECT_THAT(verdicts(r), ElementsAre("token_expired", "-"));
  EXPECT_THAT(actions(r), ElementsAre("refresh_and_retry", "none"));
  EXPECT_THAT(told<oauth::event::ApiLeads>(world), IsEmpty());
}

TEST_P(Guard, ApiThatLeadsByLessThanTheLifetimeIsLearnedFromOneExpiredToken) {  // C21
  world.api_offset = seconds{120};
  world.has_token = true;
  world.token_age = seconds{200};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1", "need 1", "send 2"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  const auto leads = told<oauth::event::ApiLeads>(world);
  ASSERT_THAT(leads, SizeIs(1));
  EXPECT_GE(leads[0].lead, seconds{120});  // no later token is sent in its last 120 s
  EXPECT_LE(leads[0].lead, seconds{125});
}

TEST_P(Guard, NoDateButOwnDeadlinePassedIsTokenExpired) {
  world.dates = World::Dates::none;
  world.has_token = true;
  world.token_age = seconds{400};
  world.refuses_all = false;
  const CallReport& r = world.run();
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  EXPECT_EQ(r.exit_code, 0);
}

// issuer_clock_ahead ------------------------------------------------------------------------------

TEST_P(Guard, LoginAheadByFiveSecondsIsWaitedForWithTheSameToken) {  // C3: proof
  world.login_offset = seconds{5};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1", HasSubstr("sleep "), "need 0", "send 1"))
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
  const auto lags = told<oauth::event::ApiLags>(world);
  ASSERT_THAT(lags, SizeIs(1));
  EXPECT_GE(lags[0].lag, seconds{5});
  EXPECT_LE(lags[0].lag, seconds{9});
}

TEST_P(Guard, LoginAheadByASecondIsSettledByTheOutcome) {  // C15
  world.login_offset = milliseconds{1200};
  const CallReport& r = world.run();
  EXPECT_EQ(world.log.back(), "send 1");
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.token_requests, 1);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("or its Date is late"));
  EXPECT_LE(r.attempts[0].waited, milliseconds{1100});
  ASSERT_THAT(world.rejections, SizeIs(1));  // provisional, with what it may still be
  EXPECT_THAT(world.rejections[0].candidates, Contains(Verdict::issuer_clock_ahead));
  EXPECT_GT(world.rejections[0].candidates.size(), 1U);
  EXPECT_THAT(world.rejections[0].attempt.explanation, HasSubstr("rovisional"));
}

TEST_P(Guard, OneLaggingBackendOfSeveralIsWaitedFor) {  // C15
  world.backends = {-seconds{1}, Duration{0}, Duration{0}};
  const CallReport& r = world.run();
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.token_requests, 1);
}

TEST_P(Guard, LoginAheadByTwoMinutesGivesUpWith4AfterAnotherLookAndANewToken) {  // C4
  world.login_offset = seconds{120};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log,
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
  EXPECT_EQ(world.looks.at(0).url, "https://api.example/api/v2/things");
  EXPECT_TRUE(world.end->answer);
  EXPECT_THAT(told<oauth::event::RefusedForGood>(world), IsEmpty());
  EXPECT_THAT(told<oauth::event::ApiLags>(world), SizeIs(1));
}

TEST_P(Guard, ATokenOfALoginHostThatWasCorrectedIsReplacedByAUsableOne) {  // C22
  world.login_offset = seconds{120};
  world.before_look = [](World& w) { w.login_offset = Duration{0}; };
  const CallReport& r = world.run();
  EXPECT_THAT(world.log,
              ElementsAre("need 0", "send 1", "sleep 1.1 s", "look", "need 1", "send 2"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_TRUE(r.mitigated);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("requested a new token"));
  ASSERT_TRUE(world.wants.at(1).refused);
  EXPECT_TRUE(world.wants.at(1).refused->ill_timed);
  EXPECT_EQ(world.wants.at(1).refused->sent, world.sent_at.at(0));
  const Duration begins = *world.wants.at(1).refused->begins - world.sent_at.at(0);
  EXPECT_GE(begins, seconds{119});
  EXPECT_LE(begins, seconds{121});
}

TEST_P(Guard, ATokenRevokedWhileTheCallWaitsForItIsReplacedAndWaitedForAgain) {  // C23
  world.login_offset = seconds{3};
  world.revoked = {1};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1", HasSubstr("sleep "), "need 0", "send 1",
                                     "need 1", "send 2", HasSubstr("sleep "), "need 1", "send 2"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.token_requests, 2);
  EXPECT_THAT(verdicts(r),
              ElementsAre("issuer_clock_ahead", "token_revoked", "issuer_clock_ahead", "-"));
  EXPECT_FALSE(world.wants.at(2).refused->ill_timed);
}

TEST_P(Guard, TheErrorIsThatOfTheLastAttempt) {  // C23
  world.login_offset = seconds{3};
  world.refuses_all = true;
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 3);
  ASSERT_EQ(r.attempts.back().verdict, Verdict::token_rejected);
  const auto error = diagnosis::error_of(r);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->message, r.attempts.back().explanation);
}

TEST_P(Guard, ExactlyMaxWaitIsStillWaitedFor) {
  world.login_offset = seconds{15};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
}

TEST_P(Guard, AWaitThatTheDeadlineDoesNotAllowGivesUpWith4) {
  world.login_offset = seconds{5};
  const CallReport& r = world.run(seconds{4});
  EXPECT_EQ(r.exit_code, 4);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_THAT(world.log, Contains("look"));
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("--timeout"));
}

TEST_P(Guard, WithoutRoomForAnotherLookNoClockIsBlamed) {  // evidence rule 5
  world.login_offset = seconds{120};
  const CallReport& r = world.run(seconds{1});
  EXPECT_NE(r.exit_code, 4);
  EXPECT_NE(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::unknown);
}

TEST_P(Guard, WithOneAttemptATokenIsWaitedForButNotReplaced) {
  world.options.attempts = 1;
  world.login_offset = seconds{5};
  EXPECT_EQ(world.run().exit_code, 0);
  World far;
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
  world.options.attempts = 1;
  world.has_token = true;
  world.token_age = seconds{300};
  world.login_offset = seconds{600};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1", "sleep 1.1 s", "look"));
  EXPECT_EQ(r.exit_code, 4);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  expect_sound(world);
}

TEST_P(Guard, WithOneAttemptATokenThatSomebodyReplacedDuringItsWaitIsNotFollowedByAnother) {
  world.options.attempts = 1;
  world.login_offset = seconds{5};
  world.replaced_while_it_waits = true;
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1", HasSubstr("sleep "), "need 0"));
  EXPECT_NE(r.exit_code, 0);
  ASSERT_EQ(r.attempts.size(), 1U);
  EXPECT_EQ(r.attempts[0].action, Action::give_up);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("--attempts allows no other token"));
  EXPECT_TRUE(world.end->answer);
}

TEST_P(Guard, ARefusedTokenThatComesBackAfterAnothersTroubleIsHeldForHalfASecond) {
  world.has_token = true;
  world.delivered = {1, 2, 1};
  world.replies = {{401, {}, {}, {}}, {503, {}, {}, {}}};
  world.run();
  ASSERT_EQ(world.sent_at.size(), 3U);
  EXPECT_EQ(world.sent_at[2] - world.sent_at[0], milliseconds{500});
  EXPECT_EQ(world.end->report.exit_code, 0);
}

TEST_P(Guard, AClockThatWasCorrectedBeforeTheLookLetsTheCallThrough) {
  world.api_offset = -seconds{120};
  world.before_look = [](World& w) { w.api_offset = Duration{0}; };
  const CallReport& r = world.run();
  EXPECT_EQ(world.log.back(), "send 1");
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_THAT(actions(r), ElementsAre("wait_and_retry", "none"));
  EXPECT_EQ(r.token_requests, 1);
}

// issuer_clock_behind -----------------------------------------------------------------------------

TEST_P(Guard, LoginBehindByMoreThanTheLifetimeGivesUpWith4AfterOneNewToken) {  // C5
  world.login_offset = -seconds{900};
  const CallReport& r = world.run();
  // An opaque token has its times from the Date of the login host, which must be seen to move, too.
  const Log dated{"need 0", "send 1", "sleep 1.0 s", "need 1", "send 2"};
  const Log claimed{"need 0", "send 1", "need 1", "send 2", "sleep 1.1 s", "look"};
  EXPECT_EQ(world.log, GetParam().jwt ? claimed : dated);
  EXPECT_EQ(r.exit_code, 4);
  EXPECT_EQ(r.token_requests, 2);
  EXPECT_THAT(verdicts(r), ElementsAre("issuer_clock_behind", "issuer_clock_behind"));
  EXPECT_THAT(actions(r), ElementsAre("refresh_and_retry", "give_up"));
  EXPECT_THAT(r.attempts[1].explanation, HasSubstr("behind the API's"));
  ASSERT_THAT(told<oauth::event::RefusedForGood>(world), SizeIs(1));
  EXPECT_EQ(told<oauth::event::RefusedForGood>(world)[0].generation, 2U);
}

TEST_P(Guard, AnOldTokenThatEndedIsNotEvidenceAgainstTheIssuersClock) {
  world.has_token = true;
  world.token_age = seconds{299};
  world.api_offset = seconds{2};
  const CallReport& r = world.run();
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  EXPECT_EQ(r.exit_code, 0);
}

// token_not_yet_active ----------------------------------------------------------------------------

TEST_P(Guard, ANewTokenThatIsRefusedThenTakenUnchangedWasNotYetActive) {
  world.spreads_after = milliseconds{800};
  const CallReport& r = world.run();
  EXPECT_EQ(world.log.at(4), "send 1");
  EXPECT_EQ(r.verdict, Verdict::token_not_yet_active);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_TRUE(r.mitigated);
  EXPECT_EQ(r.token_requests, 1);
  EXPECT_THAT(actions(r), ElementsAre("wait_and_retry", "none"));
  EXPECT_THAT(told<oauth::event::ApiLags>(world), IsEmpty());
}

// token_revoked, token_rejected -------------------------------------------------------------------

TEST_P(Guard, AnAcceptedTokenRefusedInItsLifeIsReplacedAtOnce) {  // T1, evidence rule 4
  world.has_token = true;
  world.revoked = {1};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1", "need 1", "send 2"));
  EXPECT_EQ(r.verdict, Verdict::token_revoked);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_THAT(verdicts(r), ElementsAre("token_revoked", "-"));
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("o clock explains it"));
}

TEST_P(Guard, ANewTokenRefusedForGoodIsTokenRejected) {  // T8, evidence rule 3
  world.refuses_all = true;
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1", "sleep 3.0 s", "need 0", "send 1",
                                     "need 1", "send 2"));
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_rejected);
  EXPECT_EQ(r.token_requests, 2);
  EXPECT_THAT(actions(r), ElementsAre("wait_and_retry", "refresh_and_retry", "give_up"));
  EXPECT_THAT(told<oauth::event::RefusedForGood>(world), SizeIs(1));
  EXPECT_THAT(r.attempts.back().explanation, HasSubstr("Check"));
}

TEST_P(Guard, AnOldTokenAndItsSuccessorRefusedIsTokenRejected) {  // evidence rule 4
  world.has_token = true;
  world.refuses_all = true;
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1", "need 1", "send 2", "sleep 3.0 s",
                                     "need 1", "send 2"));
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_THAT(verdicts(r), ElementsAre("token_rejected", "token_rejected", "token_rejected"));
}

TEST_P(Guard, WithOneAttemptARefusalThatProvesNothingIsUnknown) {
  world.options.attempts = 1;
  world.has_token = true;
  world.revoked = {1};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::unknown);
  EXPECT_TRUE(world.end->answer);
}

TEST_P(Guard, ClocksApartButATokenThatIsRefusedAfterTheWaitTooEndsWith3) {
  world.login_offset = seconds{5};
  world.refuses_all = true;
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.attempts.at(0).verdict, Verdict::issuer_clock_ahead);  // proof stands
}

// unknown -----------------------------------------------------------------------------------------

TEST_P(Guard, WithoutADateOneWaitOneRefreshThenUnknown) {
  for (const auto dates : {World::Dates::none, World::Dates::two, World::Dates::with_age}) {
    World w;
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
  world.run();
}

TEST_P(Guard, ADateThatStandsStillSupportsNoVerdict) {  // C19, evidence rule 5
  for (const Duration at : {Duration{0}, kEpoch - hours{1}, kEpoch + hours{24 * 365 * 74}}) {
    World w;
    w.jwt = GetParam().jwt;
    w.wall_offset = GetParam().wall;
    w.dates = World::Dates::frozen;
    w.frozen_at = at;
    w.refuses_all = true;
    const CallReport& r = w.run();
    EXPECT_EQ(r.exit_code, 3);
    for (const auto& a : r.attempts) EXPECT_EQ(a.verdict, Verdict::unknown) << a.explanation;
    EXPECT_THAT(told<oauth::event::ApiLags>(w), IsEmpty());
    EXPECT_THAT(told<oauth::event::ApiLeads>(w), IsEmpty());
    expect_sound(w);
  }
  world.run();
}

TEST_P(Guard, ADateFrozenIn1970DoesNotHinderARevokedTokensReplacement) {  // C19
  world.dates = World::Dates::frozen;
  world.frozen_at = Duration{0};
  world.has_token = true;
  world.revoked = {1};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::unknown);
}

TEST_P(Guard, ADateByWhichTheApiTakesEndedTokensCountsForNothing) {  // C19
  world.dates = World::Dates::frozen;
  world.frozen_at = kEpoch + hours{24 * 365 * 74};
  world.has_token = true;
  world.revoked = {1};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::unknown);
  EXPECT_THAT(told<oauth::event::ApiLeads>(world), IsEmpty());
}

TEST_P(Guard, AFrozenDateIsNoOutcomeEither) {  // evidence rule 5
  world.dates = World::Dates::frozen;
  world.frozen_at = kEpoch - seconds{1};
  world.spreads_after = milliseconds{700};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::token_not_yet_active);
}

TEST_P(Guard, ALateDateWithinTheStalenessIsNoProof) {  // C11
  world.dates = World::Dates::late;
  world.late_by = seconds{1};
  world.refuses_all = true;
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 3);
  for (const auto& a : r.attempts)
    EXPECT_NE(a.verdict, Verdict::issuer_clock_ahead) << a.explanation;
}

// The token machine's part ------------------------------------------------------------------------

TEST_P(Guard, ALearnedLagIsWaitedForBeforeTheFirstSend) {  // C3, second half
  world.login_offset = seconds{5};
  world.first_use_in = seconds{6};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "sleep 6.0 s", "need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::ok);
}

TEST_P(Guard, AFirstUseBeyondMaxWaitIsTriedAtOnce) {
  world.first_use_in = seconds{600};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 0);
}

TEST_P(Guard, ADeniedTokenEndsTheCallWithItsExitCode) {
  world.login_denies = Verdict::credentials_rejected;
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0"));
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::credentials_rejected);
  ASSERT_TRUE(world.end->error);
  EXPECT_EQ(world.end->error->kind, ErrorKind::credentials);
  EXPECT_TRUE(world.end->error->report);
}

TEST_P(Guard, APauseAfterARejectedTokenSettlesTheOldOneAsRejected) {
  world.has_token = true;
  world.revoked = {1};
  world.login_denies = Verdict::token_rejected;
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_rejected);
  EXPECT_THAT(actions(r), ElementsAre("give_up"));
  ASSERT_TRUE(world.end->answer) << "a 401 that stayed is an answer";
  EXPECT_EQ(world.end->answer->status, 401);
}

TEST_P(Guard, APauseEndsACallByItsOwnLastRefusal) {
  world.has_token = true;
  world.revoked = {1};
  world.login_denies = Verdict::issuer_clock_behind;  // exit code 4
  world.pause_left = seconds{5};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 3) << "no clock explains this one";
  EXPECT_EQ(r.verdict, Verdict::unknown);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("the next one may be requested in 5.0 s"));
}

TEST_P(Guard, WaitsCausedByRule8AreReported) {
  world.has_token = true;
  world.revoked = {1};
  world.held_up = seconds{4};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.attempts[0].waited, seconds{4});
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("waited 4.0 s, requested a new token"));
}

TEST_P(Guard, ManyAttemptsAreNoReasonToAskForManyTokens) {
  world.refuses_all = true;
  world.options.attempts = 100;
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_rejected);
  EXPECT_EQ(r.token_requests, 2);
}

TEST_P(Guard, WithoutTimeToWaitANewTokenIsNotReplaced) {
  world.login_offset = seconds{5};
  world.options.attempts = 60;
  const CallReport& r = world.run(seconds{1});
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::unknown) << "the Date could not be seen again";
  EXPECT_EQ(r.token_requests, 1);
}

TEST_P(Guard, DuringThePauseATokenBornDeadIsStillTheIssuersClocks) {
  world.has_token = true;
  world.token_age = seconds{0};
  world.login_offset = -world.life - seconds{60};
  world.login_denies = Verdict::issuer_clock_behind;
  EXPECT_EQ(world.run().verdict, Verdict::issuer_clock_behind);
}

TEST_P(Guard, ADateOf1970BlamesNoClock) {
  world.has_token = true;
  world.revoked = {1};
  world.replies.push_back(
      {401, "bad.credentials", {{"Date", "Thu, 01 Jan 1970 00:00:00 GMT"}}, {}});
  world.dates = World::Dates::honest;
  const CallReport& r = world.run();
  EXPECT_NE(r.verdict, Verdict::issuer_clock_ahead);
  EXPECT_EQ(r.exit_code, 0);
}

TEST_P(Guard, ATokenThatEndsWhileTheCallWaitsIsReplacedBeforeTheNextSend) {
  world.has_token = true;
  world.token_age = world.life - seconds{5};
  world.replies.push_back({429, {}, {{"Retry-After", "10"}}, {}});
  EXPECT_EQ(world.run().exit_code, 0);
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1", "sleep 10.0 s", "need 0", "send 2"));
  EXPECT_EQ(world.end->answer->status, 200);
}

TEST_P(Guard, ACallThatIsCancelledInAWaitGaveUpOnTheRefusal) {
  world.login_offset = seconds{5};
  world.judges_begin = true;
  world.cancel_after_first = true;
  EXPECT_THAT(actions(world.run()), ElementsAre("give_up"));
}

// Contention --------------------------------------------------------------------------------------

TEST_P(Guard, ASecondTokenRunningThatEndsEarlyIsContendedAndBackedOffFrom) {  // T10
  world.has_token = true;
  world.early_ends_before = 1;
  world.revoked = {1};
  const CallReport& r = world.run();
  EXPECT_EQ(r.verdict, Verdict::token_contended);
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_TRUE(r.mitigated);
  EXPECT_EQ(r.attempts[0].action, Action::refresh_and_retry);
  EXPECT_GE(r.attempts[0].waited, milliseconds{500});
  EXPECT_LE(r.attempts[0].waited, milliseconds{1200});
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("someone else may be using this client"));
  ASSERT_THAT(told<oauth::event::EndedEarly>(world), SizeIs(1));
  EXPECT_EQ(told<oauth::event::EndedEarly>(world)[0].generation, 1U);
}

TEST_P(Guard, TheBackOffGrowsWithEachTokenThatEndedEarly) {
  world.has_token = true;
  world.early_ends_before = 3;  // 1 s, 2 s, 4 s
  world.revoked = {1};
  const CallReport& r = world.run();
  EXPECT_GE(r.attempts[0].waited, seconds{2});
  EXPECT_LE(r.attempts[0].waited, milliseconds{4200});
}

TEST_P(Guard, AContendedTokenWhoseSuccessorIsRefusedTooEndsWith3) {
  world.has_token = true;
  world.early_ends_before = 1;
  world.refuses_all = true;
  const CallReport& r = world.run();
  EXPECT_EQ(r.verdict, Verdict::token_contended);
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_FALSE(r.mitigated);
}

TEST_P(Guard, OneTokenThatEndsEarlyIsOnlyRevokedAndRemembered) {
  world.has_token = true;
  world.revoked = {1};
  EXPECT_EQ(world.run().verdict, Verdict::token_revoked);
  EXPECT_THAT(told<oauth::event::EndedEarly>(world), SizeIs(1));
}

TEST_P(Guard, ATokenRevokedLateInItsLifetimeDoesNotPointToAnotherProgram) {
  world.has_token = true;
  world.early_ends_before = 1;
  world.token_age = world.life - seconds{60};
  world.revoked = {1};
  EXPECT_EQ(world.run().verdict, Verdict::token_revoked);
  EXPECT_THAT(told<oauth::event::EndedEarly>(world), IsEmpty());
}

TEST_P(Guard, ABackOffThatTheDeadlineDoesNotAllowEndsTheCallAtOnce) {
  world.has_token = true;
  world.early_ends_before = 1;
  world.revoked = {1};
  const CallReport& r = world.run(milliseconds{800});
  EXPECT_EQ(r.verdict, Verdict::token_contended);
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_LT(r.elapsed, milliseconds{100});
}

// A given token -----------------------------------------------------------------------------------

TEST_P(Guard, AGivenTokenThatIsRefusedEndsWith3) {
  world.given = true;
  world.refuses_all = true;
  if (GetParam().jwt) {
    world.given_claims =
        oauth::JwtClaims{kEpoch - seconds{60}, kEpoch - seconds{60}, kEpoch + seconds{600}};
  }
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_rejected);
  EXPECT_THAT(told<oauth::event::RefusedForGood>(world), IsEmpty());
}

TEST_P(Guard, AGivenJwtThatHasEndedByTheApisClockIsTokenExpiredWithExit3) {
  world.given = true;
  world.given_claims =
      oauth::JwtClaims{kEpoch - seconds{600}, kEpoch - seconds{600}, kEpoch - seconds{60}};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("cannot be refreshed"));
}

/// A JWT of the hour around noon, judged by a wall clock that is `wall` off.
void give_jwt(World& world, Duration begins, Duration ends, Duration wall) {
  world.given = true;
  world.wall_offset = wall;
  world.given_claims = oauth::JwtClaims{kEpoch + begins, kEpoch + begins, kEpoch + ends};
}

TEST_P(Guard, AGivenJwtThatTheLocalClockCallsGoodThoughItEndedNamesThatClock) {
  give_jwt(world, -seconds{1200}, -seconds{60}, -seconds{600});
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  EXPECT_THAT(r.attempts[0].explanation,
              AllOf(HasSubstr("has 540.0 s left"), HasSubstr("behind the API's"),
                    HasSubstr("which of the two is wrong"), Not(HasSubstr("local_clock"))))
      << "no referee has been asked";
}

TEST_P(Guard, AGivenJwtThatTheLocalClockCallsGoodBeforeItBeginsNamesThatClock) {
  give_jwt(world, seconds{300}, seconds{3600}, seconds{600});
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 3) << to_json(r);
  EXPECT_THAT(r.attempts[0].explanation,
              HasSubstr("ahead of the API's. Run `skewguard doctor` to find out"));
}

TEST_P(Guard, ALocalClockThatJudgesAGivenJwtRightIsNotBlamed) {
  give_jwt(world, -seconds{3600}, -seconds{1200}, -seconds{600});  // ended by either clock
  EXPECT_THAT(world.run().attempts[0].explanation, Not(HasSubstr("local_clock")));
}

TEST_P(Guard, ALocalClockThatMayBeRightIsNotBlamed) {
  give_jwt(world, -seconds{1200}, seconds{0}, -milliseconds{900});  // good by it, for 0.9 s
  const CallReport& r = world.run();
  EXPECT_EQ(r.verdict, Verdict::token_expired);
  EXPECT_THAT(r.attempts[0].explanation, Not(HasSubstr("local_clock")));
}

TEST_P(Guard, AGivenJwtIsNotMeasuredByADateThatDoesNotCount) {
  give_jwt(world, -seconds{1200}, -seconds{60}, -seconds{600});
  world.dates = World::Dates::with_age;
  EXPECT_THAT(world.run().attempts[0].explanation, Not(HasSubstr("local_clock")));
}

TEST_P(Guard, TheLocalClockIsNeverBlamedForAManagedToken) {
  world.wall_offset = -seconds{900};
  world.refuses_all = true;
  for (const auto& attempt : world.run().attempts)
    EXPECT_THAT(attempt.explanation, Not(HasSubstr("local_clock")));
}

TEST_P(Guard, AGivenJwtThatBeginsInAMomentIsWaitedFor) {
  world.given = true;
  world.given_claims =
      oauth::JwtClaims{kEpoch + seconds{3}, kEpoch + seconds{3}, kEpoch + seconds{600}};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::issuer_clock_ahead);
}

// Not the API itself ------------------------------------------------------------------------------

constexpr const char* kPage = "<html><title>Sign in</title></html>";

TEST_P(Guard, APageThatANewTokenMeetsTooIsAGateways) {  // A7
  world.refusal = kPage;
  world.refuses_all = true;
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.verdict, Verdict::gateway_refused);
  EXPECT_EQ(r.token_requests, 2);
  for (const ReportedAttempt& attempt : r.attempts) {
    EXPECT_EQ(attempt.verdict, Verdict::gateway_refused);
    EXPECT_THAT(attempt.explanation, HasSubstr("page \"Sign in\""));
  }
  const auto facts = told<oauth::event::RefusedForGood>(world);
  ASSERT_THAT(facts, SizeIs(1));
  EXPECT_EQ(facts[0].verdict, Verdict::gateway_refused);
}

TEST_P(Guard, APageThatOneTokenAloneMeetsIsARefusalOfThat) {
  world.refusal = kPage;
  world.has_token = true;
  world.revoked = {1};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::token_revoked);
}

TEST_P(Guard, AClockThatExplainsAPageIsWaitedFor) {
  world.refusal = kPage;
  world.login_offset = seconds{5};
  world.has_token = true;
  world.revoked = {1};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.token_requests, 1);
}

TEST_P(Guard, A401ThatAsksForOtherSchemesAloneIsAGatewaysAtOnce) {  // A10
  Headers headers;
  headers.add("WWW-Authenticate", "Basic realm=\"proxy\"");
  world.replies = {{401, "", headers, {}}};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.verdict, Verdict::gateway_refused);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("Basic (realm \"proxy\")"));
  EXPECT_THAT(told<oauth::event::Accepted>(world), IsEmpty());
}

TEST_P(Guard, A403PageIsAGatewaysAndSaysNothingAboutTheToken) {
  world.replies = {{403, kPage, {}, {}}};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.verdict, Verdict::gateway_refused);
  EXPECT_THAT(told<oauth::event::Accepted>(world), IsEmpty());
}

TEST_P(Guard, A403ThatSaysThatTheTokenHasEndedIsCuredByANewOne) {  // A10
  world.has_token = true;
  world.replies = {{403, "token.expired", {}, {}}};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.token_requests, 1);
}

TEST_P(Guard, TheApisOwnWordsStandInEveryExplanation) {
  world.has_token = true;
  world.revoked = {1};
  world.refusal = "credentials.expired";
  const CallReport& r = world.run();
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("The API's words: \"credentials.expired\"."));
}

TEST_P(Guard, WhereNoTokenArrivedTheWayThereIsSuspected) {  // A10
  world.refuses_all = true;
  world.refusal = "authentication.required";
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 3);
  EXPECT_EQ(r.verdict, Verdict::token_rejected);
  EXPECT_THAT(r.attempts.back().explanation, HasSubstr("may be removing the Authorization header"));
}

TEST_P(Guard, ARefusalForGoodNamesBothHosts) {
  world.refuses_all = true;
  const CallReport& r = world.run();
  EXPECT_THAT(r.attempts.back().explanation,
              AllOf(HasSubstr("https://login.example"), HasSubstr("https://api.example")));
}

TEST_P(Guard, OurOwnPauseIsNotReportedAsTheServersRequest) {
  world.options.deadline = world.now().boot + seconds{30};
  for (int i = 0; i < 100; ++i) world.replies.push_back({429, "", {}, {}});
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 7);
  for (const ReportedAttempt& attempt : r.attempts)
    EXPECT_THAT(attempt.explanation, Not(HasSubstr("asks to wait")));
  World w;
  Headers headers;
  headers.add("Retry-After", "0.503");
  w.replies = {{429, "", headers, {}}};
  EXPECT_THAT(w.run().attempts[0].explanation, HasSubstr("asks to wait 1.0 s"));
  EXPECT_THAT(w.log, Contains("sleep 1.0 s"));
  World soon;
  Headers at_once;
  at_once.add("Retry-After", "0");
  soon.replies = {{429, "", at_once, {}}};
  EXPECT_THAT(soon.run().attempts[0].explanation, HasSubstr("says to try again at once; the"));
}

// Permissions -------------------------------------------------------------------------------------

TEST_P(Guard, A403IsMissingPermissionAndNeverARefresh) {  // A5
  world.replies = {{403, "missing.permissions", {}, {}}};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 5);
  EXPECT_EQ(r.verdict, Verdict::missing_permission);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("routing:queue:view"));
  EXPECT_THAT(told<oauth::event::Accepted>(world), SizeIs(1));
}

TEST_P(Guard, InsufficientScopeIsMissingPermissionWhateverTheStatus) {  // A7
  Headers headers;
  headers.add("WWW-Authenticate", "Bearer error=\"insufficient_scope\", scope=\"queue\"");
  world.replies = {{401, "", headers, {}}};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 5);
  EXPECT_EQ(r.verdict, Verdict::missing_permission);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("queue"));
}

TEST_P(Guard, NoUserContextEndsWith1AndSaysWhatToAsk) {
  world.request.url = "https://api.example/api/v2/users/me";
  world.replies = {{404, "not.found", {}, {}}};
  const CallReport& r = world.run();
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
  world.request.method = "POST";
  world.replies = {{429, "too.many.requests", retry_after("3"), {}}};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1", "sleep 3.0 s", "need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::api_rate_limited);
  EXPECT_TRUE(r.mitigated);
  EXPECT_EQ(r.attempts[0].waited, seconds{3});
}

TEST_P(Guard, ARetryAfterBeyondTheDeadlineGivesUpAtOnceWith7) {  // A4
  world.replies = {{429, "too.many.requests", retry_after("3600"), {}}};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 7);
  EXPECT_THAT(r.attempts[0].explanation, HasSubstr("longer than"));
}

TEST_P(Guard, A429WithoutATimeOrWithGarbageBacksOffUntilTheDeadline) {  // A4
  for (int i = 0; i < 1000; ++i) {
    world.replies.push_back(
        {429, "", i % 3 == 0 ? Headers{} : retry_after(i % 3 == 1 ? "soon" : "0"), {}});
  }
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 7);
  EXPECT_LE(r.attempts.size(), 12U);
}

TEST_P(Guard, RateLimitResetIsTakenWhereThereIsNoRetryAfter) {
  Headers headers;
  headers.add("inin-ratelimit-reset", "2");
  world.replies = {{429, "", headers, {}}};
  world.run();
  EXPECT_THAT(world.log, Contains("sleep 2.0 s"));
  headers.add("inin-ratelimit-count", "7");
  headers.add("inin-ratelimit-allowed", "300");
  World w;
  w.replies = {{429, "", headers, {}}};
  w.run();
  EXPECT_THAT(w.log, Not(Contains("sleep 2.0 s"))) << "that limit is not used up";
}

TEST_P(Guard, AuthBackendTimeOutKeepsTheTokenAndIsRetriedToTheEnd) {
  world.replies = {{504, "authentication.request.timeout", {}, {}}};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::auth_backend_unavailable);
  EXPECT_EQ(r.token_requests, 1);
  World w;
  for (int i = 0; i < 1000; ++i)
    w.replies.push_back({504, "authentication.request.timeout", {}, {}});
  EXPECT_EQ(w.run().exit_code, 1);
  EXPECT_EQ(w.requests, 1);
  EXPECT_THAT(told<oauth::event::Accepted>(w), IsEmpty());
}

TEST_P(Guard, GatewayTroubleIsRetriedTwiceForGetAndNeverForPost) {  // A6
  for (int i = 0; i < 5; ++i) world.replies.push_back({502, "<html>", {}, {}});
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.verdict, Verdict::ok);
  EXPECT_EQ(world.sent.size(), 3U);
  World w;
  w.request.method = "POST";
  w.replies = {{503, "", {}, {}}};
  EXPECT_EQ(w.run().exit_code, 1);
  EXPECT_EQ(w.sent.size(), 1U);
}

// No usable answer --------------------------------------------------------------------------------

TEST_P(Guard, AResetIsRetriedForGetAndAPostIsSentOnce) {  // A9
  world.replies = {{0, "", {}, TransportFailure::Kind::reset}};
  const CallReport& r = world.run();
  EXPECT_EQ(r.exit_code, 0);
  EXPECT_EQ(r.verdict, Verdict::network);
  EXPECT_FALSE(r.attempts[0].http_status);
  World w;
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
    World w;
    w.replies = {{0, "", {}, row.kind}};
    const CallReport& r = w.run();
    EXPECT_EQ(r.verdict, row.verdict) << to_string(row.kind);
    EXPECT_EQ(r.exit_code, row.exit_code) << to_string(row.kind);
    EXPECT_EQ(w.end->error->kind, row.error) << to_string(row.kind);
    EXPECT_EQ(w.sent.size(), 1U) << to_string(row.kind);
    expect_sound(w);
  }
}

TEST(GuardFailures, ACertificateThatIsNotValidNowIsTheLocalClocksFaultIfARefereeSaysSo) {
  using Kind = TransportFailure::Kind;
  constexpr Duration kYears = std::chrono::hours{24 * 1000};  // until after this was written
  const auto told = [](Duration truth) {
    return TimeTold{{truth - seconds{1}, truth + seconds{1}}, "NTP (ntp:123)"};
  };
  World w;
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
  World right;
  right.wall_offset = kYears;
  right.replies = {{0, "", {}, Kind::tls_time, told(seconds{0})}};
  EXPECT_EQ(right.run().verdict, Verdict::tls_untrusted);
  EXPECT_EQ(right.end->report.exit_code, 6);
  EXPECT_EQ(right.end->error->remedy, "ask the operator of https://api.example to renew it");
}

TEST_P(Guard, ARedirectIsNamedAndNotFollowed) {  // A8
  Headers headers;
  headers.add("Location", "https://evil.example/login?token=abc");
  world.replies = {{302, "", headers, {}}};
  const CallReport& r = world.run();
  EXPECT_THAT(world.log, ElementsAre("need 0", "send 1"));
  EXPECT_EQ(r.exit_code, 1);
  EXPECT_EQ(r.verdict, Verdict::protocol);
  EXPECT_THAT(r.attempts[0].explanation, AllOf(HasSubstr("evil.example"), Not(HasSubstr("abc"))));
  EXPECT_THAT(told<oauth::event::Accepted>(world), IsEmpty());
}

// Replays and secrets -----------------------------------------------------------------------------

TEST_P(Guard, APostRefusedByA401IsSentAgainByteForByte) {  // T7
  world.request.method = "POST";
  world.request.headers.add("Content-Type", "application/json");
  world.request.body = Secret("{\"a\":1}");
  world.has_token = true;
  world.revoked = {1};
  world.run();
  ASSERT_THAT(world.sent, SizeIs(2));
  EXPECT_EQ(world.sent[0].body, world.sent[1].body);
  EXPECT_EQ(world.sent[0].headers.fields(), world.sent[1].headers.fields());
  EXPECT_EQ(world.sent[0].url, world.sent[1].url);
  EXPECT_NE(world.sent[0].authorization, world.sent[1].authorization);
}

TEST_P(Guard, AServerThatRepeatsTheTokenDoesNotPutItIntoTheReport) {
  Headers headers;
  headers.add("WWW-Authenticate",
              "Bearer error=\"insufficient_scope\", error_description=\"no: secret-token-1\"");
  world.replies = {{403, "secret-token-1", headers, {}}};
  world.run();  // expect_sound looks for it
}

TEST_P(Guard, ATokenThatIsValidLocallyButRefusedIsACriticalLine) {
  world.has_token = true;  // 60 s of its 300 s are over
  world.revoked = {1};
  const CallReport& r = world.run();
  std::vector<std::string> critical;
  for (const LogLine& line : world.lines)
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
  const Duration left = seconds{240} - world.rtt - (GetParam().jwt ? GetParam().wall : Duration{});
  EXPECT_EQ(r.attempts[0].analysis.time_remaining, left);
  EXPECT_THAT(critical[0], HasSubstr(" s left by the local wall clock (verdict provisional)"));
}

TEST_P(Guard, CancelledEndsTheCallWithAnErrorOfThatKind) {
  world.cancel_after_first = true;
  world.replies = {{429, "", retry_after("3"), {}}};
  world.run();
  ASSERT_TRUE(world.end->error);
  EXPECT_EQ(world.end->error->kind, ErrorKind::cancelled);
  EXPECT_EQ(world.end->error->message, "the call was cancelled before it ended");
}

TEST_P(Guard, ACallWhoseTransportWasCancelledSaysWhy) {
  world.replies = {{0, "", {}, TransportFailure::Kind::cancelled}};
  world.run();
  ASSERT_TRUE(world.end->error);
  EXPECT_EQ(world.end->error->kind, ErrorKind::cancelled);
  EXPECT_EQ(world.end->error->message,
            "the call was cancelled before it ended: no answer from api.example:443");
}

}  // namespace
}  // namespace skewguard::guard::testing
