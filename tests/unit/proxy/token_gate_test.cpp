#include "proxy/token_gate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "client_fixture.hpp"

namespace skewguard::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Gate : public WithClient {
 protected:
  std::optional<TokenGate::Ticket> wait(int number) {
    return gate->wait([this, number](const Error* why_not) {
      told.push_back(number);
      failed = why_not != nullptr;
    });
  }
  [[nodiscard]] bool has_token() { return gate->lease(client->now()) != nullptr; }

  std::shared_ptr<TokenGate> gate =
      std::make_shared<TokenGate>(loop, *client, metrics, metrics.add_worker(), 3);
  std::vector<int> told;
  bool failed = false;
};

TEST_F(Gate, TellsAllThatWaitInOrderWithOneTokenRequest) {
  EXPECT_FALSE(has_token());
  for (const int number : {1, 2, 3}) EXPECT_TRUE(wait(number));
  EXPECT_THAT(told, IsEmpty());
  EXPECT_THAT(metrics.text(nullptr), HasSubstr("skewguard_waiting_requests 3\n"));
  pass();
  EXPECT_THAT(told, ElementsAre(1, 2, 3));
  EXPECT_FALSE(failed);
  EXPECT_TRUE(has_token());
  EXPECT_EQ(environment.token_requests(), 1U);
  EXPECT_THAT(metrics.text(nullptr), HasSubstr("skewguard_waiting_requests 0\n"));
}

TEST_F(Gate, TakesNoMoreThanItsLimit) {
  for (const int number : {1, 2, 3}) EXPECT_TRUE(wait(number));
  EXPECT_FALSE(wait(4));
  const auto another = std::make_shared<TokenGate>(loop, *client, metrics, metrics.add_worker(), 3);
  EXPECT_FALSE(another->wait([](const Error*) {})) << "of another worker";
  pass();
  EXPECT_TRUE(wait(5)) << "once the others have gone";
}

TEST_F(Gate, ForgetsWhoLeaves) {
  const auto first = wait(1);
  const auto second = wait(2);
  gate->leave(*first);
  gate->leave(*first);
  EXPECT_THAT(metrics.text(nullptr), HasSubstr("skewguard_waiting_requests 1\n"));
  pass();
  EXPECT_THAT(told, ElementsAre(2));
  gate->leave(*second);
  EXPECT_THAT(metrics.text(nullptr), HasSubstr("skewguard_waiting_requests 0\n"));
}

TEST_F(Gate, TellsAtOnceWhatDoesNotPass) {
  environment.login().next({.status = 401, .body = R"({"error":"invalid_client"})"});
  wait(1);
  pass();
  EXPECT_THAT(told, ElementsAre(1));
  EXPECT_TRUE(failed);
  ASSERT_TRUE(gate->last_failure());
  EXPECT_EQ(gate->last_failure()->kind, ErrorKind::credentials);
}

TEST_F(Gate, KnowsWhenTheNextTokenIsRequested) {
  EXPECT_FALSE(gate->next_token_in());
  environment.login().set_script([](const auto&) {
    return skewguard::testing::Answer{.status = 429, .headers = {{"Retry-After", "20"}}};
  });
  wait(1);
  pass();
  gate->tick();
  pass();
  const auto next = gate->next_token_in();
  ASSERT_TRUE(next);
  EXPECT_GT(*next, std::chrono::seconds{15});
  EXPECT_LT(*next, std::chrono::seconds{25});
}

TEST_F(Gate, WaitsOnIfTheFailureMayPassAndSaysWhatItWas) {
  environment.login().set_script(
      [](const auto&) { return skewguard::testing::Answer{.status = 503}; });
  wait(1);
  pass(std::chrono::minutes{1});
  EXPECT_THAT(told, IsEmpty());
  ASSERT_TRUE(gate->last_failure());
  environment.login().set_script({});
  pass();
  EXPECT_THAT(told, IsEmpty());
  gate->tick();
  pass(std::chrono::minutes{1});
  EXPECT_THAT(told, ElementsAre(1));
  EXPECT_FALSE(failed);
  EXPECT_FALSE(gate->last_failure());
}

}  // namespace
}  // namespace skewguard::proxy
