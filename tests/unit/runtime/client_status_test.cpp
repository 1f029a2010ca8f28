// What a client says about itself, on virtual time.
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <utility>

#include "client_testing.hpp"

namespace skewguard::runtime {
namespace {

class AClientsStatus : public ::testing::Test {
 protected:
  AClientsStatus() {
    auto made = Client::make(environment.options(), {}, environment.dependencies());
    if (!made) std::abort();
    client = std::make_unique<Client>(*std::move(made));
  }
  ClientStatus status() { return client->status().value(); }
  [[nodiscard]] static std::uint64_t steps(const ClientStatus& status, const std::string& clock) {
    const auto found = status.clock_steps.find(clock);
    return found != status.clock_steps.end() ? found->second : 999;
  }

  MemoryEnvironment environment;
  FakeMachine& machine = environment.machine();
  std::unique_ptr<Client> client;
};

TEST_F(AClientsStatus, BeginsWithNothing) {
  const ClientStatus status = this->status();
  EXPECT_FALSE(status.token);
  EXPECT_FALSE(status.last_token_request);
  EXPECT_EQ(status.token_requests, (std::map<Verdict, std::uint64_t>{{Verdict::ok, 0}}));
  ASSERT_EQ(status.clocks.size(), 2U);
  EXPECT_EQ(status.clocks[0].server, environment.options().login_url);
  EXPECT_EQ(status.clocks[1].server, environment.options().api_url);
  EXPECT_FALSE(status.clocks[0].offset);
  for (const auto& clock :
       {status.clocks[0].server, status.clocks[1].server, std::string("wall"), std::string("boot")})
    EXPECT_EQ(steps(status, clock), 0U) << clock;
  EXPECT_EQ(environment.token_requests(), 0U);
}

TEST_F(AClientsStatus, ShowsTheTokenWithoutItsValue) {
  ASSERT_TRUE(client->await_lease());
  const ClientStatus before = status();
  ASSERT_TRUE(before.token);
  EXPECT_EQ(before.token->generation, 1U);
  EXPECT_FALSE(before.token->accepted);
  const Duration remaining = before.token->remaining.value();
  EXPECT_LE(remaining, 300s);
  EXPECT_GT(remaining, 200s);
  ASSERT_TRUE(client->call(get()));
  EXPECT_TRUE(status().token->accepted);
  machine.advance(remaining);
  EXPECT_FALSE(status().token && status().token->generation == 1) << "it has ended";
}

TEST_F(AClientsStatus, DoesNotGuessTheLifeOfAGivenToken) {
  ClientOptions options = environment.options();
  options.login_url.clear();
  options.client_secrets.clear();
  options.access_token = Secret("opaque");
  auto made = Client::make(std::move(options), {}, environment.dependencies());
  ASSERT_TRUE(made);
  client = std::make_unique<Client>(*std::move(made));
  ASSERT_TRUE(client->await_lease());
  const ClientStatus status = this->status();
  ASSERT_TRUE(status.token);
  EXPECT_FALSE(status.token->remaining);
  EXPECT_FALSE(status.clock_steps.contains("")) << "there is no login host";
  EXPECT_EQ(status.clocks.size(), 1U);
}

TEST_F(AClientsStatus, CountsTokenRequests) {
  environment.login().next({.status = 401, .body = R"({"error":"invalid_client"})"});
  EXPECT_FALSE(client->await_lease());
  ClientStatus status = this->status();
  EXPECT_EQ(status.last_token_request, Verdict::credentials_rejected);
  EXPECT_EQ(status.token_requests.at(Verdict::credentials_rejected), 1U);
  machine.advance(1h);
  ASSERT_TRUE(client->await_lease());
  status = this->status();
  EXPECT_EQ(status.last_token_request, Verdict::ok);
  EXPECT_EQ(status.token_requests.at(Verdict::ok), 1U);
}

TEST_F(AClientsStatus, ShowsWhatIsKnownAboutClocksNow) {
  ASSERT_TRUE(client->call(get()));
  const auto seen = status().clocks[1].offset;
  ASSERT_TRUE(seen);
  EXPECT_TRUE(seen->holds(0s));
  machine.step_wall(-1h);
  const auto after = status().clocks[1].offset;
  ASSERT_TRUE(after);
  EXPECT_TRUE(after->holds(1h)) << "as seen from the wall clock as it reads now";
  ASSERT_TRUE(client->call(get()));
  EXPECT_EQ(steps(status(), "wall"), 1U);
}

TEST_F(AClientsStatus, IsToldWithoutBlocking) {
  const Recorder<ClientStatus> recorder;
  client->async_status(recorder.handler());
  EXPECT_EQ(recorder.times(), 0U);
  machine.run();
  EXPECT_TRUE(recorder.once_ok());
}

TEST_F(AClientsStatus, IsNotToldOfAClientThatHasEnded) {
  const Recorder<ClientStatus> recorder;
  client->async_status(recorder.handler());
  client.reset();
  machine.run();
  EXPECT_TRUE(recorder.once_ok() || recorder.once(ErrorKind::cancelled));
}

TEST_F(AClientsStatus, CannotBeWaitedForOnItsOwnLoop) {
  std::optional<Result<ClientStatus>> inside;
  client->async_status([&](const auto&) { inside = client->status(); });
  machine.run();
  ASSERT_TRUE(inside && !*inside);
  EXPECT_EQ(inside->error().kind, ErrorKind::config);
}

}  // namespace
}  // namespace skewguard::runtime
