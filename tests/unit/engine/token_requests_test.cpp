#include "engine/token_requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "token_parts.hpp"

namespace skewguard::engine {
namespace {

using ::testing::SizeIs;

class ATokenRequest : public ::testing::Test {
 protected:
  /// A guarded call, for the test to end.
  struct Checking {
    std::string method;
    Duration within{};  ///< from its start to its deadline
    std::uint64_t after = 0;
    Calls::Handler end;
  };

  TokenRequests::Id start(Duration within = 30s, const TokenRequestOptions& options = {}) {
    const auto id = std::make_shared<TokenRequests::Id>();
    *id = requests.start(options, now() + within, [this, id](Result<BearerToken> result) {
      got.emplace(*id, std::move(result));
    });
    all.machine().run();
    return *id;
  }
  [[nodiscard]] Instant now() const { return all.machine().now().boot; }
  /// The API accepts the token that is asked about.
  void accept() {
    guard::action::Finish finished;
    all.parts.loop.enter(
        [&] { finished.accepted = all.tokens.tokens().usable(all.parts.clocks.view()); });
    end(std::move(finished));
  }
  void fail(ErrorKind kind) {
    guard::action::Finish finished;
    finished.error = Error{kind, "no answer", ""};
    finished.report.failure = kind;
    end(std::move(finished));
  }
  [[nodiscard]] const Error& error(TokenRequests::Id id) const { return got.at(id).error(); }

  TokenParts all;
  std::vector<Checking> checks;
  std::map<TokenRequests::Id, Result<BearerToken>> got;
  TokenRequests requests{{all.parts.loop, all.parts.clocks, all.tokens, all.parts.listeners,
                          all.parts.options, all.parts.sender.token_url(),
                          [this](const TokenRequests::Question& question, Calls::Handler handler) {
                            checks.push_back({question.request.method, question.deadline - now(),
                                              question.after, std::move(handler)});
                            return Calls::Id{checks.size()};
                          }}};

 private:
  void end(guard::action::Finish finished) {
    ASSERT_FALSE(checks.empty());
    const auto handler = checks.back().end;
    all.parts.loop.enter([&] { handler(std::move(finished)); });
    all.machine().run();
  }
};

TEST_F(ATokenRequest, IsAnsweredOnceTheApiHasAcceptedTheToken) {
  const auto id = start(20s);
  all.issue("t1");
  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_EQ(checks[0].method, "HEAD");
  EXPECT_EQ(checks[0].within, 20s);
  EXPECT_EQ(checks[0].after, 0U);
  EXPECT_TRUE(got.empty());
  accept();
  ASSERT_TRUE(got.contains(id) && got.at(id));
  EXPECT_EQ(got.at(id)->value.reveal(), "t1");
  EXPECT_EQ(got.at(id)->remaining, 300s);
}

TEST_F(ATokenRequest, IsAnsweredAtOnceIfTheTokenNeedNotBeVerified) {
  const auto id = start(30s, {.verify = false});
  all.issue("t1");
  EXPECT_TRUE(got.contains(id) && got.at(id));
  EXPECT_TRUE(checks.empty());
}

TEST_F(ATokenRequest, SharesTheCheckOfATokenWithTheOthers) {
  const auto first = start();
  const auto second = start();
  all.issue("t1");
  EXPECT_THAT(checks, SizeIs(1));
  accept();
  EXPECT_TRUE(got.at(first));
  EXPECT_TRUE(got.at(second));
}

TEST_F(ATokenRequest, IsCheckedAgainWithTheTimeThatItHasLeftIfAnEarlierOnesTimeIsUp) {
  const auto hurried = start(10s);
  const auto patient = start(30s);
  all.issue("t1");
  ASSERT_THAT(checks, SizeIs(1));
  EXPECT_EQ(checks[0].within, 10s);
  all.machine().advance(9s);
  fail(ErrorKind::timeout);
  ASSERT_TRUE(got.contains(hurried));
  EXPECT_EQ(error(hurried).kind, ErrorKind::timeout);
  EXPECT_FALSE(got.contains(patient));
  ASSERT_THAT(checks, SizeIs(2));
  EXPECT_EQ(checks[1].within, 21s);
  accept();
  EXPECT_TRUE(got.at(patient));
}

TEST_F(ATokenRequest, EndsWithTheCheckThatWasCancelledWhateverTimeIsLeft) {
  const auto hurried = start(10s);
  const auto patient = start(30s);
  all.issue("t1");
  fail(ErrorKind::cancelled);
  EXPECT_EQ(error(hurried).kind, ErrorKind::cancelled);
  EXPECT_EQ(error(patient).kind, ErrorKind::cancelled);
  EXPECT_THAT(checks, SizeIs(1));
}

TEST_F(ATokenRequest, ReportsWhatTheLoginHostAnswered) {
  const auto id = start(1s);
  Exchange refused = all.parts.answer(401);
  refused.body = R"({"error":"invalid_client"})";
  all.reply(std::move(refused));
  ASSERT_TRUE(got.contains(id) && !got.at(id));
  ASSERT_TRUE(error(id).report);
  EXPECT_EQ(error(id).report->token_requests, 1);
  ASSERT_THAT(error(id).report->attempts, SizeIs(1));
  EXPECT_EQ(error(id).report->attempts[0].host, HostRole::login);
  EXPECT_EQ(error(id).report->attempts[0].http_status, 401);
}

TEST_F(ATokenRequest, IsCancelledOnce) {
  const auto id = start();
  requests.cancel(id);
  requests.cancel(id);
  all.machine().run();
  EXPECT_EQ(error(id).kind, ErrorKind::cancelled);
  all.issue("t1");
  EXPECT_TRUE(checks.empty()) << "nobody asks any more";
}

}  // namespace
}  // namespace skewguard::engine
