// What is published for readers, and who waits for the next token.
#include "engine/leases.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../runtime/client_testing.hpp"
#include "engine/engine.hpp"

namespace skewguard::engine {
namespace {

using namespace std::chrono_literals;
using runtime::get;
using runtime::MemoryEnvironment;
using skewguard::testing::FakeMachine;

/// An engine whose published tokens are kept by number.
class EngineWithReaders : public ::testing::Test {
 protected:
  EngineWithReaders() {
    EngineDeps uses{machine, machine, *transport};
    uses.publish = [this](const oauth::TokenPtr& token, Instant) {
      published.push_back(token ? token->generation : 0);
    };
    const ClientOptions options = environment.options();
    engine = std::make_unique<Engine>(
        options, oauth::client_credentials(options, options.client_secrets), Hooks{}, uses);
  }

  struct Wait {
    std::optional<Result<std::uint64_t>> result;
    int times = 0;
    Engine::WaitId id = 0;
  };
  std::shared_ptr<Wait> await(std::uint64_t after, Duration at_most = 30s) {
    auto wait = std::make_shared<Wait>();
    wait->id = engine->await_lease(after, machine.now().boot + at_most,
                                   [wait](Result<std::uint64_t> result) {
                                     wait->result = std::move(result);
                                     ++wait->times;
                                   });
    return wait;
  }
  /// The generation that it came to; 0 = none.
  static std::uint64_t got(const Wait& wait) {
    return wait.times == 1 && *wait.result ? **wait.result : 0;
  }
  void call() {
    bool ended = false;
    engine->call(get(), machine.now().boot + 30s, [&](const auto&) { ended = true; });
    EXPECT_TRUE(machine.run_until([&] { return ended; }));
  }

  /// A call that begins with the API's answer to the token of this generation, sent by somebody
  /// else.
  struct Resumed {
    std::optional<guard::action::Finish> finish;
    std::size_t sends = 0;
  };
  std::shared_ptr<Resumed> resume(std::uint64_t generation, Exchange answer,
                                  CallPolicy policy = {}) {
    CallPlan plan(machine.now().boot + 30s);
    plan.first = FirstAnswer{generation, std::move(answer)};
    plan.policy = policy;
    auto resumed = std::make_shared<Resumed>();
    engine->call(
        get(), std::move(plan),
        [resumed](guard::action::Finish finish) { resumed->finish = std::move(finish); },
        [this, resumed](HttpRequest request, Instant deadline, Transport::Handler answered) {
          ++resumed->sends;
          transport->send(std::move(request), {deadline}, std::move(answered));
        });
    return resumed;
  }

  MemoryEnvironment environment;
  FakeMachine& machine = environment.machine();
  std::unique_ptr<Transport> transport = environment.dependencies().transport(machine);
  std::vector<std::uint64_t> published;
  std::unique_ptr<Engine> engine;
};

TEST_F(EngineWithReaders, HasATokenRequestedForOneWhoWaits) {
  const auto wait = await(0);
  EXPECT_EQ(wait->times, 0) << "never from within the call";
  machine.run();
  EXPECT_EQ(got(*wait), 1U);
  EXPECT_EQ(published, (std::vector<std::uint64_t>{1}));
}

TEST_F(EngineWithReaders, RequestsOneTokenForAllWhoWait) {
  const auto one = await(0);
  const auto other = await(0);
  machine.run();
  EXPECT_EQ(got(*one), 1U);
  EXPECT_EQ(got(*other), 1U);
  EXPECT_EQ(environment.token_requests(), 1U);
}

TEST_F(EngineWithReaders, AnswersAtOnceIfALaterTokenIsPublished) {
  call();
  const auto wait = await(0);
  machine.run();
  EXPECT_EQ(got(*wait), 1U);
  EXPECT_EQ(environment.token_requests(), 1U);
}

TEST_F(EngineWithReaders, WaitsForALaterTokenThanTheOneThatWasRefused) {
  call();
  const auto wait = await(1);
  machine.run();
  EXPECT_EQ(got(*wait), 2U);
  EXPECT_EQ(published, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(EngineWithReaders, WaitsForTheFirstUseOfALaterToken) {
  environment.login().set_offset(10s);
  call();  // the API refuses its token for ten seconds: the lag is known from here on
  environment.revoke_all();
  const Instant before = machine.now().boot;
  const auto wait = await(1);
  EXPECT_TRUE(machine.run_until([&] { return wait->times > 0; }));
  EXPECT_EQ(got(*wait), 2U);
  EXPECT_GE(machine.now().boot - before, 9s) << "it is published when the API's clock is there";
  EXPECT_LE(machine.now().boot - before, 12s);
}

TEST_F(EngineWithReaders, SaysThatATokenBeginsTooLateForOneWhoWaits) {
  environment.login().set_offset(10s);
  call();
  const auto wait = await(1, 2s);
  const Instant before = machine.now().boot;
  EXPECT_TRUE(machine.run_until([&] { return wait->times > 0; }));
  EXPECT_EQ(machine.now().boot - before, 2s);
  ASSERT_TRUE(wait->result && !*wait->result);
  EXPECT_EQ(wait->result->error().kind, ErrorKind::clock);
  machine.advance(20s);
  EXPECT_EQ(wait->times, 1);
}

TEST_F(EngineWithReaders, SaysWhyThereIsNoTokenForOneWhoWaits) {
  for (int i = 0; i < 3; ++i)
    environment.login().next({.status = 400, .body = R"({"error":"invalid_client"})"});
  const auto wait = await(0);
  machine.run();
  ASSERT_EQ(wait->times, 1);
  ASSERT_FALSE(*wait->result);
  EXPECT_EQ(wait->result->error().kind, ErrorKind::credentials);
}

TEST_F(EngineWithReaders, CancelsAWaitAndServesTheOthers) {
  const auto cancelled = await(0);
  const auto other = await(0);
  engine->cancel_await(cancelled->id);
  machine.run();
  ASSERT_EQ(cancelled->times, 1);
  ASSERT_FALSE(*cancelled->result);
  EXPECT_EQ(cancelled->result->error().kind, ErrorKind::cancelled);
  EXPECT_EQ(got(*other), 1U);
}

TEST_F(EngineWithReaders, CancelsThoseWhoWaitAtItsEnd) {
  runtime::silence(environment.login());
  const auto wait = await(0);
  machine.run();
  engine.reset();
  ASSERT_EQ(wait->times, 1);
  ASSERT_FALSE(*wait->result);
  EXPECT_EQ(wait->result->error().kind, ErrorKind::cancelled);
}

/// Evidence rule 8: six token requests at once, then one every five seconds.
TEST_F(EngineWithReaders, PaysForTheTokensRequestedInPlaceOfRefusedOnes) {
  call();
  for (std::uint64_t generation = 1; generation <= 6; ++generation) {
    const auto wait = await(generation);
    machine.run();
    EXPECT_EQ(got(*wait), generation + 1);
  }
  const auto wait = await(7);
  machine.run();
  EXPECT_EQ(wait->times, 0);
  EXPECT_TRUE(machine.run_until([&] { return wait->times > 0; }));
  EXPECT_EQ(got(*wait), 8U);
}

// Calls that begin with an answer -----------------------------------------------------------------

TEST_F(EngineWithReaders, ReplacesOneTokenForAllCallsThatBeginWithItsRefusal) {
  call();
  environment.revoke_all();
  const auto one = resume(1, runtime::refusal(machine));
  const auto other = resume(1, runtime::refusal(machine));
  machine.run();
  for (const auto& resumed : {one, other}) {
    ASSERT_TRUE(resumed->finish);
    EXPECT_EQ(resumed->finish->answer->status, 200);
    EXPECT_EQ(resumed->finish->report.verdict, Verdict::token_revoked);
    EXPECT_EQ(resumed->sends, 1U);
  }
  EXPECT_EQ(environment.token_requests(), 2U);
  EXPECT_EQ(one->finish->report.token_requests, 1);
}

TEST_F(EngineWithReaders, JudgesARefusalByTheTokenThatWasSent) {
  call();
  environment.revoke_all();
  const auto wait = await(1);
  machine.run();
  ASSERT_EQ(got(*wait), 2U);
  const auto late = resume(1, runtime::refusal(machine));
  machine.run();
  ASSERT_TRUE(late->finish);
  EXPECT_EQ(late->finish->answer->status, 200);
  EXPECT_EQ(environment.token_requests(), 2U) << "it has been replaced already";
}

TEST_F(EngineWithReaders, SendsThePresentTokenAfterTheRefusalOfOneThatItNeverHad) {
  const auto resumed = resume(17, runtime::refusal(machine));
  machine.run();
  ASSERT_TRUE(resumed->finish);
  EXPECT_EQ(resumed->finish->answer->status, 200);
  EXPECT_EQ(resumed->sends, 1U);
  EXPECT_EQ(environment.token_requests(), 1U);
}

TEST_F(EngineWithReaders, ReplacesTheTokenOfACallThatCannotUseTheNextOne) {
  call();
  environment.revoke_all();
  CallPolicy policy;
  policy.replayable = false;
  const auto resumed = resume(1, runtime::refusal(machine), policy);
  machine.run();
  ASSERT_TRUE(resumed->finish);
  EXPECT_EQ(resumed->finish->answer->status, 401);
  EXPECT_EQ(resumed->sends, 0U);
  EXPECT_EQ(published, (std::vector<std::uint64_t>{1, 2}));
}

TEST_F(EngineWithReaders, LearnsTheClockOfTheAnswerThatACallBeginsWith) {
  call();
  const auto api_clock = [](const Resumed& resumed) {
    return resumed.finish->report.clocks.back();
  };
  Exchange undated = runtime::answer(200, "{}", machine);
  undated.sent = {};
  const auto without = resume(1, undated);
  machine.run();
  const auto with = resume(1, runtime::answer(200, "{}", machine));
  machine.run();
  ASSERT_TRUE(without->finish && with->finish);
  EXPECT_EQ(api_clock(*without).samples, 1U) << "the first call's";
  EXPECT_EQ(api_clock(*with).samples, 2U);
}

TEST_F(EngineWithReaders, LearnsNothingFromAnotherHostsAnswer) {
  call();
  Exchange foreign = runtime::refusal(machine);
  foreign.origin = "https://elsewhere.test/";
  const auto resumed = resume(1, foreign);
  machine.run();
  ASSERT_TRUE(resumed->finish);
  EXPECT_EQ(resumed->finish->answer->status, 401);
  EXPECT_EQ(resumed->finish->report.clocks.back().samples, 1U);
  EXPECT_EQ(environment.token_requests(), 1U);
}

/// Nobody ends a send that is not limited, and the deadline of the call has no say in its answer.
TEST_F(EngineWithReaders, LetsASendTakeLongerThanTheDeadlineIfThePolicySaysSo) {
  call();
  environment.revoke_all();
  CallPolicy policy;
  policy.limit_sends = false;
  environment.api().set_delays(0s, 10min);
  const auto resumed = resume(1, runtime::refusal(machine), policy);
  EXPECT_TRUE(machine.run_until([&] { return resumed->finish.has_value(); }));
  ASSERT_TRUE(resumed->finish->answer);
  EXPECT_EQ(resumed->finish->answer->status, 200);
}

}  // namespace
}  // namespace skewguard::engine
