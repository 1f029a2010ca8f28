#include "proxy/guarded_call.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "client_fixture.hpp"

namespace skewguard::proxy {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Guarded : public WithClient, protected GuardedCall::User {
 protected:
  void send_again() override { did += "send " + std::string(call->authorization()) + "\n"; }
  void judged(Verdict verdict) override { did += std::string(to_string(verdict)) + "\n"; }

  /// The API answers a request with the first token of the client.
  void start(int status, const std::string& body = "{}") {
    ASSERT_TRUE(client->await_lease());
    GuardedCall::User& user = *this;
    call = std::make_shared<GuardedCall>(loop, *client, user);
    GuardOptions options;
    options.method = "GET";
    options.first = FirstAnswer{1, exchange(status, body)};
    call->start(std::move(options));
    EXPECT_EQ(did, "");
    pass();
  }
  Exchange exchange(int status, const std::string& body = "{}") {
    Exchange out;
    out.status = status;
    out.body = body;
    out.sent = out.received = environment.machine().now();
    return out;
  }
  [[nodiscard]] std::string happened() { return std::exchange(did, {}); }

  std::shared_ptr<GuardedCall> call;
  std::string did;
};

TEST_F(Guarded, HasARefusedRequestSentWithTheNextToken) {
  start(401);
  pass(std::chrono::seconds{10});
  EXPECT_EQ(happened(), "send Bearer token-1\n") << "perhaps it has not propagated yet";
  ASSERT_TRUE(call->sending());
  call->answer(exchange(401));
  pass(std::chrono::seconds{10});
  EXPECT_EQ(happened(), "send Bearer token-2\n");
  ASSERT_TRUE(call->sending());
  call->answer(exchange(200));
  EXPECT_FALSE(call->sending());
  EXPECT_EQ(call->authorization(), "") << "it is not kept";
  pass();
  EXPECT_EQ(happened(), "unknown\n") << "without a Date";
}

TEST_F(Guarded, PassesAnAnswerThatIsNotAboutTheToken) {
  start(404);
  EXPECT_EQ(happened(), "ok\n");
}

TEST_F(Guarded, SaysNothingOnceItIsGone) {
  start(401);
  call.reset();
  pass(std::chrono::minutes{1});
  EXPECT_EQ(happened(), "");
}

TEST_F(Guarded, EndsIfTheRequestCannotBeSentAgain) {
  environment.revoke_all();
  start(401);
  pass(std::chrono::seconds{10});
  ASSERT_TRUE(call->sending());
  did.clear();
  call->answer(TransportFailure{TransportFailure::Kind::cancelled, "not again", true});
  pass();
  EXPECT_THAT(happened(), Not(HasSubstr("send")));
}

}  // namespace
}  // namespace skewguard::proxy
