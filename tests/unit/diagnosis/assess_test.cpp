// The rules of evidence, one refusal at a time, without a machine around them.
#include "diagnosis/assess.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnosis/dates.hpp"
#include "diagnosis/standing.hpp"
#include "evidence_testing.hpp"

namespace skewguard::diagnosis {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

Standing stands(const Trial& t) {
  return standing(evidence({t}), t);
}

TEST(Standing,
     ProofNeedsBeginAtLeastASecondPlusStalenessAfterTheDate) {  // evidence rule 2, to the ns
  Trial t = refusal(milliseconds{40}, -seconds{2});
  EXPECT_EQ(stands(t), Standing::not_begun);
  t.token.begins = noon_plus(-Duration{1});
  EXPECT_EQ(stands(t), Standing::perhaps_not_begun);
  t.token.begins = noon_plus(-seconds{2} + Duration{1});
  EXPECT_EQ(stands(t), Standing::perhaps_not_begun);
  t.token.begins = noon_plus(-seconds{2});
  EXPECT_EQ(stands(t), Standing::agrees);
}

TEST(Standing, AnApiThatTookUnbegunTokensIsNotWaitedFor) {  // C19
  Evidence e = evidence({refusal(milliseconds{40}, -seconds{60})});
  EXPECT_EQ(standing(e, e.trials[0]), Standing::not_begun);
  e.begins_ignored = true;
  EXPECT_EQ(standing(e, e.trials[0]), Standing::undecided);
  e.trials[0] = refusal(milliseconds{40}, seconds{0});
  EXPECT_EQ(standing(e, e.trials[0]), Standing::agrees) << "its Date counts otherwise";
}

TEST(Standing, OnlyAnAcceptanceSurelyBeforeTheBeginShowsThatBeginsAreIgnored) {
  Trial t = refusal(milliseconds{40}, -seconds{60});
  EXPECT_FALSE(took_unbegun(t, seconds{1})) << "refused";
  t.refused = false;
  EXPECT_TRUE(took_unbegun(t, seconds{1}));
  t.date = noon_plus(-seconds{1});
  EXPECT_FALSE(took_unbegun(t, seconds{1})) << "the Date may be that late";
}

TEST(Standing, StalenessWidensWhatProofNeeds) {
  Evidence e = evidence({refusal(milliseconds{40}, -seconds{4})});
  EXPECT_EQ(standing(e, e.trials[0]), Standing::not_begun);
  e.limits.staleness = milliseconds{3001};
  EXPECT_EQ(standing(e, e.trials[0]), Standing::perhaps_not_begun);
}

TEST(Standing, AnAnswerThatTookLongIsJudgedByItsDate) {
  // Our own deadline for the token, at 300 s, passed while it was on its way.
  const auto taking = [](Duration date) {
    Trial t = refusal(seconds{303}, date);
    t.sent = at(seconds{295});
    return stands(t);
  };
  EXPECT_EQ(taking(seconds{298}), Standing::agrees) << "written 2 s before: staleness and a tick";
  EXPECT_EQ(taking(seconds{299}), Standing::ended);
  Trial late = refusal(seconds{303}, seconds{298});
  late.sent = at(seconds{300});
  EXPECT_EQ(stands(late), Standing::ended) << "and it was sent too late";
  Trial undated = refusal(seconds{303}, std::nullopt);
  undated.sent = at(seconds{295});
  EXPECT_EQ(stands(undated), Standing::ended);
}

TEST(Standing, ATokenHasEndedFromTheSecondOfItsEndOn) {  // evidence rule 4: Date < exp
  EXPECT_EQ(stands(refusal(seconds{100}, seconds{299})), Standing::agrees);
  EXPECT_EQ(stands(refusal(seconds{100}, seconds{300})), Standing::ended);
}

TEST(Standing, OurOwnDeadlineEndsATokenWithoutAnyDate) {
  EXPECT_EQ(stands(refusal(seconds{299}, std::nullopt)), Standing::undecided);
  EXPECT_EQ(stands(refusal(seconds{300}, std::nullopt)), Standing::ended);
}

TEST(Standing, AnOpaqueTokenWithoutTimesIsUndecidedAndAJwtWithoutAClaimIsNotBoundByIt) {
  Trial t = refusal(seconds{1}, seconds{1});
  t.token.begins.reset();
  EXPECT_EQ(stands(t), Standing::undecided);
  t.token.jwt = true;
  EXPECT_EQ(stands(t), Standing::agrees);
}

TEST(Dates, CountUnlessTwoOfThemStandStillForOverASecond) {  // evidence rule 5
  EXPECT_TRUE(
      dates_count(evidence({refusal(seconds{1}, Duration{0}), refusal(seconds{2}, seconds{1})})));
  EXPECT_TRUE(dates_count(evidence(
      {refusal(milliseconds{100}, Duration{0}), refusal(milliseconds{900}, Duration{0})})));
  EXPECT_FALSE(
      dates_count(evidence({refusal(seconds{1}, Duration{0}), refusal(seconds{3}, Duration{0})})));
  EXPECT_FALSE(
      dates_count(evidence({refusal(seconds{1}, Duration{0}), refusal(seconds{9}, seconds{2})})))
      << "moving far too slowly is no clock either";
}

TEST(Dates, ALookThatBroughtNoneMeansThatThereAreNone) {
  Evidence e = evidence({refusal(milliseconds{40}, -seconds{120})});
  e.looks.push_back({at(seconds{2}), at(seconds{2}), std::nullopt});
  EXPECT_FALSE(dates_count(e));
  EXPECT_EQ(standing(e, e.trials[0]), Standing::undecided);
}

TEST(Assess, ProofIsWaitedForUntilTheAnswersOwnClockHasSurelyReachedTheBegin) {
  const Evidence e = evidence({refusal(milliseconds{40}, -seconds{5})});
  const Assessment a = assess(e);
  EXPECT_EQ(a.next, Next::wait);
  EXPECT_THAT(a.candidates, ElementsAre(Verdict::issuer_clock_ahead));
  EXPECT_GE(a.until, at(milliseconds{5040}));
  EXPECT_LE(a.until, at(milliseconds{5100}));
}

TEST(Assess, ATighterBoundOfTheClockBookShortensTheWait) {
  Evidence e = evidence({refusal(milliseconds{40}, -seconds{5})});
  e.begun_by = at(milliseconds{4300});
  EXPECT_LT(assess(e).until, at(milliseconds{4400}));
}

TEST(Assess, WaitsForEveryBackendHeardOfWhereTheLimitsAllow) {
  Evidence e = evidence({refusal(milliseconds{40}, -seconds{5})});
  e.begun_by = at(seconds{8});
  EXPECT_GE(assess(e).until, at(seconds{8}));
  e.begun_by = at(seconds{16});
  EXPECT_LT(assess(e).until, at(seconds{6})) << "this answer's own clock is then enough";
}

TEST(Assess, OverMaxWaitTheTokenBeforeServesAtOnceWhileItLives) {  // C22
  Evidence e = evidence({refusal(milliseconds{40}, -seconds{120}, 2)});
  e.older_until = at(milliseconds{500});
  EXPECT_EQ(assess(e).next, Next::renew);
  EXPECT_LE(assess(e).until, e.now);
  e.limits.attempts = 1;
  EXPECT_EQ(assess(e).next, Next::look) << "another token may not be refused";
  e.limits.attempts = 3;
  e.older_until = e.now;
  EXPECT_EQ(assess(e).next, Next::look) << "it has ended";
  Trial older = refusal(milliseconds{60}, -seconds{120}, 1);
  older.token.accepted_before = false;
  e.trials.insert(e.trials.begin(), older);
  e.older_until = at(seconds{300});
  EXPECT_EQ(assess(e).next, Next::look) << "it has been refused, too";
}

TEST(Assess, OverMaxWaitLooksAgainThenTriesOneNewTokenThenGivesUp) {  // C4
  Evidence e = evidence({refusal(milliseconds{40}, -seconds{120})});
  Assessment a = assess(e);
  EXPECT_EQ(a.next, Next::look);
  EXPECT_GE(a.until, at(milliseconds{1040}));
  e.now = at(milliseconds{1150});
  e.looks.push_back({at(milliseconds{1100}), e.now, noon_plus(-seconds{119})});
  EXPECT_EQ(assess(e).next, Next::renew);
  Trial again = refusal(milliseconds{1200}, -seconds{119}, 2);
  again.token.asked = at(milliseconds{1150});
  again.token.received = at(milliseconds{1170});
  again.token.begins = noon_plus(seconds{1});
  e.trials.push_back(again);
  e.now = at(milliseconds{1200});
  a = assess(e);
  EXPECT_EQ(a.next, Next::give_up);
  EXPECT_EQ(a.hindrance, Hindrance::max_wait);
  EXPECT_EQ(settle(e, 0), Verdict::issuer_clock_ahead);
  EXPECT_EQ(settle(e, 1), Verdict::issuer_clock_ahead);
}

TEST(Assess, OverMaxWaitWithoutRoomForALookTriesANewTokenAtOnce) {  // C22
  Evidence e = evidence({refusal(milliseconds{40}, -seconds{120})});
  e.limits.deadline = at(milliseconds{1200});
  EXPECT_EQ(assess(e).next, Next::renew);
  e.limits.attempts = 1;
  EXPECT_EQ(assess(e).next, Next::give_up);
}

TEST(Assess, AnAcceptedTokenIsResentBeforeANewOneIfOneClockSaysItIsNotValidYet) {
  Trial first = refusal(seconds{60}, -seconds{3600});
  first.token.accepted_before = true;
  const Assessment a = assess(evidence({first}));
  EXPECT_EQ(a.next, Next::wait);
  EXPECT_GE(a.until, first.received + seconds{1}) << "and the Date has moved by then";
  Trial again = refusal(seconds{62}, -seconds{3598});
  again.token.accepted_before = true;
  EXPECT_EQ(assess(evidence({first, again})).next, Next::renew);
}

TEST(Assess, ATokenThatAnotherClockTookIsSentOnceMoreWhereOneSaysThatItHasEnded) {
  Trial first = refusal(seconds{60}, seconds{3600});
  first.token.accepted_before = true;
  Evidence e = evidence({first});
  EXPECT_EQ(assess(e).next, Next::renew) << "its clock may have been set";
  e.takes_turns = true;
  EXPECT_EQ(assess(e).next, Next::wait);
  EXPECT_EQ(assess(e).until, first.sent + milliseconds{500});
  Trial again = refusal(seconds{61}, seconds{3600});
  again.token.accepted_before = true;
  e.trials.push_back(again);
  EXPECT_EQ(assess(e).next, Next::renew);
  e.trials = {first};
  e.trials[0].token.accepted_before = false;
  EXPECT_EQ(assess(e).next, Next::renew);
  e.trials[0].token.accepted_before = true;
  e.trials[0].token.dead_at = first.received;
  EXPECT_EQ(assess(e).next, Next::renew) << "our own deadline has passed";
}

TEST(Assess, OneTokenIsSentFourTimesAtMostAndNeverWithinHalfASecond) {  // T7
  std::vector<Trial> trials;
  for (int i = 0; i < 4; ++i) {
    EXPECT_TRUE(trials.empty() || assess(evidence(trials)).next == Next::wait) << i;
    Trial t = refusal(milliseconds{40} + i * seconds{3}, -seconds{5} + i * seconds{3});
    t.token.begins = noon_plus(i * seconds{3});
    trials.push_back(t);
  }
  EXPECT_NE(assess(evidence(trials)).next, Next::wait);
  Trial soon = refusal(milliseconds{40}, Duration{0});
  soon.token.begins = noon_plus(Duration{1});
  EXPECT_GE(assess(evidence({soon})).until, soon.sent + milliseconds{500});
}

/// A JWT with nbf 10 s before iat, refused at noon + `date`.
Trial early_nbf(Duration when, Duration date) {
  Trial t = refusal(when, date);
  t.token.jwt = true;
  t.token.begins = noon_plus(-seconds{10});
  t.token.begins_later = t.token.iat = noon_plus(Duration{0});
  return t;
}

TEST(Assess, TheEarlierOfNbfAndIatIsWaitedForThenTheLater) {  // C24, evidence rule 2
  Evidence e = evidence({early_nbf(milliseconds{40}, -seconds{13})});
  EXPECT_EQ(standing(e, e.trials[0]), Standing::not_begun);
  Assessment a = assess(e);
  EXPECT_EQ(a.next, Next::wait);
  EXPECT_LE(a.until, at(milliseconds{3100})) << "nbf has passed then";
  e.trials.push_back(early_nbf(milliseconds{3100}, -seconds{10}));
  e.now = at(milliseconds{3100});
  EXPECT_EQ(standing(e, e.trials[1]), Standing::not_begun) << "iat has not";
  a = assess(e);
  EXPECT_EQ(a.next, Next::wait);
  EXPECT_GE(a.until, at(milliseconds{13'100}));
  EXPECT_LE(a.until, at(milliseconds{13'200}));
}

TEST(Assess, OnlyTheEarlierOfNbfAndIatIsComparedWithMaxWait) {  // C24, evidence rule 2
  Evidence e = evidence({early_nbf(milliseconds{40}, -seconds{24})});
  EXPECT_EQ(assess(e).next, Next::wait) << "iat is 24 s ahead, nbf 14 s";
  e = evidence({early_nbf(milliseconds{40}, -seconds{26})});
  EXPECT_EQ(assess(e).next, Next::look) << "nbf is 16 s ahead";
  e = evidence({early_nbf(milliseconds{40}, -seconds{10})});
  e.limits.max_wait = seconds{5};
  EXPECT_EQ(assess(e).next, Next::wait) << "nbf has passed";
}

TEST(Assess, ALaterBeginBeyondTheDeadlineNamesThatAndNoMaxWait) {
  Evidence e = evidence({early_nbf(milliseconds{40}, -seconds{10})});  // iat is 10 s ahead
  e.limits.deadline = at(seconds{8});
  const Assessment a = assess(e);
  EXPECT_EQ(a.next, Next::look);
  EXPECT_EQ(a.hindrance, Hindrance::deadline);
}

TEST(Standing, ATokenWithAnEarlyNbfIsDeadOnArrivalByItsIatAlone) {
  const Evidence e = evidence({early_nbf(milliseconds{299'500}, seconds{300})});
  EXPECT_FALSE(dead_on_arrival(e, e.trials[0]));
}

TEST(Settle, AContendedTokenIsNotTakenForARevokedOne) {
  Trial early = refusal(seconds{60}, seconds{60});
  early.token.accepted_before = true;
  Trial taken = refusal(seconds{61}, seconds{61}, 2);
  taken.refused = false;
  EXPECT_EQ(settle(evidence({early, taken}), 0), Verdict::token_revoked);
  early.token.early_ends_before = 1;
  EXPECT_EQ(settle(evidence({early, taken}), 0), Verdict::token_contended);
}

TEST(Assess, ABeginAtMaxWaitIsWaitedFor) {
  Evidence e = evidence({refusal(milliseconds{40}, -seconds{5})});
  e.limits.max_wait = seconds{5};
  EXPECT_EQ(assess(e).next, Next::wait);
  e.limits.max_wait = seconds{5} - Duration{1};
  EXPECT_EQ(assess(e).next, Next::look);
}

TEST(Settle, ATokenRefusedTwiceWithoutADateWasNotRevokedForSure) {
  const Trial t = refusal(seconds{60}, std::nullopt);
  Trial taken = refusal(seconds{62}, std::nullopt, 2);
  taken.refused = false;
  EXPECT_EQ(settle(evidence({t, refusal(seconds{61}, std::nullopt), taken}), 0), Verdict::unknown);
}

/// Refused at `when` by an API whose Date says that it may not be valid for another `left`.
Trial perhaps_not_begun(Duration when, Duration left, std::uint64_t generation = 1) {
  Trial t = refusal(when, -left, generation);
  EXPECT_EQ(stands(t), Standing::perhaps_not_begun);
  return t;
}

TEST(Settle, ATokenThatPerhapsHadNotBegunIsRejectedOnlyIfAWaitDidNotHelp) {
  const Trial first = perhaps_not_begun(milliseconds{40}, milliseconds{1900});
  const Trial second = perhaps_not_begun(milliseconds{1040}, milliseconds{900});
  Trial other = perhaps_not_begun(milliseconds{1100}, milliseconds{900}, 2);
  other.token.asked = second.received;
  EXPECT_EQ(settle(evidence({first, other}), 0), Verdict::unknown) << "not waited for";
  EXPECT_EQ(settle(evidence({first, second}), 0), Verdict::unknown) << "no new one was tried";
  EXPECT_EQ(settle(evidence({first, second, other}), 0), Verdict::token_rejected);
  other.refused = false;
  EXPECT_EQ(settle(evidence({first, second, other}), 0), Verdict::token_revoked);
}

TEST(Settle, AGivenTokenThatPerhapsHadNotBegunIsRejectedOnlyIfAWaitDidNotHelp) {
  Trial first = perhaps_not_begun(milliseconds{40}, milliseconds{1900});
  Trial second = perhaps_not_begun(milliseconds{1040}, milliseconds{900});
  first.token.given = second.token.given = true;
  EXPECT_EQ(settle(evidence({first}), 0), Verdict::unknown);
  EXPECT_EQ(settle(evidence({first, second}), 0), Verdict::token_rejected);
}

TEST(FactsOf, SaysWhichTimesRestOnTheIssuersDate) {
  oauth::Token token;
  EXPECT_FALSE(facts_of(token, false, kApi).begin_dated);
  EXPECT_FALSE(facts_of(token, false, kApi).end_dated);
  token.begins = noon_plus(Duration{0});
  token.ends = noon_plus(seconds{300});
  EXPECT_TRUE(facts_of(token, false, kApi).begin_dated);
  EXPECT_TRUE(facts_of(token, false, kApi).end_dated);
  token.claims = oauth::JwtClaims{.iat = kNoon};
  EXPECT_FALSE(facts_of(token, false, kApi).begin_dated);
  EXPECT_TRUE(facts_of(token, false, kApi).end_dated);
  token.claims = oauth::JwtClaims{.nbf = kNoon, .exp = kNoon + seconds{300}};
  EXPECT_FALSE(facts_of(token, false, kApi).begin_dated);
  EXPECT_FALSE(facts_of(token, false, kApi).end_dated);
}

TEST(Settle, ARefusalThatNothingExplainsIsUnknownUnlessTheTokenWasGiven) {
  Trial t = refusal(seconds{60}, std::nullopt);
  EXPECT_EQ(settle(evidence({t}), 0), Verdict::unknown);
  t.token.given = true;
  EXPECT_EQ(settle(evidence({t}), 0), Verdict::token_rejected);
}

TEST(Assess, AnotherClocksBeginIsWaitedForUpToMaxWait) {
  const Trial first = refusal(milliseconds{40}, -seconds{5});
  const Trial same_date = refusal(seconds{2}, -seconds{5});
  Evidence e = evidence({first, same_date});
  e.limits.max_wait = seconds{5};
  EXPECT_EQ(assess(e).next, Next::wait);
  e.limits.max_wait = seconds{5} - Duration{1};
  EXPECT_EQ(assess(e).next, Next::renew);
}

/// The same next step up to a deadline just after it, another one where it would end at the
/// deadline.
void expect_only_before_the_deadline(Evidence e, Next next, Duration takes = Duration{0}) {
  e.limits.deadline = at(seconds{590});
  const Assessment a = assess(e);
  ASSERT_EQ(a.next, next);
  e.limits.deadline = a.until + takes + Duration{1};
  EXPECT_EQ(assess(e).next, next);
  e.limits.deadline = a.until + takes;
  EXPECT_NE(assess(e).next, next);
}

TEST(Assess, NoWaitEndsAtTheDeadline) {
  const Trial not_begun = refusal(milliseconds{40}, -seconds{5});
  expect_only_before_the_deadline(evidence({not_begun}), Next::wait);

  Trial perhaps = refusal(milliseconds{40}, Duration{0});
  perhaps.token.begins = noon_plus(seconds{1});
  expect_only_before_the_deadline(evidence({perhaps}), Next::wait);

  const Trial agrees = refusal(milliseconds{40}, Duration{0});
  expect_only_before_the_deadline(evidence({agrees}), Next::wait);

  const Trial same_date = refusal(seconds{2}, -seconds{5});
  expect_only_before_the_deadline(evidence({not_begun, same_date}), Next::wait);

  Trial accepted = refusal(seconds{60}, -seconds{3600});
  accepted.token.accepted_before = true;
  expect_only_before_the_deadline(evidence({accepted}), Next::wait);

  Evidence turns = evidence({refusal(seconds{60}, seconds{3600})});
  turns.trials[0].token.accepted_before = true;
  turns.takes_turns = true;
  expect_only_before_the_deadline(turns, Next::wait);
}

TEST(Assess, NoBackOffEndsAtTheDeadline) {
  Trial contended = refusal(seconds{60}, seconds{60});
  contended.token.accepted_before = true;
  contended.token.early_ends_before = 1;
  expect_only_before_the_deadline(evidence({contended}), Next::back_off);
}

TEST(Assess, ALookNeedsAQuarterOfASecondBeforeTheDeadline) {
  expect_only_before_the_deadline(evidence({refusal(milliseconds{40}, -seconds{120})}), Next::look,
                                  milliseconds{250});
}

TEST(Assess, ALookThatDidNotMoveLeavesTheOrdinaryWay) {
  Evidence e = evidence({refusal(milliseconds{40}, -seconds{120})});
  e.now = at(milliseconds{1150});
  e.looks.push_back({at(milliseconds{1100}), e.now, noon_plus(-seconds{120})});
  const Assessment a = assess(e);
  EXPECT_EQ(a.next, Next::wait);
  EXPECT_EQ(a.until, at(milliseconds{3020})) << "the look was a part of the wait";
  EXPECT_EQ(a.verdict(), Verdict::unknown);
}

TEST(Assess, AnAcceptedTokenIsReplacedAtOnceWhereClocksAgree) {  // evidence rule 4
  Trial t = refusal(seconds{60}, seconds{60});
  t.token.accepted_before = true;
  const Assessment a = assess(evidence({t}));
  EXPECT_EQ(a.next, Next::renew);
  EXPECT_EQ(a.verdict(), Verdict::token_revoked);
}

TEST(Assess, ANewTokenHasUntilTheBlindWaitsAgeToPropagate) {  // evidence rule 3: at most 3 s
  Evidence e = evidence({refusal(milliseconds{40}, Duration{0})});
  EXPECT_EQ(assess(e).until, at(milliseconds{3020}));
  e.limits.blind_wait = milliseconds{200};
  EXPECT_EQ(assess(e).until, at(milliseconds{520})) << "no sooner: half a second after the last";
  e.limits.blind_wait = Duration{0};
  EXPECT_EQ(assess(e).next, Next::renew);
}

TEST(Assess, ANewTokenThatIsOldEnoughToHavePropagatedIsReplacedAtOnce) {  // T1
  EXPECT_EQ(assess(evidence({refusal(seconds{4}, seconds{4})})).next, Next::renew);
}

TEST(Assess, OneWaitWhereNothingPointsToALagIsEnough) {
  Trial first = refusal(milliseconds{40}, Duration{0});
  first.followed = Action::wait_and_retry;
  const Trial again = refusal(milliseconds{3040}, seconds{3});
  Trial next = refusal(milliseconds{3100}, seconds{3}, 2);
  next.token.asked = at(milliseconds{3050});
  next.token.received = at(milliseconds{3070});
  EXPECT_EQ(assess(evidence({first, again, next})).next, Next::give_up);
  first.token.begins = noon_plus(seconds{3});  // it was waited for as it had not begun
  EXPECT_EQ(assess(evidence({first, again, next})).next, Next::wait);
}

TEST(Assess, APrefetchedTokenIsReplacedAtOnceIfAnAcceptedOneWasRefused) {  // T1
  Trial taken = refusal(seconds{100}, seconds{100});
  taken.token.accepted_before = true;
  taken.token.asked = at(-seconds{60});
  Trial ready = refusal(seconds{101}, seconds{101}, 2);
  ready.token.asked = at(milliseconds{99'900});
  ready.token.received = at(milliseconds{99'950});
  ready.token.begins = noon_plus(seconds{99});
  ready.token.dead_at = at(seconds{400});
  EXPECT_EQ(assess(evidence({taken, ready})).next, Next::renew);
  Trial late = ready;
  late.token.asked = at(milliseconds{100'100});
  late.token.received = at(milliseconds{100'150});
  EXPECT_EQ(assess(evidence({taken, late})).next, Next::wait) << "asked for to cure it";
}

/// Opaque: its times are those of the login host's Date.
Trial dated(Trial t, Duration asked) {
  t.token.asked = at(asked);
  t.token.received = at(asked + milliseconds{20});
  t.token.dead_at = at(asked + seconds{300});
  t.token.issued = t.token.begins;
  t.token.begin_dated = t.token.end_dated = true;
  return t;
}

TEST(IssuerDates, CountUntilTwoOfThemStandStill) {  // C19, evidence rule 5
  const Trial one = dated(refusal(milliseconds{40}, seconds{400}), Duration{0});
  Trial two = dated(refusal(milliseconds{1140}, seconds{401}, 2), milliseconds{1100});
  EXPECT_TRUE(issuer_dates_count(evidence({one}))) << "nothing to compare it with";
  EXPECT_FALSE(issuer_dates_count(evidence({one, two})));
  EXPECT_EQ(standing(evidence({one, two}), two), Standing::undecided);
  two.token.issued = two.token.begins = noon_plus(seconds{1});
  EXPECT_TRUE(issuer_dates_count(evidence({one, two})));
}

TEST(IssuerDates, CountUpToAWeekOffTheApis) {
  constexpr Duration kWeek = std::chrono::hours{24 * 7};
  const Duration age = milliseconds{40};
  const auto count = [&](Duration apart) {
    Trial t = dated(refusal(age, Duration{0}), Duration{0});
    t.token.issued = noon_plus(-apart);
    return issuer_dates_count(evidence({t}));
  };
  EXPECT_TRUE(count(kWeek + age));
  EXPECT_FALSE(count(kWeek + age + Duration{1}));
  EXPECT_TRUE(count(-kWeek));
  EXPECT_FALSE(count(-kWeek - Duration{1}));
}

TEST(IssuerDates, ThatAreYearsOffTheApisAreNoClocks) {  // C19
  Trial t = dated(refusal(milliseconds{40}, Duration{0}), Duration{0});
  t.token.issued = t.token.begins = noon_plus(-kNoon);
  t.token.ends = noon_plus(seconds{300} - kNoon);
  EXPECT_EQ(stands(t), Standing::undecided);
  t.token.begin_dated = t.token.end_dated = false;
  EXPECT_EQ(stands(t), Standing::ended) << "claims are the issuer's own";
}

TEST(IssuerDates, OfSeveralClocksBehindOneNameDateNoToken) {
  const Trial t = dated(refusal(milliseconds{40}, Duration{0}), Duration{0});
  Evidence e = evidence({t});
  EXPECT_EQ(standing(e, t), Standing::agrees);
  e.issuer_coherent = false;
  EXPECT_EQ(standing(e, t), Standing::undecided);
}

TEST(IssuerDates, BlameTheirClockOnlyOnceTheyHaveMoved) {
  const Trial one = dated(refusal(milliseconds{40}, seconds{400}), Duration{0});
  const Assessment first = assess(evidence({one}));
  EXPECT_EQ(first.next, Next::renew);
  EXPECT_GE(first.until, at(milliseconds{1050})) << "so that the next token's Date has moved";
  const Trial at_once = dated(refusal(milliseconds{80}, seconds{400}, 2), milliseconds{50});
  const Evidence e = evidence({one, at_once});
  EXPECT_EQ(assess(e).next, Next::renew);
  EXPECT_EQ(settle(e, 0), Verdict::token_expired);
}

TEST(Assess, TwoTokensInARowHadExpiredAlthoughAnOlderOneWasTriedBetween) {  // H13
  const Trial born_dead = refusal(milliseconds{40}, seconds{400}, 2);
  Trial older = refusal(milliseconds{60}, seconds{400}, 1);
  older.token.asked = older.token.received = at(-seconds{300});
  older.token.begins = noon_plus(seconds{100});  // made when the issuer's clock was right
  older.token.ends = noon_plus(seconds{400});
  older.token.accepted_before = true;
  Trial again = refusal(milliseconds{80}, seconds{400}, 3);
  again.token.asked = again.token.received = at(milliseconds{61});
  Evidence e = evidence({born_dead, older, again});
  EXPECT_EQ(assess(e).next, Next::look);
  e.now = at(milliseconds{1150});
  e.looks.push_back({at(milliseconds{1140}), e.now, noon_plus(seconds{401})});
  EXPECT_EQ(assess(e).next, Next::give_up);
  EXPECT_EQ(settle(e, 0), Verdict::issuer_clock_behind);
  EXPECT_EQ(settle(e, 1), Verdict::token_expired);
  EXPECT_EQ(settle(e, 2), Verdict::issuer_clock_behind);
}

TEST(Dates, OfTwoClocksBehindOneNameCountThoughTheyGoBack) {  // C10
  EXPECT_TRUE(dates_count(
      evidence({refusal(milliseconds{40}, -seconds{1}), refusal(seconds{2}, -seconds{2})})));
}

TEST(Assess, ARefusalByAClockThatLagsMoreIsWaitedForWithTheSameToken) {  // C10
  Trial first = refusal(milliseconds{40}, -seconds{1});
  first.followed = Action::wait_and_retry;
  first.waited = milliseconds{1020};
  for (const Duration date : {-seconds{2}, -seconds{1}}) {
    const Trial again = refusal(milliseconds{1100}, date);
    const Assessment a = assess(evidence({first, again}));
    EXPECT_EQ(a.next, Next::wait);
    EXPECT_GE(a.until, again.received - date);
    EXPECT_LE(a.until, again.received - date + milliseconds{50});
  }
}

TEST(Assess, TheSameTokenIsTriedTwiceAtMostWhereNothingProvesALag) {
  for (const Duration date : {Duration{0}, Duration{-seconds{1}}}) {
    Trial first = refusal(milliseconds{40}, date);
    first.followed = Action::wait_and_retry;
    first.waited = seconds{1};
    const Trial again = refusal(milliseconds{1100}, date + seconds{1});
    EXPECT_EQ(assess(evidence({first, again})).next, Next::renew);
  }
}

TEST(Assess, DeadOnArrivalCountsTheTimeSinceTheTokenWasAskedFor) {
  const Evidence none = evidence({refusal(seconds{200}, seconds{300})});
  EXPECT_TRUE(dead_on_arrival(none, none.trials[0]));  // 299 s of its clock in 200 s of ours
  const Evidence honest = evidence({refusal(seconds{299}, seconds{300})});
  EXPECT_FALSE(dead_on_arrival(honest, honest.trials[0]));
}

}  // namespace
}  // namespace skewguard::diagnosis
