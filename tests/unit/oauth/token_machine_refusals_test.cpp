// What the token machine does after a server refused its token: which token is used instead, and
// how many may be requested (evidence rule 8).
#include <gmock/gmock.h>

#include "oauth/refusal_budget.hpp"
#include "token_machine_testing.hpp"

namespace skewguard::oauth {
namespace {

using testing::HasSubstr;

using action::Deliver;
using action::Fail;
using action::Log;
using action::Save;
using action::StartFetch;
using action::WakeAt;

/// Refused just now.
Refused plain(const Bench& bench) {
  return {.sent = bench.boot};
}
/// The token was new, and becomes valid by the API's clock in `left`.
Refused unbegun(const Bench& bench, Duration left) {
  return {.sent = bench.boot, .ill_timed = true, .begins = bench.boot + left};
}

// Tokens of a wrong clock -------------------------------------------------------------------------

TEST(RefusedTokens, ANewOneThatBeginsNoSoonerLeavesTheOlderOneInPlace) {  // C4
  Bench bench;
  bench.get("t1");
  EXPECT_EQ(all<StartFetch>(bench.want_instead(2, 1, unbegun(bench, 120s))).size(), 1U);
  bench.advance(1s);
  const auto actions = bench.give("t2");
  const Deliver delivered = only<Deliver>(actions);
  EXPECT_EQ(delivered.token->generation, 2U) << "for the one that asked";
  EXPECT_GE(delivered.first_use, bench.boot + 120s);
  EXPECT_TRUE(all<Save>(actions).empty()) << "the one in the store begins sooner";
  const Deliver next = only<Deliver>(bench.want(3));
  EXPECT_EQ(next.token->generation, 1U);
  EXPECT_EQ(next.first_use, bench.boot + 119s);
  EXPECT_FALSE(bench.machine->usable(bench.view())) << "no reader gets it until then";
  bench.advance(119s);
  bench.tick();
  EXPECT_EQ(bench.machine->usable(bench.view())->generation, 1U);
}

TEST(RefusedTokens, OneFromACorrectedClockReplacesTheOlderOne) {  // C22
  Bench bench;
  bench.get("t1");
  bench.want_instead(2, 1, unbegun(bench, 120s));
  bench.issuer_offset -= 120s;
  const auto actions = bench.give("t2");
  EXPECT_EQ(only<Deliver>(actions).first_use, bench.boot);
  EXPECT_EQ(all<Save>(actions).size(), 1U);
  EXPECT_EQ(only<Deliver>(bench.want(3)).token->generation, 2U);
}

TEST(RefusedTokens, OneThatHasBeenReplacedIsUsedByNobodyWhileTheNewOneBegins) {
  Bench bench;
  bench.step(event::ApiLags{3s, 2s});
  bench.get("t1");
  bench.advance(10s);
  bench.step(event::Accepted{1});
  bench.want_instead(2, 1, plain(bench));
  EXPECT_EQ(bench.machine->usable(bench.view())->generation, 1U) << "there is no other one yet";
  const auto actions = bench.give("t2");
  EXPECT_EQ(only<Deliver>(actions).first_use, bench.boot + 3s);
  EXPECT_FALSE(only<action::Publish>(actions).token);
  const Deliver next = only<Deliver>(bench.want(3));
  EXPECT_EQ(next.token->generation, 2U);
  EXPECT_EQ(next.first_use, bench.boot + 3s);
  bench.advance(3s);
  EXPECT_EQ(only<action::Publish>(bench.tick()).token->generation, 2U);
}

TEST(RefusedTokens, OneThatIsAcceptedAfterARefusalIsUsedWhileTheNewOneBegins) {
  Bench bench;
  bench.step(event::ApiLags{3s, 2s});
  bench.get("t1");
  bench.advance(10s);
  bench.want_instead(2, 1, plain(bench));
  bench.give("t2");
  bench.step(event::Accepted{1});
  EXPECT_EQ(bench.machine->usable(bench.view())->generation, 1U);
  EXPECT_EQ(only<Deliver>(bench.want(3)).token->generation, 1U);
}

TEST(RefusedTokens, OneThatIsTakenAllTheSameIsUsed) {
  Bench bench;
  bench.get("t1");
  bench.want_instead(2, 1, unbegun(bench, 120s));
  bench.advance(1s);
  bench.give("t2");
  bench.step(event::Accepted{2});
  EXPECT_EQ(bench.machine->usable(bench.view())->generation, 2U);
}

TEST(RefusedTokens, ThePreviousOneIsUsedUntilItExpires) {  // C22
  Bench bench;
  bench.get("t1");
  bench.step(event::Accepted{1});
  bench.advance(298'500ms);  // it is due, but has 1.5 s to live
  bench.issuer_offset += 1h;
  bench.get("t2");
  EXPECT_EQ(bench.machine->older_until(1, bench.view()), Instant::min());
  EXPECT_EQ(bench.machine->older_until(2, bench.view()), bench.boot + 1500ms);
  const Deliver older = only<Deliver>(bench.want_instead(2, 2, unbegun(bench, 1h)));
  EXPECT_EQ(older.token->generation, 1U);
  EXPECT_EQ(only<Deliver>(bench.want_instead(3, 2, unbegun(bench, 1h))).token->generation, 1U);
  EXPECT_EQ(bench.fetches, 2);
  bench.advance(2s);
  EXPECT_EQ(all<StartFetch>(bench.want_instead(4, 2, unbegun(bench, 1h))).size(), 1U);
}

TEST(RefusedTokens, ThePreviousOneStaysIfTheNewOneHadExpiredOnArrival) {
  Bench bench;
  bench.get("t1");
  bench.step(event::Accepted{1});
  bench.advance(290s);
  bench.want_newer(2, 1);
  bench.give("t2");
  const Refused dead{.sent = bench.boot, .ill_timed = true, .begins = {}};
  EXPECT_EQ(only<Deliver>(bench.want_instead(3, 2, dead)).token->generation, 1U);
  EXPECT_EQ(only<Deliver>(bench.want(4)).token->generation, 1U);
}

TEST(RefusedTokens, ARenewalAfterADiscardedOneIsPaidUntilANewerOneIsTaken) {
  TokenMachineOptions options;
  options.margins.refresh_part = 0.25;
  Bench bench(options);
  bench.get("t1");
  bench.step(event::Accepted{1});
  bench.advance(290s);  // within its refresh window, with 10 s to live
  const auto refuse_the_renewal = [&bench](std::uint64_t generation) {
    bench.give("t" + std::to_string(generation));
    const Refused dead{.sent = bench.boot, .ill_timed = true, .begins = {}};
    const Deliver older = only<Deliver>(bench.want_instead(10 + generation, generation, dead));
    EXPECT_EQ(older.token->generation, 1U);
    bench.step(event::Accepted{1});
  };
  EXPECT_EQ(all<StartFetch>(bench.tick()).size(), 1U);
  std::uint64_t generation = 1;
  for (int call = 0; call < 20; ++call) {
    if (bench.machine->fetching()) refuse_the_renewal(++generation);
    bench.tick();
  }
  EXPECT_EQ(bench.fetches, 2 + RefusalBudget::kMax) << "the first renewal alone was free";
  bench.advance(RefusalBudget::kEvery);
  EXPECT_EQ(all<StartFetch>(bench.tick()).size(), 1U);
  bench.give("taken", "6");
  EXPECT_TRUE(all<StartFetch>(bench.step(event::Accepted{++generation})).empty());
  EXPECT_EQ(bench.machine->usable(bench.view())->generation, generation);
  EXPECT_FALSE(bench.machine->fetching());
  bench.advance(4900ms);  // it is due, and nothing can be paid for
  EXPECT_EQ(all<StartFetch>(bench.tick()).size(), 1U);
}

TEST(RefusedTokens, TheOneAfterADiscardedRenewalIsPaidForThoughTheOlderEnds) {
  for (const auto& [left, forced] : {std::pair{1s, false}, {-1s, false}, {-1s, true}}) {
    Bench bench;
    bench.get("t1");
    bench.step(event::Accepted{1});
    bench.advance(100s);
    bench.want_newer(2, 1);
    bench.give("t2");
    const Refused dead{.sent = bench.boot, .ill_timed = true, .begins = {}};
    EXPECT_EQ(only<Deliver>(bench.want_instead(3, 2, dead)).token->generation, 1U);
    bench.advance(200s - left);
    bench.step(event::Want{.waiter = 4, .deadline = bench.boot + 30s, .force = forced});
    for (std::uint64_t refused = 3; refused < 20 && bench.machine->fetching(); ++refused) {
      bench.give("t" + std::to_string(refused));
      bench.want_instead(10 + refused, refused, plain(bench));
    }
    EXPECT_EQ(bench.fetches, 2 + RefusalBudget::kMax + (forced ? 1 : 0));
  }
}

TEST(RefusedTokens, ThePreviousOneIsNotUsedOnceTheNewOneWasAcceptedOrIfItNeverWas) {
  Bench bench;
  bench.get("t1");
  bench.advance(1s);
  bench.want_newer(2, 1);
  bench.give("t2");
  EXPECT_EQ(all<StartFetch>(bench.want_instead(3, 2, unbegun(bench, 1h))).size(), 1U)
      << "nobody has taken the first one";
  Bench other;
  other.get("t1");
  other.step(event::Accepted{1});
  other.want_newer(2, 1);
  other.give("t2");
  other.step(event::Accepted{2});
  EXPECT_EQ(all<StartFetch>(other.want_instead(3, 2, unbegun(other, 1h))).size(), 1U);
}

TEST(RefusedTokens, OneThatWasAskedForBeforeTheRefusalIsNoNewOne) {
  Bench bench;
  bench.get("t1");
  bench.want_instead(2, 1, unbegun(bench, 120s));
  bench.advance(1s);
  bench.give("t2");
  bench.advance(1s);
  EXPECT_EQ(all<StartFetch>(bench.want_instead(3, 1, unbegun(bench, 118s))).size(), 1U);
  EXPECT_EQ(only<Deliver>(bench.give("t3")).token->generation, 3U);
}

TEST(RefusedTokens, ManyWhoWereRefusedAlikeShareOneNewToken) {
  Bench bench;
  bench.get("t1");
  const Refused refused = unbegun(bench, 120s);
  bench.advance(1s);
  for (WaiterId waiter = 2; waiter < 12; ++waiter) bench.want_instead(waiter, 1, refused);
  EXPECT_EQ(all<Deliver>(bench.give("t2")).size(), 10U);
  EXPECT_EQ(bench.fetches, 2);
}

TEST(RefusedTokens,
     AnIssuerBehindIsAskedAgainFiveSecondsAfterItsLastToken) {  // login-behind-set-right
  Bench bench;
  bench.get("t1");
  for (std::uint64_t generation = 1; generation < 6; ++generation) {
    bench.advance(1100ms);
    bench.step(event::RefusedForGood{generation, Verdict::issuer_clock_behind});
    EXPECT_EQ(all<Fail>(bench.want_instead(2, generation, plain(bench))).size(), 1U);
    bench.advance(3900ms);
    EXPECT_EQ(all<StartFetch>(bench.want_instead(3, generation, plain(bench))).size(), 1U);
    bench.give("t" + std::to_string(generation + 1));
  }
}

TEST(RefusedTokens, AnIssuerWhoseClockWasRightBeforeIsWaitedFor) {  // H13
  Bench bench;
  bench.get("t1");
  bench.step(event::Accepted{1});
  bench.advance(300s);
  bench.get("t2");
  bench.advance(1100ms);
  bench.step(event::RefusedForGood{2, Verdict::issuer_clock_behind});
  const auto waits = bench.want_instead(2, 2, plain(bench));
  EXPECT_TRUE(all<Fail>(waits).empty());
  EXPECT_TRUE(all<StartFetch>(waits).empty());
  EXPECT_EQ(all<Fail>(bench.want_instead(3, 2, plain(bench), 3s)).size(), 1U) << "has no time";
  bench.advance(3900ms);
  EXPECT_EQ(all<StartFetch>(bench.tick()).size(), 1U);
  EXPECT_EQ(only<Deliver>(bench.give("t3")).waiter, 2U);
}

TEST(RefusedTokens, AnApiThatRefusesEveryTokenIsNotWaitedFor) {  // T8
  Bench bench;
  bench.get("t1");
  bench.step(event::Accepted{1});
  bench.want_newer(2, 1);
  bench.give("t2");
  bench.step(event::RefusedForGood{2, Verdict::token_rejected});
  EXPECT_EQ(all<Fail>(bench.want_instead(3, 2, plain(bench))).size(), 1U);
}

// Evidence rule 8
// ------------------------------------------------------------------------------------------

/// Every token is refused as soon as it is issued, for `span`; returns how many were requested.
int refuse_all(Bench& bench, Duration span, Duration patience) {
  const int before = bench.fetches;
  std::uint64_t generation = 1;
  WaiterId waiter = 1000;
  for (const Instant end = bench.boot + span; bench.boot < end; bench.advance(10ms)) {
    const int asked = bench.fetches;
    bench.step(event::Accepted{generation});
    bench.want_instead(waiter++, generation, plain(bench), patience);
    if (bench.fetches == asked) continue;
    bench.give("r" + std::to_string(++generation));
  }
  return bench.fetches - before;
}

TEST(Rule8, SixTokensAtOnceThenOneInFiveSeconds) {  // T13
  for (const Duration patience : {Duration{1ms}, Duration{3s}, Duration{30s}}) {
    Bench bench;
    bench.get("t1");
    EXPECT_EQ(refuse_all(bench, 1s, patience), 6);
    EXPECT_LE(refuse_all(bench, 99s, patience), 20);
  }
}

TEST(Rule8, ACallThatHasTheTimeWaitsForTheNextOne) {
  Bench bench;
  bench.get("t1");
  ASSERT_EQ(refuse_all(bench, 1s, 1ms), 6);  // all at 10,000.0 s
  const auto wait = bench.want_instead(1, 7, plain(bench), 10s);
  EXPECT_TRUE(all<Fail>(wait).empty());
  EXPECT_TRUE(all<StartFetch>(wait).empty());
  const LogLine told = only<Log>(wait).line;
  EXPECT_THAT(told.message, HasSubstr("some have been refused"));
  EXPECT_NEAR(static_cast<double>(told.wait / 1ms), 4000, 200);
  EXPECT_TRUE(all<Log>(bench.want_instead(2, 7, plain(bench), 10s)).empty()) << "once";
  bench.boot = Instant{10'004'900ms};
  EXPECT_TRUE(all<StartFetch>(bench.tick()).empty());
  bench.boot = Instant{10'005'100ms};
  EXPECT_EQ(all<StartFetch>(bench.tick()).size(), 1U);
  for (const auto& served : all<Deliver>(bench.give("t8")))
    EXPECT_NEAR(static_cast<double>(served.held_up / 1ms), 4000, 200);
}

TEST(Rule8, ACallWithoutBudgetSaysWhenTheNextTokenMayBeRequested) {
  Bench bench;
  bench.get("t1");
  ASSERT_EQ(refuse_all(bench, 1s, 1ms), 6);
  const Fail failed = only<Fail>(bench.want_instead(1, 7, plain(bench), 3s));
  ASSERT_TRUE(failed.failure.next_request);
  EXPECT_GT(*failed.failure.next_request, bench.boot + 3900ms);
  EXPECT_LT(*failed.failure.next_request, bench.boot + 4100ms);
}

TEST(Rule8, RenewalsAndForcedOnesAreFree) {
  Bench bench;
  bench.get("t1");
  ASSERT_EQ(refuse_all(bench, 1s, 1ms), 6);
  for (int i = 0; i < 10; ++i) {
    const auto forced = bench.step(event::Want{
        .waiter = 10U + static_cast<WaiterId>(i), .deadline = bench.boot + 1s, .force = true});
    EXPECT_EQ(all<StartFetch>(forced).size(), 1U);
    bench.give("f" + std::to_string(i));
  }
  bench.advance(400s);
  refuse_all(bench, 1s, 1ms);  // empty again
  bench.advance(299s);
  EXPECT_EQ(all<StartFetch>(bench.want(99)).size(), 1U) << "its life is over";
}

TEST(Rule8, ATokenRefusedAfterItsEndIsFree) {
  Bench bench;
  bench.get("t1");
  ASSERT_EQ(refuse_all(bench, 1s, 1ms), 6);
  bench.advance(299s);
  ASSERT_LE(refuse_all(bench, 100ms, 1ms), 7);
  bench.advance(299500ms);
  EXPECT_EQ(all<StartFetch>(bench.want_instead(1, 9, plain(bench), 1s)).size(), 1U);
}

TEST(Rule8, ATokenThatIsDueForRenewalIsFreeFromThatMomentOn) {
  /// A token of 4 s after six that were refused, and `pause` after those.
  const auto get_short = [](Bench& bench, Duration pause) {
    bench.get("t1");
    EXPECT_EQ(refuse_all(bench, 1s, 1ms), 6);
    bench.advance(pause);
    bench.step(event::Want{.waiter = 1, .deadline = bench.boot + 1s, .force = true});
    return bench.give("short", "4");
  };
  Bench unhurried;  // one could be paid for, so the timer is set to when the token is due
  const auto actions = get_short(unhurried, 1min);
  const Duration due = only<WakeAt>(actions).at - unhurried.boot;
  ASSERT_LT(due, 4s) << "before one could be paid for below";
  for (const auto& [early, requests] : {std::pair{Duration{1ns}, 0U}, {Duration{0ns}, 1U}}) {
    Bench bench;
    get_short(bench, 0s);
    bench.advance(due - early);
    EXPECT_EQ(all<StartFetch>(bench.want_instead(2, 8, plain(bench))).size(), requests);
  }
}

TEST(Rule8, ARenewalIsNotDelayedByABudgetThatItDoesNotNeed) {
  const auto wakes = [](Duration pause) {
    Bench bench;
    bench.get("t1");
    EXPECT_EQ(refuse_all(bench, 1s, 1ms), 6);
    bench.advance(pause);
    bench.step(event::Want{.waiter = 1, .deadline = bench.boot + 1s, .force = true});
    return only<WakeAt>(bench.give("short", "4")).at - bench.boot;
  };
  EXPECT_EQ(wakes(0s), wakes(1min));
}

TEST(Rule8, ATokenFoundInTheStoreCostsNothing) {
  Bench bench;
  bench.get("t1");
  for (int i = 0; i < 20; ++i) {
    const auto started =
        all<StartFetch>(bench.want_instead(1, static_cast<std::uint64_t>(i) + 1, plain(bench)));
    ASSERT_EQ(started.size(), 1U) << i;
    auto token = std::make_shared<Token>();
    token->value = Secret("found" + std::to_string(i));
    token->sent = token->received = bench.boot;
    token->life = 300s;
    bench.step(event::Found{started[0].fetch, std::move(token)});
  }
}

}  // namespace
}  // namespace skewguard::oauth
