// The client for programs that send by themselves with a leased token, on virtual time.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include "client_testing.hpp"

namespace skewguard::runtime {
namespace {

class ClientWithOwnStack : public ::testing::Test {
 protected:
  ClientWithOwnStack() {
    auto made = Client::make(environment.options(), {}, environment.dependencies());
    if (!made) std::abort();
    client = std::make_unique<Client>(*std::move(made));
    reader = client->reader();
  }
  /// The generation of the token that may be sent now; 0 = none.
  std::uint64_t leased() {
    const Lease* lease = reader.lease(client->now());
    return lease != nullptr ? lease->generation : 0;
  }
  GuardOptions first(std::uint64_t generation, Exchange exchange) {
    GuardOptions options = guarded("GET");
    options.first = FirstAnswer{generation, std::move(exchange)};
    return options;
  }
  SendResult send(const Bearer& bearer) {
    ++sends;
    return environment.send(bearer);
  }

  MemoryEnvironment environment;
  FakeMachine& machine = environment.machine();
  std::unique_ptr<Client> client;
  LeaseReader reader;
  int sends = 0;
};

TEST_F(ClientWithOwnStack, WaitsForALeaseAndReadsIt) {
  EXPECT_EQ(leased(), 0U);
  const auto generation = client->await_lease();
  ASSERT_TRUE(generation);
  EXPECT_EQ(*generation, 1U);
  EXPECT_EQ(leased(), 1U);
  EXPECT_EQ(client->lease(client->now())->generation, 1U);
  EXPECT_EQ(environment.token_requests(), 1U);
}

TEST_F(ClientWithOwnStack, WaitsForALeaseWithoutBlocking) {
  std::optional<Result<std::uint64_t>> result;
  client->async_await_lease(0, std::nullopt, [&](auto done) { result = std::move(done); });
  EXPECT_FALSE(result);
  machine.run();
  ASSERT_TRUE(result && *result);
  EXPECT_EQ(leased(), **result);
}

TEST_F(ClientWithOwnStack, WaitsNoLongerForALeaseThanToldAndUntilCancelled) {
  silence(environment.login());
  const auto late = client->await_lease(0, 3s);
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().kind, ErrorKind::timeout);
  std::optional<Result<std::uint64_t>> result;
  client->async_await_lease(0, std::nullopt, [&](auto done) { result = std::move(done); }).cancel();
  machine.run();
  ASSERT_TRUE(result && !*result);
  EXPECT_EQ(result->error().kind, ErrorKind::cancelled);
}

TEST_F(ClientWithOwnStack, BeginsACallWithARefusalInHand) {
  ASSERT_TRUE(client->await_lease());
  environment.revoke_all();
  EXPECT_EQ(client->observe(1, refusal(machine)), Observed::judge);
  const auto response =
      client->guard([&](const Bearer& bearer) { return send(bearer); }, first(1, refusal(machine)));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->report.attempts.size(), 3U)
      << "as far as is known it was new, and so it was sent once more";
  EXPECT_EQ(sends, 2);
  EXPECT_EQ(leased(), 2U);
}

TEST_F(ClientWithOwnStack, KnowsFromObservationsThatATokenHadBeenAccepted) {
  ASSERT_TRUE(client->await_lease());
  EXPECT_EQ(client->observe(1, answer(200, "", machine)), Observed::noted);
  environment.revoke_all();
  const auto response =
      client->guard([&](const Bearer& bearer) { return send(bearer); }, first(1, refusal(machine)));
  ASSERT_TRUE(response);
  EXPECT_EQ(response->report.verdict, Verdict::token_revoked) << to_json(response->report);
  EXPECT_EQ(sends, 1);
}

TEST_F(ClientWithOwnStack, LearnsTheApisClockFromObservations) {
  environment.api().set_offset(1s);
  ASSERT_TRUE(client->await_lease());
  for (int i = 0; i < 8; ++i) {
    const Exchange seen = std::get<Exchange>(
        environment.send(Bearer{"token-1", "Bearer token-1", client->now() + 30s}));
    static_cast<void>(client->observe(1, seen));
    machine.advance(300ms);
  }
  const auto response = client->guard([&](const Bearer& bearer) { return send(bearer); },
                                      first(1, answer(200, "", machine)));
  ASSERT_TRUE(response);
  EXPECT_GE(response->report.clocks.back().samples, 8U);
}

TEST_F(ClientWithOwnStack, PassesARefusalOnIfTheRequestCannotBeSentAgain) {
  ASSERT_TRUE(client->await_lease());
  client->observe(1, answer(200, "", machine));
  environment.revoke_all();
  GuardOptions options = first(1, refusal(machine));
  options.policy.replayable = false;
  const auto response = client->guard([&](const Bearer& bearer) { return send(bearer); }, options);
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 401);
  EXPECT_EQ(sends, 0);
  machine.run();
  EXPECT_EQ(leased(), 2U) << "the token has been replaced all the same";
}

TEST_F(ClientWithOwnStack, BeginsACallWithARefusalWithoutBlocking) {
  ASSERT_TRUE(client->await_lease());
  client->observe(1, answer(200, "", machine));
  environment.revoke_all();
  const Recorder<Response> ended;
  client->async_guard(
      [&](const Bearer& bearer, const auto& done) {
        EXPECT_EQ(bearer.deadline, Instant::max());
        EXPECT_EQ(bearer.token, "token-2");
        done(answer(200, "", machine));
      },
      [&] {
        GuardOptions options = first(1, refusal(machine));
        options.policy.limit_sends = false;
        return options;
      }(),
      ended.handler());
  machine.run();
  ASSERT_TRUE(ended.once_ok());
  EXPECT_EQ(ended.last()->status, 200);
}

TEST_F(ClientWithOwnStack, BlocksAsLongAsASendThatIsNotLimited) {
  ASSERT_TRUE(client->await_lease());
  environment.revoke_all();
  GuardOptions options = first(1, refusal(machine));
  options.policy.limit_sends = false;
  const auto response = client->guard(
      [&](const Bearer&) {
        machine.advance(10min);
        return answer(200, "", machine);
      },
      options);
  ASSERT_TRUE(response) << describe(response.error());
  EXPECT_EQ(response->status, 200);
}

TEST_F(ClientWithOwnStack, ObservesNothingBeforeItHasStartedAndAfterItsReaderOutlivesIt) {
  EXPECT_EQ(client->observe(1, answer(200, "", machine)), Observed::noted);
  machine.run();
  EXPECT_EQ(environment.token_requests(), 0U);
  ASSERT_TRUE(client->await_lease());
  ASSERT_EQ(leased(), 1U);
  const Instant now = client->now();
  client.reset();
  EXPECT_EQ(reader.lease(now)->token, "token-1");
}

}  // namespace
}  // namespace skewguard::runtime
