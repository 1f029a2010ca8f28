#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "clocks/sample_of.hpp"
#include "oauth/token_machine.hpp"
#include "token_machine_testing.hpp"

namespace skewguard::oauth {
namespace {

using action::Deliver;
using action::Publish;
using action::StartFetch;
using testing::HasSubstr;

/// An answer of `server` outside any fetch, received within 10 ms; both servers' clocks agree.
clocks::Observation hear(Bench& bench, ServerId server) {
  Exchange answer = bench.exchange(200, "");
  answer.sent = bench.at(bench.boot - 10ms);
  return bench.book.observe(server, *clocks::sample_of(answer));
}

TEST(NextChance, IsTheFirstUseOfATokenThatIsNotValidYet) {
  Bench bench;
  bench.step(event::ApiLags{.lag = 5s, .min = 5s});
  const TokenPtr token = bench.get("t1");
  EXPECT_FALSE(bench.machine->usable(bench.view()));
  EXPECT_EQ(bench.machine->next_chance(bench.view()), bench.boot + 5s);
  bench.advance(5s);
  EXPECT_TRUE(bench.machine->usable(bench.view()));
  EXPECT_FALSE(bench.machine->next_chance(bench.view()));
}

TEST(NextChance, IsTheNextTokenRequestUnlessOneIsUnderWay) {
  Bench bench;
  bench.want(1);
  EXPECT_FALSE(bench.machine->next_chance(bench.view()));
  bench.reply(429, "", {{"Retry-After", "20"}});
  const auto next = bench.machine->next_chance(bench.view());
  ASSERT_TRUE(next);
  EXPECT_GE(*next, bench.boot + 20s);
  EXPECT_LT(*next, bench.boot + 30s);
}

// The second witness ------------------------------------------------------------------------------

TEST(SecondWitness, ATokenEndsByTheIssuersClockWhenItStepped) {
  Bench bench;
  bench.get("t1", "3600");
  for (int i = 0; i < 6; ++i) {  // three answers on each side make it a step
    bench.advance(1s);
    if (i == 3) bench.issuer_offset += 2h;
    hear(bench, bench.login);
  }
  EXPECT_EQ(bench.machine->usable(bench.view()), nullptr);
  EXPECT_EQ(all<StartFetch>(bench.want(2)).size(), 1U);
  EXPECT_EQ(only<Deliver>(bench.give("t2", "3600")).token->generation, 2U);
  EXPECT_NE(bench.machine->usable(bench.view()), nullptr) << "the new one counts from now";
}

TEST(SecondWitness, ATokenEndsOnceBothServersShowThatTheMachineStoodStill) {
  Bench bench;
  hear(bench, bench.api);
  bench.get("t1", "3600");
  bench.advance(10s);
  bench.issuer_offset += 2h;  // the machine was stopped: its clock did not run
  EXPECT_EQ(hear(bench, bench.api).machine_stood_still, std::nullopt);
  EXPECT_NE(bench.machine->usable(bench.view()), nullptr) << "one server alone proves nothing";
  bench.advance(100ms);
  const auto gap = hear(bench, bench.login).machine_stood_still;
  ASSERT_TRUE(gap);
  EXPECT_EQ(bench.machine->usable(bench.view()), nullptr) << "by the issuer's clock";
  bench.step(event::StoodStill{*gap});
  EXPECT_EQ(bench.machine->usable(bench.view()), nullptr) << "and by our own";
  EXPECT_EQ(all<StartFetch>(bench.want(2)).size(), 1U);
  bench.give("t2", "3600");
  EXPECT_NE(bench.machine->usable(bench.view()), nullptr);
}

TEST(SecondWitness, OneAnswerFromAFarFutureEndsNothing) {
  Bench bench;
  bench.get("t1", "3600");
  const Duration offset = bench.issuer_offset;
  bench.advance(10s);
  bench.issuer_offset += std::chrono::hours{24 * 365 * 74};  // 2100
  hear(bench, bench.login);
  EXPECT_NE(bench.machine->usable(bench.view()), nullptr);
  bench.issuer_offset = offset;
}

TEST(SecondWitness, TheWidthOfTheBoundDoesNotKillShortTokens) {
  Bench bench;
  const TokenPtr token = bench.get("t1", "5", 1s);  // its offset is known to 2 s
  bench.advance(2500ms);
  EXPECT_EQ(bench.machine->usable(bench.view()), token);
}

TEST(SecondWitness, AnExpThatIsPastByTheIssuersOwnDateIsIgnored) {
  // An issuer whose JWTs are dated by another clock than its answers: asking again would not help.
  Bench bench;
  const auto jwt = [&](int n) {
    const auto now = std::chrono::floor<std::chrono::seconds>(bench.boot.time_since_epoch() +
                                                              bench.issuer_offset)
                         .count();
    return testing_jwt(R"({"jti":)" + std::to_string(n) + R"(,"iat":)" +
                       std::to_string(now - 1000) + R"(,"exp":)" + std::to_string(now - 700) + "}");
  };
  bench.want(1);
  EXPECT_EQ(only<Deliver>(bench.give(jwt(1), "300")).token->life, 300s);
  for (WaiterId id = 2; id < 100; ++id) {
    bench.advance(1s);
    EXPECT_EQ(all<Deliver>(bench.want(id)).size(), 1U);
  }
  EXPECT_EQ(bench.fetches, 1);
}

TEST(SecondWitness, AnAnswerWithoutADateLeavesTheFirst) {
  Bench bench;
  bench.want(1);
  const auto token =
      only<Deliver>(bench.reply(200, token_body("t1", "300"), {{"Age", "10"}})).token;
  EXPECT_EQ(token->issuer_date, std::nullopt) << "a cached Date is none";
  EXPECT_EQ(token->ends, std::nullopt);
  EXPECT_EQ(bench.machine->ends_at(bench.view()), bench.boot + 300s);
}

// Wall clock, suspend, standstill -----------------------------------------------------------------

TEST(TokenClocks, AStepOfTheWallClockChangesNothing) {
  for (const Duration step : {Duration{1h}, Duration{-1h}, Duration{-1'767'225'600s},
                              Duration{std::chrono::hours{24 * 365 * 74}}}) {
    Bench bench;
    const TokenPtr token = bench.get("t1", "300");
    bench.wall_offset += step;
    bench.advance(260s);
    EXPECT_TRUE(all<StartFetch>(bench.want(2)).empty());
    EXPECT_EQ(bench.machine->usable(bench.view()), token);
    bench.advance(40s);
    EXPECT_EQ(bench.machine->usable(bench.view()), nullptr);
  }
}

TEST(TokenClocks, ServersFarFromOurWallClockChangeNothing) {
  for (const Duration offset : {Duration{600s}, Duration{-600s}}) {
    Bench bench;
    bench.issuer_offset += offset;
    WaiterId id = 1;
    int tokens = 0;
    for (int i = 0; i < 600; ++i) {  // 3000 s of 300 s tokens
      bench.want(id++);
      if (bench.machine->fetching()) bench.give("t" + std::to_string(++tokens), "300");
      EXPECT_NE(bench.machine->usable(bench.view()), nullptr);
      bench.advance(5s);
    }
    EXPECT_LE(tokens, 12);
    EXPECT_GE(tokens, 10);
  }
}

TEST(TokenClocks, ATokenThatEndedDuringSuspendIsReplacedBeforeUse) {
  Bench bench;
  bench.get("t1", "3600");
  bench.advance(2h);  // CLOCK_BOOTTIME ran on; no timer fired
  EXPECT_EQ(bench.machine->usable(bench.view()), nullptr);
  const auto actions = bench.want(2);
  EXPECT_TRUE(all<Deliver>(actions).empty());
  EXPECT_EQ(all<StartFetch>(actions).size(), 1U);
}

TEST(TokenClocks, AStandstillShortensEveryLifeByItsLength) {
  Bench bench;
  const Instant sent = bench.boot;
  bench.get("t1", "3600");
  bench.step(event::StoodStill{600s});
  EXPECT_EQ(bench.machine->ends_at(bench.view()), sent + 3000s);
  EXPECT_EQ(bench.machine->usable(bench.view())->dead_at(), sent + 3000s);
  EXPECT_EQ(bench.machine->usable(bench.view())->generation, 1U) << "the same token still";
  EXPECT_EQ(only<Publish>(bench.step(event::StoodStill{2h})).token, nullptr);
}

TEST(TokenClocks, ATokenIssuedAfterAStandstillKeepsItsLife) {
  Bench bench;
  bench.get("t1", "3600");
  bench.advance(10s);
  const TokenPtr fresh = only<Deliver>([&] {
                           bench.want_newer(2, 1);
                           bench.advance(1s);
                           return bench.give("t2", "3600");
                         }())
                             .token;
  const auto end = bench.machine->ends_at(bench.view());
  bench.step(event::StoodStill{600s, fresh->received});
  EXPECT_EQ(bench.machine->ends_at(bench.view()), end);
  bench.step(event::StoodStill{600s, fresh->received + 1ns});
  EXPECT_EQ(bench.machine->ends_at(bench.view()), *end - 600s);
}

// What was learned --------------------------------------------------------------------------------

TEST(Learning, AfterALagANewTokenIsFirstUsedWhenSurelyActive) {
  Bench bench;
  bench.get("t1", "300");
  bench.step(event::ApiLags{5s});
  bench.step(event::Accepted{1});
  bench.advance(285s);
  bench.want(2);
  const auto arrival = bench.give("t2", "300");
  EXPECT_TRUE(all<Publish>(arrival).empty()) << "the old token serves on";
  EXPECT_EQ(only<Deliver>(bench.want(3)).token->value.reveal(), "t1");
  bench.advance(5s);
  EXPECT_EQ(only<Publish>(bench.tick()).token->value.reveal(), "t2");
  EXPECT_EQ(only<Deliver>(bench.want(4)).token->value.reveal(), "t2");
}

TEST(Learning, ALagOrLeadIsOverOnlyOnceNothingIsLeftOfIt) {
  const auto told = [](Bench& bench, const TokenEvent& fact) {
    return only<action::Log>(bench.step(fact)).line.message;
  };
  Bench bench;
  EXPECT_THAT(told(bench, event::ApiLags{5s}), HasSubstr("is behind the login host's"));
  EXPECT_THAT(told(bench, event::ApiLags{1ns}), HasSubstr("is behind the login host's"));
  EXPECT_THAT(told(bench, event::ApiLags{0s}), HasSubstr("is no longer behind"));
  EXPECT_THAT(told(bench, event::ApiLeads{5s}), HasSubstr("is ahead of the login host's"));
  EXPECT_THAT(told(bench, event::ApiLeads{1ns}), HasSubstr("is ahead of the login host's"));
  EXPECT_THAT(told(bench, event::ApiLeads{0s}), HasSubstr("is no longer ahead"));
}

TEST(Learning, ALagMovesTheRefreshEarlierByItsLength) {
  const auto refresh_starts = [](Duration lag) {
    Bench bench;
    if (lag > 0s) bench.step(event::ApiLags{lag});
    bench.get("t1", "300");
    bench.step(event::Accepted{1});
    for (int i = 0; i < 4000 && bench.fetches < 2; ++i) {
      bench.advance(100ms);
      bench.tick();
    }
    return bench.boot;
  };
  EXPECT_EQ(refresh_starts(0s) - refresh_starts(5s), 5s);
}

TEST(Learning, WithoutAnOldTokenTheNewOneIsDeliveredWithItsFirstUse) {
  Bench bench;
  bench.step(event::ApiLags{5s});
  bench.want(1);
  const auto actions = bench.give("t1", "300");
  EXPECT_EQ(only<Deliver>(actions).first_use, bench.boot + 5s);
  EXPECT_TRUE(all<Publish>(actions).empty()) << "readers would send it at once";
  EXPECT_EQ(bench.machine->usable(bench.view()), nullptr);
  bench.advance(5s);
  EXPECT_EQ(only<Publish>(bench.tick()).token->value.reveal(), "t1");
}

TEST(Learning, WhoeverNeedsANewTokenGetsItBeforeItsFirstUse) {
  Bench bench;
  bench.get("t1", "300");
  bench.step(event::Accepted{1});
  bench.step(event::ApiLags{5s});
  bench.want_newer(2, 1);
  const auto delivered = only<Deliver>(bench.give("t2", "300"));
  EXPECT_EQ(delivered.token->generation, 2U);
  EXPECT_EQ(delivered.first_use, bench.boot + 5s);
  EXPECT_EQ(only<Deliver>(bench.want_newer(3, 1)).token->generation, 2U);
}

TEST(Learning, AnAcceptedTokenWaitsNoLonger) {
  Bench bench;
  bench.step(event::ApiLags{5s});
  bench.get("t1", "300");
  EXPECT_EQ(only<Publish>(bench.step(event::Accepted{1})).token->value.reveal(), "t1");
  EXPECT_EQ(only<Deliver>(bench.want(2)).first_use, bench.boot);
}

TEST(Learning, TheOldTokenEndsBeforeTheNewOneBeginsAndNobodyIsGivenADeadOne) {
  Bench bench;
  bench.get("t1", "300");
  bench.step(event::Accepted{1});
  bench.step(event::ApiLags{60s});
  bench.advance(250s);
  bench.want(2);
  bench.give("t2", "300");
  bench.advance(48s);  // the last use of t1; t2 is sent from 60 s on
  EXPECT_EQ(only<Publish>(bench.tick()).token, nullptr);
  const auto delivered = only<Deliver>(bench.want(3));
  EXPECT_EQ(delivered.token->generation, 2U);
  EXPECT_EQ(delivered.first_use, bench.boot + 12s);
}

TEST(Learning, ALeadEndsTokensEarlier) {
  Bench bench;
  const Instant sent = bench.boot;
  bench.get("t1", "300");
  bench.step(event::ApiLeads{120s});
  EXPECT_EQ(bench.machine->ends_at(bench.view()), sent + 180s);
  bench.advance(177s);
  EXPECT_NE(bench.machine->usable(bench.view()), nullptr);
  bench.advance(1s);
  EXPECT_EQ(bench.machine->usable(bench.view()), nullptr);
}

TEST(Learning, ALeadOverHalfOfTheLifeLeavesHalf) {
  Bench bench;
  bench.step(event::ApiLeads{1h});
  bench.get("t1", "300");
  bench.advance(147s);
  EXPECT_NE(bench.machine->usable(bench.view()), nullptr);
}

TEST(Learning, ALagAndALeadNeverStartAStorm) {
  Bench bench;
  bench.step(event::ApiLags{1h});
  bench.step(event::ApiLeads{1h});
  WaiterId id = 1;
  int tokens = 0;
  for (int i = 0; i < 600; ++i) {  // ten lifetimes
    bench.want(id++);
    if (bench.machine->fetching()) bench.give("t" + std::to_string(++tokens), "300");
    bench.advance(5s);
  }
  EXPECT_LE(tokens, 10 * 4) << "each is replaced at the middle of the half that a lead leaves";
}

}  // namespace
}  // namespace skewguard::oauth
