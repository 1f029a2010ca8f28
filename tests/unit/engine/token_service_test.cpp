#include "engine/token_service.hpp"

#include <gtest/gtest.h>

#include <map>

#include "../runtime/client_testing.hpp"
#include "token_parts.hpp"

namespace skewguard::engine {
namespace {

class ATokenService : public ::testing::Test {
 protected:
  explicit ATokenService(TokenStore* store = nullptr) : all(store) {}

  oauth::WaiterId want(Duration within = 30s, std::uint64_t after = 0, bool force = false) {
    const oauth::WaiterId waiter = all.tokens.new_waiter();
    all.parts.loop.enter([&] {
      all.tokens.want({.waiter = waiter,
                       .deadline = all.machine().now().boot + within,
                       .after = after,
                       .force = force},
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

TEST_F(ATokenService, CountsTokenRequestsByTheirVerdict) {
  const TokenService& tokens = all.tokens;
  EXPECT_FALSE(tokens.last_request());
  EXPECT_EQ(tokens.requests(), (std::map<Verdict, std::uint64_t>{{Verdict::ok, 0}}));
  want(1s);
  Exchange refused = all.parts.answer(401);
  refused.body = R"({"error":"invalid_client"})";
  all.reply(std::move(refused));
  EXPECT_EQ(tokens.last_request(), Verdict::credentials_rejected);
  EXPECT_EQ(tokens.requests().at(Verdict::credentials_rejected), 1U);
  EXPECT_EQ(tokens.requests().at(Verdict::ok), 0U);
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

/// Another process stores a token after this one got "t1".
class WithAStore : public ATokenService {
 protected:
  WithAStore() : ATokenService(&store) {
    want();
    all.machine().run();  // the store is asked first
    all.issue("t1");
    got.clear();
    store.record->token->value = Secret("theirs");
    ++store.record->token->id;
    ++store.record->generation;
    store.changed();
  }
  /// What a caller gets for whom "t1" will not do.
  std::string next_token(bool force) {
    const auto waiter = want(30s, 1, force);
    all.machine().run();
    if (!got.contains(waiter)) all.issue("t2");
    return got[waiter];
  }

  runtime::OpenStore store;
};

TEST_F(WithAStore, TakesATokenThatAnotherProcessGot) {
  EXPECT_EQ(next_token(false), "theirs");
  EXPECT_EQ(all.sent().size(), 1U);
}

TEST_F(WithAStore, RequestsATokenForARefreshThatIsForcedThoughAnotherProcessGotOne) {
  EXPECT_EQ(next_token(true), "t2");
  EXPECT_EQ(all.sent().size(), 2U);
}

}  // namespace
}  // namespace skewguard::engine
