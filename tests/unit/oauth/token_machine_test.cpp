#include "oauth/token_machine.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "token_machine_testing.hpp"

namespace skewguard::oauth {
namespace {

using action::Deliver;
using action::Fail;
using action::Publish;
using action::Save;
using action::StartFetch;
using action::WakeAt;
using testing::HasSubstr;

// Life --------------------------------------------------------------------------------------------

TEST(TokenMachine, CountsALifeFromTheMomentOfSending) {
  Bench bench;
  const Instant sent = bench.boot;
  bench.want(1);
  bench.advance(2s);
  const auto delivered = only<Deliver>(bench.give("t1", "300"));
  EXPECT_EQ(delivered.token->dead_at(), sent + 300s);
  EXPECT_EQ(delivered.token->value.reveal(), "t1");
  EXPECT_EQ(delivered.token->generation, 1U);
  EXPECT_EQ(delivered.first_use, bench.boot);
  EXPECT_EQ(bench.machine->ends_at(bench.view()), sent + 300s);
}

TEST(TokenMachine, ChecksDeadlinesAtUseWithoutAnyTimer) {
  Bench bench;
  bench.get("t1", "300");
  bench.advance(297s);
  EXPECT_NE(bench.machine->usable(bench.view()), nullptr);
  bench.advance(1s);  // the last 2 s are not used: it must live on arrival
  EXPECT_EQ(bench.machine->usable(bench.view()), nullptr);
}

TEST(TokenMachine, ATokenInItsLastTwoSecondsIsNotDelivered) {
  Bench bench;
  bench.get("t1", "300");
  bench.advance(298s);
  EXPECT_TRUE(all<Deliver>(bench.want(2)).empty());
  EXPECT_EQ(only<Deliver>(bench.give("t2", "300")).token->generation, 2U);
}

TEST(TokenMachine, CountsWithTheDefaultWhereNothingTellsALife) {
  Bench bench;
  bench.want(1);
  const auto token = only<Deliver>(bench.reply(200, R"({"access_token":"t1"})")).token;
  EXPECT_EQ(token->expires_in, std::nullopt);
  EXPECT_EQ(token->life, 300s);
}

TEST(TokenMachine, KeepsLivesFromOneSecondToFourHundredAndFiftyDays) {
  for (const auto& [text, life] : {std::pair<std::string, Duration>{"1", 1s},
                                   {"5", 5s},
                                   {"300", 300s},
                                   {"172800", 48h},
                                   {"38880000", Duration{24h} * 450}}) {
    Bench bench;
    const TokenPtr token = bench.get("t1", text);
    EXPECT_EQ(token->life, life);
    bench.advance(life / 2);
    EXPECT_EQ(bench.machine->usable(bench.view()), token) << text;
    bench.advance(life / 2);
    EXPECT_EQ(bench.machine->usable(bench.view()), nullptr) << text;
  }
}

TEST(TokenMachine, ReadsBeginAndEndInTheIssuersTime) {
  Bench bench;
  bench.want(1);
  const Duration iat = bench.boot.time_since_epoch() + bench.issuer_offset;
  const auto seconds = [](Duration d) {
    return std::to_string(std::chrono::floor<std::chrono::seconds>(d).count());
  };
  const std::string jwt = testing_jwt("{\"iat\":" + seconds(iat) + ",\"nbf\":" + seconds(iat + 1s) +
                                      ",\"exp\":" + seconds(iat + 60s) + "}");
  const auto token = only<Deliver>(bench.give(jwt, "300")).token;
  EXPECT_TRUE(token->jwt());
  EXPECT_FALSE(token->given);
  EXPECT_FALSE(token->stored);
  EXPECT_EQ(token->life, 60s);
  EXPECT_EQ(token->begins, (ServerTime{bench.login, iat}));
  EXPECT_EQ(token->begins_later, (ServerTime{bench.login, iat + 1s}));
  EXPECT_EQ(token->ends, (ServerTime{bench.login, iat + 60s}));
}

TEST(TokenMachine, AnOpaqueTokenBeginsAtTheDateOfItsAnswer) {
  Bench bench;
  const TokenPtr token = bench.get("t1", "300");
  const Duration date = bench.boot.time_since_epoch() + bench.issuer_offset;
  EXPECT_FALSE(token->jwt());
  EXPECT_EQ(token->issuer_date, (ServerTime{bench.login, date}));
  EXPECT_EQ(token->begins, (ServerTime{bench.login, date}));
  EXPECT_EQ(token->ends, (ServerTime{bench.login, date + 300s}));
}

/// A token that another process requested at the bench's current time.
Token from_elsewhere(const Bench& bench, const char* value, Duration life) {
  Token token;
  token.value = Secret{std::string{value}};
  token.stored = true;
  token.sent = token.received = bench.boot;
  token.expires_in = token.life = life;
  return token;
}

TEST(TokenMachine, ATokenThatAnotherProcessGotCostsNoRequest) {
  Bench bench;
  const auto fetch = only<StartFetch>(bench.want(1)).fetch;
  const auto actions = bench.step(
      event::Found{fetch, std::make_shared<Token>(from_elsewhere(bench, "theirs", 300s))});
  EXPECT_EQ(only<Deliver>(actions).token->value.reveal(), "theirs");
  EXPECT_EQ(only<Deliver>(actions).token_requests, 0);
  EXPECT_TRUE(all<Save>(actions).empty());
  EXPECT_FALSE(bench.machine->fetching());
}

TEST(TokenMachine, AnothersTokenWillDoOnlyIfItIsNewAndLivesLongEnough) {
  Bench bench;
  bench.get("t1", "300");
  EXPECT_FALSE(bench.machine->would_serve(from_elsewhere(bench, "t1", 300s), 0s, bench.view()))
      << "it is what we have";
  EXPECT_TRUE(bench.machine->would_serve(from_elsewhere(bench, "t2", 300s), 0s, bench.view()));
  EXPECT_FALSE(bench.machine->would_serve(from_elsewhere(bench, "t2", 300s), 301s, bench.view()));
  Token dated = from_elsewhere(bench, "t2", 300s);
  dated.issuer_date = bench.machine->usable(bench.view())->issuer_date;
  EXPECT_TRUE(bench.machine->would_serve(dated, 0s, bench.view())) << "issued in the same second";
  dated.issuer_date = *dated.issuer_date - 1s;
  EXPECT_FALSE(bench.machine->would_serve(dated, 0s, bench.view())) << "it is older than ours";
  const Token early = from_elsewhere(bench, "t2", 300s);
  bench.advance(299s);
  EXPECT_FALSE(bench.machine->would_serve(early, 0s, bench.view()));
}

TEST(TokenMachine, WhoForcesARefreshWantsATokenThatNobodyHasHad) {
  Bench bench;
  bench.get("t1", "300");
  event::Want want;
  want.waiter = 2;
  want.deadline = bench.boot + 30s;
  want.force = true;
  want.min_life = 20s;
  const auto fetch = only<StartFetch>(bench.step(want));
  EXPECT_TRUE(fetch.anew);
  EXPECT_EQ(fetch.min_life, 20s);
}

TEST(TokenMachine, SavesANewToken) {
  Bench bench;
  bench.want(1);
  EXPECT_EQ(only<Save>(bench.give("t1", "300")).token->value.reveal(), "t1");
}

TEST(TokenMachine, WaitsWhereAllProcessesTogetherHaveAskedTooOften) {
  Bench bench;
  bench.get("t1", "300");
  event::Want want{.waiter = 2, .deadline = bench.boot + 30s, .after = 1};
  want.refused = Refused{.sent = bench.boot};
  const auto fetch = only<StartFetch>(bench.step(want));
  EXPECT_TRUE(fetch.pays);
  EXPECT_TRUE(all<StartFetch>(bench.step(event::TooSoon{fetch.fetch, bench.boot + 7s})).empty());
  bench.advance(7s - 1ns);
  EXPECT_TRUE(all<StartFetch>(bench.tick()).empty());
  bench.advance(1ns);
  EXPECT_EQ(all<StartFetch>(bench.tick()).size(), 1U);
}

TEST(TokenMachine, SaysWhenTheNextRequestIsPossibleToCallersThatCannotWait) {
  Bench bench;
  bench.get("t1", "300");
  event::Want want{.waiter = 2, .deadline = bench.boot + 5s, .after = 1};
  want.refused = Refused{.sent = bench.boot};
  const auto fetch = only<StartFetch>(bench.step(want));
  const auto failed = only<Fail>(bench.step(event::TooSoon{fetch.fetch, bench.boot + 7s}));
  EXPECT_EQ(failed.failure.next_request, bench.boot + 7s);
}

TEST(TokenMachine, ATokenWhoseLifePassedOnTheWayIsNotUsed) {
  Bench bench;
  bench.want(1);
  bench.advance(3s);
  EXPECT_TRUE(all<Deliver>(bench.give("t1", "1")).empty());
  bench.advance(1s);
  bench.tick();
  bench.advance(3s);
  const auto failed = only<Fail>(bench.give("t2", "1"));
  EXPECT_EQ(failed.failure.error.kind, ErrorKind::protocol);
  EXPECT_THAT(failed.failure.error.message, HasSubstr("expires_in"));
}

// Single flight -----------------------------------------------------------------------------------

TEST(TokenMachine, AThousandCallersAtExpiryCostOneRequest) {
  Bench bench;
  for (WaiterId id = 1; id <= 1000; ++id) bench.want(id);
  EXPECT_EQ(bench.fetches, 1);
  const auto delivered = all<Deliver>(bench.give("t1"));
  ASSERT_EQ(delivered.size(), 1000U);
  for (WaiterId id = 1; id <= 1000; ++id) {
    EXPECT_EQ(delivered[id - 1].waiter, id) << "in order of arrival";
    EXPECT_EQ(delivered[id - 1].token_requests, 1);
  }
}

TEST(TokenMachine, NobodyWaitsPastItsOwnDeadline) {
  Bench bench;
  EXPECT_EQ(only<WakeAt>(bench.want(1, 5s)).at, bench.boot + 5s);
  bench.want(2, 30s);
  bench.advance(5s);
  const auto failed = only<Fail>(bench.tick());
  EXPECT_EQ(failed.waiter, 1U);
  EXPECT_EQ(failed.failure.verdict, Verdict::timeout);
  EXPECT_EQ(failed.failure.error.kind, ErrorKind::timeout);
  EXPECT_EQ(failed.token_requests, 1);
  EXPECT_EQ(only<Deliver>(bench.give("t1")).waiter, 2U);
}

TEST(TokenMachine, ACallerWhoseDeadlineHasPassedUnnoticedGetsAFailure) {
  Bench bench;  // a frozen process: no timer fired
  bench.want(1, 5s);
  bench.advance(6s);
  const auto actions = bench.give("t1");
  EXPECT_EQ(only<Fail>(actions).waiter, 1U);
  EXPECT_TRUE(all<Deliver>(actions).empty());
}

TEST(TokenMachine, ACallerWhoLeavesCancelsNothingForOthers) {
  Bench bench;
  bench.want(1);
  bench.want(2);
  bench.step(event::Withdraw{1});
  EXPECT_EQ(only<Deliver>(bench.give("t1")).waiter, 2U);
  bench.step(event::Withdraw{77});
}

TEST(TokenMachine, TheRequestOfACallerWhoLeftServesTheNextOne) {
  Bench bench;
  bench.want(1);
  bench.step(event::Withdraw{1});
  bench.give("t1");
  EXPECT_EQ(only<Deliver>(bench.want(2)).token->value.reveal(), "t1");
  EXPECT_EQ(bench.fetches, 1);
}

TEST(TokenMachine, LateAndDoubledAnswersChangeNothing) {
  Bench bench;
  bench.want(1);
  const FetchId first = bench.fetch();
  bench.give("t1");
  EXPECT_TRUE(bench.step(event::Fetched{first, bench.exchange(200, token_body("t9"))}).empty());
  EXPECT_TRUE(bench.step(event::FetchFailed{first, {}}).empty());
  EXPECT_EQ(bench.machine->usable(bench.view())->value.reveal(), "t1");
}

TEST(TokenMachine, AWaiterThatAsksTwiceIsAnsweredOnce) {
  Bench bench;
  bench.want(1);
  bench.want(1);
  EXPECT_EQ(all<Deliver>(bench.give("t1")).size(), 1U);
}

TEST(TokenMachine, OneRequestLastsAtMostTheFetchTimeout) {
  Bench bench;
  const auto fetch = only<StartFetch>(bench.want(1, 2s));
  EXPECT_EQ(fetch.deadline, bench.boot + 14s) << "whoever asked, others may wait longer";
  EXPECT_EQ(fetch.request.url, "https://login.example.com/oauth/token");
}

// Refresh -----------------------------------------------------------------------------------------

TEST(TokenMachine, NobodyWaitsWhileTheOldTokenLives) {
  Bench bench;
  bench.get("t1", "300");
  bench.advance(288s);  // within the last 13.5 s + 2 s
  const auto actions = bench.want(2);
  EXPECT_EQ(only<Deliver>(actions).token->value.reveal(), "t1");
  EXPECT_EQ(only<Deliver>(actions).token_requests, 0);
  EXPECT_EQ(all<StartFetch>(actions).size(), 1U);
  bench.advance(9s);  // the login host takes its time
  EXPECT_EQ(only<Deliver>(bench.want(3)).token->value.reveal(), "t1");
  bench.give("t2");
  EXPECT_EQ(only<Deliver>(bench.want(4)).token->value.reveal(), "t2");
  EXPECT_EQ(bench.fetches, 2);
}

TEST(TokenMachine, RefreshesByTimerATokenThatWasAskedFor) {
  Bench bench;
  bench.want(1);
  const Instant wake = only<WakeAt>(bench.give("t1", "300")).at;
  EXPECT_GE(wake, bench.boot + 300s - 2s - 13500ms);
  EXPECT_LE(wake, bench.boot + 300s - 2s - 10s);
  bench.boot = wake;
  EXPECT_EQ(all<StartFetch>(bench.tick()).size(), 1U);
}

TEST(TokenMachine, DoesNotRefreshATokenThatNobodyUses) {
  Bench bench;
  bench.get("t1", "300");
  bench.advance(290s);
  bench.tick();
  bench.give("t2", "300");  // asked for by the timer, since t1 was used; t2 is not
  for (int i = 0; i < 100; ++i) {
    bench.advance(10s);
    bench.tick();
  }
  EXPECT_EQ(bench.fetches, 2);
  EXPECT_EQ(bench.machine->usable(bench.view()), nullptr);
  bench.want(2);
  EXPECT_EQ(bench.fetches, 3);
}

TEST(TokenMachine, AnAcceptedTokenCountsAsUsed) {
  Bench bench;
  bench.get("t1", "300");
  bench.advance(290s);
  bench.tick();
  bench.give("t2", "300");
  bench.step(event::Accepted{2});
  bench.advance(290s);
  bench.tick();
  EXPECT_EQ(bench.fetches, 3);
}

TEST(TokenMachine, ATokenThatIsSentWithoutAskingForItCountsAsUsed) {
  Bench bench;
  bench.get("t1", "300");
  bench.advance(290s);
  bench.tick();
  bench.give("t2", "300");
  bench.step(event::Used{});
  bench.advance(290s);
  bench.tick();
  EXPECT_EQ(bench.fetches, 3);
}

TEST(TokenMachine, ABackgroundFailureKeepsTheLivingToken) {
  Bench bench;
  bench.get("t1", "300");
  bench.advance(288s);
  bench.want(2);
  EXPECT_TRUE(all<Publish>(bench.reply(503, "")).empty());
  EXPECT_EQ(only<Deliver>(bench.want(3)).token->value.reveal(), "t1");
  EXPECT_EQ(bench.fetches, 2) << "backoff: no request at once";
  bench.advance(500ms);
  bench.tick();
  EXPECT_EQ(bench.fetches, 3);
  bench.reply(401, oauth_error_body("invalid_client", "secret rotated"));
  EXPECT_EQ(only<Deliver>(bench.want(4)).token->value.reveal(), "t1");
}

TEST(TokenMachine, AnOutageOverTheWholeMarginCostsNoCallerAnything) {
  Bench bench;
  bench.get("t1", "300");
  bench.advance(284s);
  int served = 0;
  WaiterId id = 10;
  while (bench.machine->usable(bench.view())) {
    served += static_cast<int>(all<Deliver>(bench.want(id++)).size());
    if (bench.machine->fetching()) bench.reply(503, "");
    bench.advance(100ms);
  }
  EXPECT_EQ(served, static_cast<int>(id - 10));
  EXPECT_LE(bench.fetches, 1 + 8) << "0.5 s doubling over 14 s";
  EXPECT_GE(bench.fetches, 1 + 3);
}

TEST(TokenMachine, ShortLivesCostOneTokenPerLifetime) {
  // How much of its lifetime a token is used for at least: all but the refresh margin and the last
  // second (of 1 s the last quarter, of 300 s the last two seconds).
  for (const auto& [life, used] : {std::pair{Duration{1s}, Duration{700ms}},
                                   {Duration{5s}, Duration{3700ms}},
                                   {Duration{300s}, Duration{284s}}}) {
    Bench bench;
    WaiterId id = 1;
    int tokens = 0;
    const Instant end = bench.boot + 40 * life;
    while (bench.boot < end) {
      bench.want(id++);
      if (bench.machine->fetching()) {
        bench.give("t" + std::to_string(++tokens), std::to_string(life / 1s));
      }
      bench.advance(life / 100);
    }
    EXPECT_LE(tokens, 40 * life / used + 2) << life / 1s;
    EXPECT_GE(tokens, 40) << life / 1s;
  }
}

// The same token again ----------------------------------------------------------------------------

TEST(TokenMachine, TheSameTokenAgainKeepsItsOldLife) {
  Bench bench;
  const Instant sent = bench.boot;
  bench.get("t1", "300");
  bench.advance(280s);
  bench.want(2);
  bench.give("t1", "300");
  EXPECT_EQ(bench.machine->ends_at(bench.view()), sent + 300s);
  EXPECT_EQ(bench.machine->usable(bench.view())->generation, 1U);
}

TEST(TokenMachine, TheSameTokenAgainMakesNoStorm) {
  Bench bench;
  bench.get("t1", "300");
  bench.advance(275s);
  WaiterId id = 10;
  for (int i = 0; i < 400; ++i) {  // 40 s, 10 callers a second, across the end of the token
    bench.want(id++, 60s);
    if (bench.machine->fetching()) bench.give("t1", "300");
    bench.advance(100ms);
  }
  EXPECT_LE(bench.fetches, 1 + 9) << "0.5 s doubling to 30 s";
  for (int i = 0; i < 60 && !bench.machine->fetching(); ++i) {
    bench.advance(1s);
    bench.tick();
  }
  EXPECT_GE(all<Deliver>(bench.give("t2")).size(), 1U) << "those who still wait get the new one";
}

TEST(TokenMachine, ARefusedTokenGivenOutAgainIsRefusedForTheCallerTooAfterTwoMoreTries) {
  Bench bench;
  bench.get("t1", "300");
  bench.want_newer(2, 1, 60s);
  TokenActions actions;
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 100 && !bench.machine->fetching(); ++k) {
      bench.advance(100ms);
      bench.tick();
    }
    EXPECT_TRUE(all<Fail>(actions).empty());
    actions = bench.give("t1", "300");
  }
  const auto failed = only<Fail>(actions);
  EXPECT_EQ(failed.failure.verdict, Verdict::token_rejected);
  EXPECT_EQ(failed.failure.error.kind, ErrorKind::credentials);
  EXPECT_EQ(failed.token_requests, 3);
}

// Want: after, force, min_life --------------------------------------------------------------------

TEST(TokenMachine, ATokenThatWasReplacedAlreadyCostsNoRequest) {
  Bench bench;
  bench.get("t1");
  bench.want_newer(2, 1);
  bench.give("t2");
  const auto delivered = only<Deliver>(bench.want_newer(3, 1));  // a 401 for t1 that came late
  EXPECT_EQ(delivered.token->generation, 2U);
  EXPECT_EQ(delivered.token_requests, 0);
  EXPECT_EQ(bench.fetches, 2);
}

TEST(TokenMachine, ARefusedTokenIsReplacedForAllWhoSayIt) {
  Bench bench;
  bench.get("t1");
  EXPECT_EQ(all<StartFetch>(bench.want_newer(2, 1)).size(), 1U);
  EXPECT_TRUE(all<StartFetch>(bench.want_newer(3, 1)).empty());
  EXPECT_EQ(only<Deliver>(bench.want(4)).token->generation, 1U) << "a plain Want takes the old";
  EXPECT_EQ(all<Deliver>(bench.give("t2")).size(), 2U);
}

TEST(TokenMachine, ForceGetsANewTokenAndARequestInProgressCounts) {
  Bench bench;
  bench.get("t1");
  bench.step(event::Want{.waiter = 2, .deadline = bench.boot + 30s, .force = true});
  EXPECT_EQ(bench.fetches, 2);
  bench.step(event::Want{.waiter = 3, .deadline = bench.boot + 30s, .force = true});
  EXPECT_EQ(bench.fetches, 2);
  const auto delivered = all<Deliver>(bench.give("t2"));
  ASSERT_EQ(delivered.size(), 2U);
  EXPECT_EQ(delivered[0].token->value.reveal(), "t2");
}

TEST(TokenMachine, RefreshesIfLessThanTheAskedLifeIsLeft) {
  Bench bench;
  bench.get("t1", "300");
  bench.advance(100s);
  const auto ask = [&](WaiterId id, Duration life) {
    return bench.step(event::Want{.waiter = id, .deadline = bench.boot + 30s, .min_life = life});
  };
  EXPECT_EQ(only<Deliver>(ask(2, 200s)).token->generation, 1U);
  EXPECT_EQ(all<StartFetch>(ask(3, 201s)).size(), 1U);
  EXPECT_EQ(only<Deliver>(bench.give("t2", "300")).token->generation, 2U);
}

TEST(TokenMachine, SaysSoWhenANewTokenLivesLessThanAsked) {
  Bench bench;
  bench.step(event::Want{.waiter = 1, .deadline = bench.boot + 30s, .min_life = 10min});
  const auto failed = only<Fail>(bench.give("t1", "300"));
  EXPECT_EQ(failed.failure.error.kind, ErrorKind::protocol) << "something was sent";
  EXPECT_THAT(failed.failure.error.message, HasSubstr("600.0 s"));
  EXPECT_EQ(bench.fetches, 1) << "another would live no longer";
  EXPECT_EQ(only<Deliver>(bench.want(2)).token->value.reveal(), "t1");
}

TEST(TokenMachine, SaysSoWhenTheSameShortTokenComesAgain) {
  Bench bench;
  bench.get("t1", "300");
  bench.step(event::Want{.waiter = 2, .deadline = bench.boot + 30s, .min_life = 10min});
  EXPECT_EQ(only<Fail>(bench.give("t1", "300")).failure.error.kind, ErrorKind::protocol);
}

// Publish -----------------------------------------------------------------------------------------

TEST(TokenMachine, PublishesEachNewTokenAndItsEnd) {
  Bench bench;
  bench.want(1);
  const auto published = only<Publish>(bench.give("t1", "300"));
  EXPECT_EQ(published.token->value.reveal(), "t1");
  EXPECT_EQ(published.usable_until, bench.boot + 298s);
  EXPECT_TRUE(all<Publish>(bench.want(2)).empty()) << "nothing new";
  bench.boot = published.usable_until;
  EXPECT_EQ(only<Publish>(bench.tick()).token, nullptr);
}

TEST(TokenMachine, WakesWhenThePublishedTokenEnds) {
  Bench bench;
  bench.want(1);
  bench.give("t1", "300");
  bench.step(event::Withdraw{1});
  bench.advance(290s);
  bench.tick();  // starts the refresh
  const auto wakes = all<WakeAt>(bench.tick());
  ASSERT_EQ(wakes.size(), 1U);
  EXPECT_EQ(wakes[0].at, bench.boot + 8s);
}

// Given and stored tokens -------------------------------------------------------------------------

std::shared_ptr<Token> token_named(const std::string& value) {
  auto token = std::make_shared<Token>();
  token->value = Secret{value};
  return token;
}

TEST(TokenMachine, AGivenTokenIsReturnedAndNeverRefreshed) {
  Bench bench;
  auto given = token_named("given");
  given->given = true;
  bench.step(event::Adopt{given});
  EXPECT_EQ(only<Deliver>(bench.want(1)).token->value.reveal(), "given");
  EXPECT_NE(bench.machine->usable(bench.view()), nullptr);
  const auto failed = only<Fail>(bench.want_newer(2, 1));
  EXPECT_EQ(failed.failure.verdict, Verdict::token_rejected);
  EXPECT_EQ(failed.failure.error.kind, ErrorKind::credentials);
  EXPECT_THAT(failed.failure.error.message, HasSubstr("cannot be refreshed"));
  const auto forced =
      only<Fail>(bench.step(event::Want{.waiter = 3, .deadline = bench.boot + 30s, .force = true}));
  EXPECT_EQ(forced.failure.error.kind, ErrorKind::config) << "nobody has refused it";
  EXPECT_EQ(forced.failure.verdict, Verdict::ok);
  EXPECT_EQ(bench.fetches, 0);
}

TEST(TokenMachine, AGivenTokenWithAToldLifeEnds) {
  Bench bench;
  auto given = token_named("given");
  given->given = true;
  given->sent = bench.boot;
  given->expires_in = given->life = 60s;
  bench.step(event::Adopt{given});
  const auto short_lived = only<Fail>(
      bench.step(event::Want{.waiter = 1, .deadline = bench.boot + 30s, .min_life = 2min}));
  EXPECT_EQ(short_lived.failure.error.kind, ErrorKind::config);
  bench.advance(60s);
  EXPECT_THAT(only<Fail>(bench.want(2)).failure.error.message, HasSubstr("has expired"));
}

TEST(TokenMachine, AsksForNoSuccessorOfAStoredTokenBeforeTheProgramHasLasted) {
  Bench bench;
  auto stored = token_named("stored");
  stored->stored = true;
  stored->sent = bench.boot - 290s;
  stored->expires_in = stored->life = 300s;
  bench.step(event::Adopt{stored});
  const auto actions = bench.want(1);
  EXPECT_EQ(only<Deliver>(actions).token->value.reveal(), "stored");
  EXPECT_TRUE(all<StartFetch>(actions).empty()) << "a command ends before the answer";
  bench.advance(1900ms);
  EXPECT_TRUE(all<StartFetch>(bench.tick()).empty());
  bench.advance(100ms);
  EXPECT_EQ(all<StartFetch>(bench.tick()).size(), 1U);
}

TEST(TokenMachine, AStoredTokenServesUntilItEndsAndIsThenReplaced) {
  Bench bench;
  auto stored = token_named("stored");
  stored->stored = true;
  stored->sent = bench.boot - 200s;
  stored->expires_in = stored->life = 300s;
  bench.step(event::Adopt{stored});
  EXPECT_EQ(only<Deliver>(bench.want(1)).token->value.reveal(), "stored");
  bench.advance(100s);
  bench.want(2);
  EXPECT_EQ(only<Deliver>(bench.give("t1")).token->generation, 2U);
}

TEST(TokenMachine, ADeadStoredTokenIsNotUsed) {
  Bench bench;
  auto stored = token_named("stored");
  stored->stored = true;
  stored->sent = bench.boot - 400s;
  stored->life = 300s;
  bench.step(event::Adopt{stored});
  EXPECT_EQ(all<StartFetch>(bench.want(1)).size(), 1U);
}

TEST(TokenMachine, AStoredTokenDoesNotReplaceOneThatLivesLonger) {
  Bench bench;
  bench.get("t1", "300");
  auto stored = token_named("stored");
  stored->stored = true;
  stored->sent = bench.boot - 200s;
  stored->life = 300s;
  bench.step(event::Adopt{stored});
  EXPECT_EQ(only<Deliver>(bench.want(2)).token->value.reveal(), "t1");
}

TEST(TokenMachine, WithoutATokenAndAClientItSaysWhatIsMissing) {
  clocks::ClockBook book;
  const ServerId login = book.id("https://login.example.com");
  TokenMachine machine({}, Grants{}, std::make_shared<Rfc6749Dialect>(), login);
  const auto failed =
      only<Fail>(machine.step(event::Want{.waiter = 1, .deadline = Instant{30s}}, {book, Now{}}));
  EXPECT_EQ(failed.failure.error.kind, ErrorKind::config);
}

// Tokens that ended early -------------------------------------------------------------------------

TEST(TokenMachine, RemembersHowManyTokensRunningEndedEarly) {
  Bench bench;
  EXPECT_EQ(bench.machine->early_ends_before(1), 0U);
  bench.step(event::EndedEarly{1});
  EXPECT_EQ(bench.machine->early_ends_before(2), 1U);
  bench.step(event::EndedEarly{2});
  bench.step(event::EndedEarly{2});  // another caller of the same token
  EXPECT_EQ(bench.machine->early_ends_before(3), 2U);
  EXPECT_EQ(bench.machine->early_ends_before(4), 0U) << "the third lived out";
  bench.step(event::EndedEarly{4});
  EXPECT_EQ(bench.machine->early_ends_before(5), 1U);
}

TEST(TokenMachine, RemembersTheLastEightTokensThatEndedEarly) {
  Bench bench;
  for (std::uint64_t generation = 1; generation <= 20; ++generation)
    bench.step(event::EndedEarly{generation});
  EXPECT_EQ(bench.machine->early_ends_before(21), 8U);
}

TEST(TokenMachine, ThatBeginsAreIgnoredHoldsUntilOneIsNot) {
  Bench bench;
  EXPECT_FALSE(bench.machine->begins_ignored());
  bench.step(event::TakesUnbegun{});
  EXPECT_TRUE(bench.machine->begins_ignored());
  bench.step(event::ApiLags{5s});
  EXPECT_FALSE(bench.machine->begins_ignored());
}

// Refused for good --------------------------------------------------------------------------------

TEST(TokenMachine, AfterAFreshTokenWasRefusedNoOtherIsAskedForDuringAGrowingPause) {
  Bench bench;
  bench.get("t1", "86400");
  WaiterId id = 10;
  std::uint64_t generation = 1;
  for (const Duration pause : {5s, 10s, 20s, 40s, 80s, 160s, 300s, 300s}) {
    bench.step(event::RefusedForGood{generation});
    bench.step(event::RefusedForGood{generation});  // another caller of the same token
    const int before = bench.fetches;
    for (int i = 0; i < 50; ++i) {
      const auto failed = only<Fail>(bench.want_newer(id++, generation));
      EXPECT_EQ(failed.failure.verdict, Verdict::token_rejected);
      EXPECT_EQ(failed.failure.error.kind, ErrorKind::credentials);
      EXPECT_EQ(failed.failure.error.kind, ErrorKind::credentials);
      EXPECT_EQ(only<Deliver>(bench.want(id++)).token->generation, generation)
          << "an API that has healed is noticed";
      bench.advance(pause / 50);
    }
    EXPECT_EQ(bench.fetches, before);
    bench.want_newer(id++, generation);
    EXPECT_EQ(bench.fetches, before + 1) << "the pause is over";
    bench.give("t" + std::to_string(++generation), "86400");
  }
}

TEST(TokenMachine, AnAcceptedTokenEndsThePauseAndItsGrowth) {
  Bench bench;
  bench.get("t1");
  bench.step(event::RefusedForGood{1});
  bench.step(event::Accepted{1});
  EXPECT_EQ(all<StartFetch>(bench.want_newer(2, 1)).size(), 1U);
  bench.give("t2");
  bench.step(event::RefusedForGood{2});
  EXPECT_EQ(all<Fail>(bench.want_newer(3, 2)).size(), 1U);
  bench.advance(5s);
  EXPECT_EQ(all<StartFetch>(bench.want_newer(4, 2)).size(), 1U) << "the first pause again";
}

TEST(TokenMachine, ARefusalOfATokenThatWasReplacedPausesNothing) {
  Bench bench;
  bench.get("t1");
  bench.want_newer(2, 1);
  bench.give("t2");
  bench.step(event::RefusedForGood{1});
  EXPECT_EQ(all<StartFetch>(bench.want_newer(3, 2)).size(), 1U);
}

TEST(TokenMachine, AnIssuerClockBehindPausesAsAMatterOfClocks) {
  Bench bench;
  bench.get("t1");
  bench.step(event::RefusedForGood{1, Verdict::issuer_clock_behind});
  const auto failed = only<Fail>(bench.want_newer(2, 1));
  EXPECT_EQ(failed.failure.verdict, Verdict::issuer_clock_behind);
  EXPECT_EQ(failed.failure.error.kind, ErrorKind::clock);
  EXPECT_EQ(failed.failure.error.kind, ErrorKind::clock);
}

TEST(TokenMachine, RemembersWhichTokensTheApiTook) {
  Bench bench;
  bench.get("t1");
  EXPECT_FALSE(bench.machine->was_accepted(1));
  bench.step(event::Accepted{1});
  EXPECT_TRUE(bench.machine->was_accepted(1));
  EXPECT_FALSE(bench.machine->was_accepted(2));
}

}  // namespace
}  // namespace skewguard::oauth
