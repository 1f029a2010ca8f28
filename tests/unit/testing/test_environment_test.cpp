// A client of ours in the ready-made env: what a user's own tests would look like.
#include <gtest/gtest.h>

#include "skewguard/testing.hpp"

namespace skewguard {
namespace {

using namespace std::chrono_literals;
using skewguard::testing::Answer;
using skewguard::testing::Grant;
using skewguard::testing::TestEnvironment;

class TestEnvironmentTest : public ::testing::Test {
 protected:
  Client make(ClientOptions options) {
    return Client::make(std::move(options), {}, env.dependencies()).value();
  }
  Client make() { return make(env.options()); }
  Duration elapsed() { return env.machine().now().boot - begin; }
  /// Of the token of each request to the API host.
  std::vector<std::string> sends() {
    std::vector<std::string> out;
    for (const auto& asked : env.api().asked()) {
      out.push_back(std::to_string(asked.status) + " " +
                    std::string(asked.request.authorization.reveal()));
    }
    return out;
  }

  TestEnvironment env;
  const Instant begin = env.machine().now().boot;
};

int status(const Result<Response>& result) {
  return result ? result->status : 0;
}

// Skew --------------------------------------------------------------------------------------------

TEST_F(TestEnvironmentTest, WaitsForATokenOfALoginHostThatIsAheadAndTakesNoTime) {
  env.login().set_offset(12s);
  Client client = make();
  const auto answer = client.get("/api/v2/x");
  ASSERT_EQ(status(answer), 200);
  EXPECT_EQ(answer->report.verdict, Verdict::issuer_clock_ahead);
  EXPECT_TRUE(answer->report.mitigated);
  EXPECT_EQ(sends().front(), "401 Bearer token-1");
  EXPECT_EQ(sends().back(), "200 Bearer token-1");
  EXPECT_EQ(env.token_requests(), 1U);
  EXPECT_GE(elapsed(), 12s);
  EXPECT_LT(elapsed(), 15s);
}

TEST_F(TestEnvironmentTest, RefusesTokensAtTheirEndByTheClockOfTheApi) {
  env.set_lifetime(10min);
  env.api().set_offset(9min);
  Client client = make();
  EXPECT_EQ(status(client.get("/api/v2/x")), 200);
  env.machine().advance(2min);
  EXPECT_EQ(status(client.get("/api/v2/x")), 200);
  EXPECT_LE(env.refused_requests(), 1U) << "once it has to be learned";
  EXPECT_GE(env.token_requests(), 2U);
}

TEST_F(TestEnvironmentTest, ChangesNothingWhenTheWallClockSteps) {
  Client client = make();
  EXPECT_EQ(status(client.get("/api/v2/x")), 200);
  for (const Duration by : {Duration{-24h * 365}, Duration{24h * 3650}, Duration{-1s}}) {
    env.machine().step_wall(by);
    EXPECT_EQ(status(client.get("/api/v2/x")), 200);
  }
  EXPECT_EQ(env.requests(), 4U);
  EXPECT_EQ(env.refused_requests(), 0U);
  EXPECT_EQ(env.token_requests(), 1U);
}

TEST_F(TestEnvironmentTest, SendsNoTokenThatEndedInSuspend) {
  Client client = make();
  EXPECT_EQ(status(client.get("/api/v2/x")), 200);
  env.machine().suspend(2h);
  EXPECT_EQ(status(client.get("/api/v2/x")), 200);
  EXPECT_EQ(env.refused_requests(), 0U);
  EXPECT_EQ(sends(), (std::vector<std::string>{"200 Bearer token-1", "200 Bearer token-2"}));
}

TEST_F(TestEnvironmentTest, StepsAHostsClockInTheMiddleOfACall) {
  env.login().set_offset(1h);  // far too long to wait for
  env.machine().after(5s, [this] { env.api().set_offset(1h); });
  Client client = make();
  EXPECT_EQ(status(client.get("/api/v2/x")), 401);
  env.machine().advance(5s);
  EXPECT_EQ(status(client.get("/api/v2/x")), 200);
}

// Hosts that fail ---------------------------------------------------------------------------------

TEST_F(TestEnvironmentTest, RevokesAllTokens) {
  Client client = make();
  EXPECT_EQ(status(client.get("/api/v2/x")), 200);
  env.revoke_all();
  EXPECT_EQ(status(client.get("/api/v2/x")), 200);
  EXPECT_EQ(sends(), (std::vector<std::string>{"200 Bearer token-1", "401 Bearer token-1",
                                               "200 Bearer token-2"}));
}

TEST_F(TestEnvironmentTest, IsWordedForTheOtherDialectToo) {
  ClientOptions options = env.options();
  options.dialect = DialectName::genesys;
  Client client = make(options);
  EXPECT_EQ(status(client.get("/api/v2/x")), 200);
  env.revoke_all();
  const auto answer = client.get("/api/v2/x");
  ASSERT_EQ(status(answer), 200);
  EXPECT_EQ(answer->report.attempts.front().error_code, "bad.credentials");
}

TEST_F(TestEnvironmentTest, EndsACallAtItsDeadlineWhereAHostNeverAnswers) {
  env.api().set_script([](const auto&) { return Answer{.never = true}; });
  Client client = make();
  const auto answer = client.call({.path = "/api/v2/x", .timeout = 20s});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::timeout);
  EXPECT_GE(elapsed(), 20s);
  EXPECT_LT(elapsed(), 21s);
}

TEST_F(TestEnvironmentTest, GivesScriptedAnswersBeforeItsOwn) {
  env.login().next({.status = 500});
  env.login().next({.failure = TransportFailure{}});
  env.api().next({.status = 429, .headers = {{"Retry-After", "2"}}});
  Client client = make();
  EXPECT_EQ(status(client.get("/api/v2/x")), 200);
  EXPECT_EQ(env.token_requests(), 3U);
  EXPECT_EQ(sends(), (std::vector<std::string>{"429 Bearer token-1", "200 Bearer token-1"}));
  EXPECT_GE(elapsed(), 2s) << "as Retry-After asks";
}

TEST_F(TestEnvironmentTest, IssuesTokensAsConfigured) {
  env.set_lifetime(5min);
  env.set_tokens([](const Grant& grant) {
    return "t" + std::to_string(grant.number) + "-" +
           std::to_string((grant.ends - grant.begins) / 1s);
  });
  Client client = make();
  const auto token = client.token();
  ASSERT_TRUE(token);
  EXPECT_EQ(token->value, Secret{"t1-300"});
  EXPECT_LE(token->remaining, 5min);
  EXPECT_GT(token->remaining, 4min);
}

TEST_F(TestEnvironmentTest, CountsWhatAsksForATokenOrCarriesOne) {
  const Instant deadline = begin + 1min;
  const auto status_at = [&](testing::Host& host, HttpRequest request) {
    request.url = host.url();
    const auto result = host.send(request, deadline);
    return std::get<Exchange>(result).status;
  };
  EXPECT_EQ(status_at(env.login(), {.method = "HEAD"}), 200);
  EXPECT_EQ(status_at(env.api(), {.method = "HEAD"}), 401);
  EXPECT_EQ(env.token_requests() + env.requests() + env.refused_requests(), 0U);
  EXPECT_EQ(status_at(env.api(), {.authorization = Secret{"Bearer token-1"}}), 401);
  EXPECT_EQ(env.requests(), 1U);
  EXPECT_EQ(env.refused_requests(), 1U);
  EXPECT_EQ(status_at(env.login(), {.method = "POST"}), 200);
  EXPECT_EQ(status_at(env.api(), {.authorization = Secret{"Bearer token-1"}}), 200);
  EXPECT_EQ(env.token_requests(), 1U);
  EXPECT_EQ(env.requests(), 2U);
}

// guard() -----------------------------------------------------------------------------------------

TEST_F(TestEnvironmentTest, StandsForAStackUnderGuard) {
  env.login().set_offset(3s);
  Client client = make();
  const auto send = [this](const Bearer& bearer) { return env.send(bearer, "POST", "/mine"); };
  const auto answer = client.guard(send, {.method = "POST", .path = "/mine"});
  ASSERT_EQ(status(answer), 200);
  EXPECT_EQ(answer->report.verdict, Verdict::issuer_clock_ahead);
  EXPECT_EQ(env.api().asked().back().request.url, "https://api.test/mine");
  EXPECT_EQ(env.api().asked().back().request.method, "POST");
  EXPECT_LT(elapsed(), 5s);

  std::optional<Result<Response>> told;
  client.async_guard([this](const Bearer& bearer, const auto& done) { done(env.send(bearer)); }, {},
                     [&](Result<Response> result) { told = std::move(result); });
  EXPECT_TRUE(env.machine().run_until([&] { return told.has_value(); }));
  EXPECT_EQ(status(*told), 200);
}

TEST_F(TestEnvironmentTest, EndsAGuardedCallAtItsDeadlineWhereTheStackNeverAnswers) {
  env.api().next({.never = true});
  Client client = make();
  const auto send = [this](const Bearer& bearer) { return env.send(bearer); };
  const auto answer = client.guard(send, {.method = "POST", .timeout = 7s});
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, ErrorKind::timeout);
  EXPECT_EQ(elapsed(), 7s);
}

// The end -----------------------------------------------------------------------------------------

TEST_F(TestEnvironmentTest, CallsInProgressLearnThatTheClientIsGone) {
  std::optional<Result<Response>> told;
  std::weak_ptr<int> handler;
  {
    Client client = make();
    env.api().next({.never = true});
    auto alive = std::make_shared<int>(0);
    handler = alive;
    client.async_call({.path = "/api/v2/x"},
                      [&told, alive](Result<Response> result) { told = std::move(result); });
    env.machine().advance(1s);
    EXPECT_EQ(env.requests(), 1U);
    EXPECT_FALSE(told);
  }
  ASSERT_TRUE(told) << "before the client is gone";
  EXPECT_EQ(told->error().kind, ErrorKind::cancelled);
  EXPECT_TRUE(handler.expired());
  env.machine().advance(1h);
  EXPECT_EQ(env.token_requests(), 1U) << "nothing goes on";
}

TEST(EnvironmentAndItsClient, MayGoInEitherOrder) {
  std::weak_ptr<Executor> machine;
  {
    std::optional<Client> client;
    TestEnvironment const env;
    machine = env.dependencies().executor;
    client.emplace(Client::make(env.options(), {}, env.dependencies()).value());
    EXPECT_EQ(status(client->get("/api/v2/x")), 200);
  }
  EXPECT_TRUE(machine.expired());
}

}  // namespace
}  // namespace skewguard
