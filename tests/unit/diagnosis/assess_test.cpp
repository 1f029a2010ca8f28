// The rules of evidence, one refusal at a time, without a machine around them.
#include "diagnosis/assess.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnosis/dates.hpp"
#include "diagnosis/explain.hpp"
#include "diagnosis/standing.hpp"

namespace skewguard::diagnosis {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;

constexpr ServerId kApi{0};
constexpr Duration kNoon = seconds{1'767'268'800};  // 2026-01-01T12:00:00Z

Instant at(Duration since_start) {
  return Instant{std::chrono::hours{1} + since_start};
}
ServerTime noon_plus(Duration d) {
  return {kApi, kNoon + d};
}

/// A token asked for at 0, begun at noon, 300 s long; refused at `when`, when the API said `date`.
Trial refusal(Duration when, std::optional<Duration> date, std::uint64_t generation = 1) {
  Trial t;
  t.token.generation = generation;
  t.token.asked = at(Duration{0});
  t.token.received = at(milliseconds{20});
  t.token.dead_at = at(seconds{300});
  t.token.begins = noon_plus(Duration{0});
  t.token.ends = noon_plus(seconds{300});
  t.sent = at(when - milliseconds{20});
  t.received = at(when);
  if (date) t.date = noon_plus(*date);
  return t;
}
Evidence evidence(std::vector<Trial> trials) {
  Evidence e;
  e.now = trials.back().received;
  e.trials = std::move(trials);
  e.limits = {at(seconds{600}), seconds{15}, seconds{3}, 3, seconds{1}};
  return e;
}
Standing stands(const Trial& t) {
  return standing(evidence({t}), t);
}

TEST(Standing, ProofNeedsBeginAtLeastASecondPlusStalenessAfterTheDate) {  // rule 2, to the ns
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

TEST(Standing, ATokenHasEndedFromTheSecondOfItsEndOn) {  // rule 4: Date < exp
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

TEST(Dates, CountUnlessTwoOfThemStandStillForOverASecond) {  // rule 5
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

TEST(Assess, OverMaxWaitLooksAgainThenGivesUp) {
  Evidence e = evidence({refusal(milliseconds{40}, -seconds{120})});
  Assessment a = assess(e);
  EXPECT_EQ(a.next, Next::look);
  EXPECT_GE(a.until, at(milliseconds{1040}));
  e.now = at(milliseconds{1150});
  e.looks.push_back({at(milliseconds{1100}), e.now, noon_plus(-seconds{119})});
  a = assess(e);
  EXPECT_EQ(a.next, Next::give_up);
  EXPECT_EQ(a.hindrance, Hindrance::max_wait);
  EXPECT_EQ(settle(e, 0), Verdict::issuer_clock_ahead);
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

TEST(Assess, AnAcceptedTokenIsReplacedAtOnceWhereClocksAgree) {  // rule 4
  Trial t = refusal(seconds{60}, seconds{60});
  t.token.accepted_before = true;
  const Assessment a = assess(evidence({t}));
  EXPECT_EQ(a.next, Next::renew);
  EXPECT_EQ(a.verdict(), Verdict::token_revoked);
}

TEST(Assess, ANewTokenHasUntilTheBlindWaitsAgeToSpread) {  // rule 3: at most 3 s
  Evidence e = evidence({refusal(milliseconds{40}, Duration{0})});
  EXPECT_EQ(assess(e).until, at(milliseconds{3020}));
  e.limits.blind_wait = milliseconds{200};
  EXPECT_EQ(assess(e).until, at(milliseconds{220}));
  e.limits.blind_wait = Duration{0};
  EXPECT_EQ(assess(e).next, Next::renew);
}

TEST(Assess, ANewTokenThatIsOldEnoughToHaveSpreadIsReplacedAtOnce) {  // T1
  EXPECT_EQ(assess(evidence({refusal(seconds{4}, seconds{4})})).next, Next::renew);
}

TEST(Assess, TheWaitIsSplitWhereAttemptsAllow) {
  Trial first = refusal(milliseconds{40}, Duration{0});
  Evidence e = evidence({first});
  e.limits.attempts = 4;
  EXPECT_EQ(assess(e).until, at(milliseconds{1040}));
  first.followed = Action::wait_and_retry;
  first.waited = seconds{1};
  e.trials = {first, refusal(milliseconds{1080}, seconds{1})};
  e.now = at(milliseconds{1080});
  EXPECT_EQ(assess(e).until, at(milliseconds{3020}));
}

TEST(Assess, OneThatLayReadyWhenATakenOneWasRefusedIsReplacedAtOnce) {  // T1
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

TEST(IssuerDates, CountUntilTwoOfThemStandStill) {  // C19, rule 5
  const Trial one = dated(refusal(milliseconds{40}, seconds{400}), Duration{0});
  Trial two = dated(refusal(milliseconds{1140}, seconds{401}, 2), milliseconds{1100});
  EXPECT_TRUE(issuer_dates_count(evidence({one}))) << "nothing to compare it with";
  EXPECT_FALSE(issuer_dates_count(evidence({one, two})));
  EXPECT_EQ(standing(evidence({one, two}), two), Standing::undecided);
  two.token.issued = two.token.begins = noon_plus(seconds{1});
  EXPECT_TRUE(issuer_dates_count(evidence({one, two})));
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

TEST(Explain, SaysHowFarTheApiLagsTheLoginHostWithBounds) {
  Trial t = refusal(milliseconds{40}, -seconds{5});
  t.followed = Action::wait_and_retry;
  t.waited = seconds{5};
  Trial good = refusal(milliseconds{5080}, Duration{0});
  good.refused = false;
  Evidence e = evidence({t, good});
  e.login_minus_api = OffsetBound{seconds{4}, milliseconds{5100}};
  EXPECT_EQ(explain_settled(e, {0, settle(e, 0), Hindrance::none}, ""),
            "The API's clock is 4.0 to 5.1 s behind the login host's: the token begins at 12:00:00 "
            "and the API answered at 11:59:55; waited 5.0 s and sent the same token again.");
}

}  // namespace
}  // namespace skewguard::diagnosis
