#include "engine/token_service.hpp"

#include <gtest/gtest.h>

#include <map>

#include "token_parts.hpp"

namespace skewguard::engine {
namespace {

class ATokenService : public ::testing::Test {
 protected:
  oauth::WaiterId want(Duration within = 30s) {
    const oauth::WaiterId waiter = all.tokens.new_waiter();
    all.parts.loop.enter([&] {
      all.tokens.want({.waiter = waiter, .deadline = all.machine().now().boot + within},
                      [this, waiter](TokenService::Answer answer) {
                        const auto* delivered = std::get_if<oauth::action::Deliver>(&answer);
                        got[waiter] = delivered == nullptr
                                          ? "failed"
                                          : std::string(delivered->token->value.reveal());
                      });
    });
    return waiter;
  }

  TokenParts all;
  std::map<oauth::WaiterId, std::string> got;  ///< the token of each that has been answered
};

TEST_F(ATokenService, RequestsOneTokenForAllWhoWantOne) {
  want();
  want();
  ASSERT_EQ(all.sent().size(), 1U);
  EXPECT_EQ(all.sent()[0].request.method, "POST");
  EXPECT_TRUE(got.empty());
  all.issue("t1");
  want();
  EXPECT_EQ(got.size(), 3U);
  for (const auto& [waiter, token] : got) EXPECT_EQ(token, "t1") << waiter;
  EXPECT_EQ(all.sent().size(), 1U);
}

TEST_F(ATokenService, DeniesATokenWhenTheRequestFailed) {
  const auto waiter = want(1s);
  Exchange refused = all.parts.answer(401);
  refused.body = R"({"error":"invalid_client"})";
  all.reply(std::move(refused));
  EXPECT_EQ(got[waiter], "failed");
}

TEST_F(ATokenService, AnswersNobodyWhoHasLeft) {
  const auto waiter = want();
  all.parts.loop.enter([&] { all.tokens.withdraw(waiter); });
  all.issue("t1");
  EXPECT_TRUE(got.empty());
}

class AfterADisruption : public ATokenService {
 protected:
  AfterADisruption() {
    all.machine().tell_of_stops();
    want();
    all.issue("t1");
    want();  // sees how often the machine has been stopped
    got.clear();
    all.machine().stand_still(1min);
  }
};

TEST_F(AfterADisruption, GivesNobodyATokenBeforeTheLoginHostHasShownItsClock) {
  want();
  want();
  ASSERT_EQ(all.sent().size(), 2U) << "one look for all";
  EXPECT_EQ(all.sent()[1].request.method, "HEAD");
  EXPECT_TRUE(got.empty()) << "the token may have expired meanwhile";
  all.reply(all.parts.answer(405));
  EXPECT_EQ(got.size(), 2U);
  want();
  EXPECT_EQ(got.size(), 3U) << "and then at once";
}

TEST_F(AfterADisruption, LetsNobodyWaitForTheLookBeyondTheirDeadline) {
  const auto hurried = want(1s);
  const auto patient = want(30s);
  all.machine().advance(1s);
  EXPECT_TRUE(got.contains(hurried));
  EXPECT_FALSE(got.contains(patient));
}

}  // namespace
}  // namespace skewguard::engine
