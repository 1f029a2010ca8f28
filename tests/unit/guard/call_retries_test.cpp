#include "guard/call_retries.hpp"

#include <gtest/gtest.h>

namespace skewguard::guard {
namespace {

using namespace std::chrono_literals;

TEST(CallRetries, RetriesGatewayTroubleTwice) {
  CallRetries retries(7);
  const auto first = retries.after_gateway_trouble(std::nullopt, 30s);
  ASSERT_TRUE(first);
  EXPECT_GE(*first, 125ms);
  EXPECT_LE(*first, 250ms);
  EXPECT_EQ(retries.after_gateway_trouble(3s, 30s), 3s) << "the gateway asked for more";
  EXPECT_FALSE(retries.after_gateway_trouble(std::nullopt, 30s));
}

TEST(CallRetries, GiveUpWhereTheWaitWouldReachTheDeadline) {
  CallRetries retries(7);
  EXPECT_FALSE(retries.after_gateway_trouble(2s, 2s));
  EXPECT_TRUE(retries.after_gateway_trouble(2s, 2s + 1ns));
  EXPECT_FALSE(retries.after_auth_backend(2s, 2s));
  EXPECT_TRUE(retries.after_auth_backend(2s, 2s + 1ns));
  EXPECT_FALSE(retries.after_limit(2s, 2s).retry);
  EXPECT_TRUE(retries.after_limit(2s, 2s + 1ns).retry);
}

TEST(CallRetries, WaitForTheAuthBackendAsLongAsTheDeadlineAllows) {
  CallRetries retries(7);
  for (int n = 0; n < 20; ++n) {
    const auto wait = retries.after_auth_backend(std::nullopt, 30s);
    ASSERT_TRUE(wait) << n;
    EXPECT_GE(*wait, 250ms);
    EXPECT_LE(*wait, 5s);
  }
}

TEST(CallRetries, ALimitIsWaitedOutAsTheServerAsksOrElseBacksOff) {
  CallRetries retries(7);
  const auto with_time = retries.after_limit(12s, 30s);
  EXPECT_EQ(with_time.asked, 12s);
  EXPECT_EQ(with_time.wait, 12s);
  const auto without_time = retries.after_limit(std::nullopt, 30s);
  EXPECT_FALSE(without_time.asked);
  EXPECT_GE(without_time.wait, 1s) << "the second step of the backoff";
  EXPECT_LE(without_time.wait, 2s);
}

TEST(CallRetries, ALimitThatKeepsSayingAtOnceIsBelievedOnce) {
  CallRetries retries(7);
  const auto first = retries.after_limit(0s, 30s);
  EXPECT_EQ(first.asked, 0s);
  EXPECT_EQ(first.wait, 0s);
  const auto second = retries.after_limit(0s, 30s);
  EXPECT_FALSE(second.asked);
  EXPECT_GE(second.wait, 1s);
}

TEST(CallRetries, WaitOtherwiseWithAnotherSeed) {
  CallRetries one(1);
  CallRetries other(2);
  EXPECT_NE(one.after_gateway_trouble(std::nullopt, 30s),
            other.after_gateway_trouble(std::nullopt, 30s));
}

}  // namespace
}  // namespace skewguard::guard
