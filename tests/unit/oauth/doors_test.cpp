#include "oauth/doors.hpp"

#include <gtest/gtest.h>

namespace skewguard::oauth {
namespace {

using namespace std::chrono_literals;

constexpr Instant kBoot{1000s};

Now at(Duration later, Duration wall_set_by = 0s) {
  Now now;
  now.boot = kBoot + later;
  now.wall = WallTime{1'800'000'000s} + later + wall_set_by;
  return now;
}

LoginFailure failed(Verdict verdict, Retry retry) {
  return {.failure = token_failure(verdict, "it failed"), .retry = retry};
}
LoginFailure refused_credentials() {
  LoginFailure failure = failed(Verdict::credentials_rejected, Retry::never);
  failure.credentials = true;
  return failure;
}

class LoginDoorTest : public testing::Test {
 protected:
  LoginDoor door{{}, {}, 7};
};

TEST_F(LoginDoorTest, AFailureThatMayPassDelaysTheNextTryAlone) {
  EXPECT_EQ(door.not_before(), Instant{});
  const Duration wait = door.fail(failed(Verdict::network, Retry::twice), false, at(0s));
  EXPECT_GE(wait, 250ms);
  EXPECT_LE(wait, 500ms);
  EXPECT_EQ(door.not_before(), kBoot + wait);
  EXPECT_EQ(door.closed(kBoot), nullptr);
  EXPECT_EQ(door.last_failure()->verdict, Verdict::network);
  const Duration longer = door.fail(failed(Verdict::network, Retry::twice), false, at(1s));
  EXPECT_GE(longer, 500ms);
  door.open();
  EXPECT_EQ(door.not_before(), Instant{});
  EXPECT_FALSE(door.last_failure());
  EXPECT_LE(door.fail(failed(Verdict::network, Retry::twice), false, at(2s)), 500ms)
      << "the backoff begins anew";
}

TEST_F(LoginDoorTest, OneThatNoRetryCuresClosesIt) {
  const Duration wait = door.fail(failed(Verdict::protocol, Retry::never), false, at(0s));
  ASSERT_NE(door.closed(kBoot), nullptr);
  EXPECT_EQ(door.closed(kBoot)->failure.verdict, Verdict::protocol);
  EXPECT_FALSE(door.closed(kBoot)->may_pass);
  EXPECT_NE(door.closed(kBoot + wait - 1ns), nullptr);
  EXPECT_EQ(door.closed(kBoot + wait), nullptr);
}

TEST_F(LoginDoorTest, BelievesARetryAfterWithinReason) {
  LoginFailure limited = failed(Verdict::login_rate_limited, Retry::while_waiting);
  limited.retry_after = 24h;
  EXPECT_EQ(door.fail(limited, true, at(0s)), 1h);
  limited.retry_after = 40min;
  EXPECT_EQ(door.fail(limited, true, at(0s)), 40min);
  limited.retry_after = 0s;
  EXPECT_GT(door.fail(limited, true, at(0s)), 0s) << "no storm";
  LoginFailure down = failed(Verdict::auth_backend_unavailable, Retry::while_waiting);
  down.retry_after = 24h;
  EXPECT_EQ(door.fail(down, true, at(0s)), 5min);
}

TEST_F(LoginDoorTest, RefusedCredentialsCloseItForLongerEachTime) {
  for (const Duration pause : {5s, 10s, 20s, 40s})
    EXPECT_EQ(door.fail(refused_credentials(), false, at(0s)), pause);
  EXPECT_FALSE(door.closed(kBoot)->may_pass);
  door.open();
  EXPECT_EQ(door.fail(refused_credentials(), false, at(0s)), 5s);
}

TEST_F(LoginDoorTest, CredentialsThatHaveWorkedMayBeRestoredSoon) {
  for (const Duration pause : {1s, 2s, 4s, 8s, 16s}) {
    EXPECT_EQ(door.fail(refused_credentials(), true, at(0s)), pause);
    EXPECT_TRUE(door.closed(kBoot)->may_pass) << pause.count();
  }
  EXPECT_EQ(door.fail(refused_credentials(), true, at(0s)), 32s);
  EXPECT_FALSE(door.closed(kBoot)->may_pass) << "they have been refused for half a minute";
}

TEST_F(LoginDoorTest, NewSecretsOpenWhatTheOldOnesClosed) {
  door.fail(refused_credentials(), false, at(0s));
  door.open_for_new_secrets(kBoot + 1s);
  EXPECT_EQ(door.closed(kBoot + 1s), nullptr);
  EXPECT_EQ(door.not_before(), kBoot + 1s);
  EXPECT_EQ(door.fail(refused_credentials(), false, at(1s)), 5s) << "these are others";
  door.fail(failed(Verdict::unknown_client, Retry::never), false, at(10s));
  door.open_for_new_secrets(kBoot + 10s);
  EXPECT_NE(door.closed(kBoot + 10s), nullptr) << "the client is the same";
}

TEST_F(LoginDoorTest, SettingTheWallClockOpensWhatACertificatesTimeClosed) {
  LoginFailure failure = failed(Verdict::tls_clock, Retry::never);
  failure.retry_after = 60s;
  door.fail(failure, false, at(0s));
  door.open_if_clock_was_set(at(1s));
  EXPECT_NE(door.closed(kBoot + 1s), nullptr) << "it only went on";
  door.open_if_clock_was_set(at(1s, -24h));
  EXPECT_EQ(door.closed(kBoot + 1s), nullptr);
  EXPECT_EQ(door.not_before(), kBoot + 1s);
  failure.failure.verdict = Verdict::tls_untrusted;
  door.fail(failure, false, at(2s));
  door.open_if_clock_was_set(at(3s, 24h));
  EXPECT_NE(door.closed(kBoot + 3s), nullptr) << "no clock is to blame";
}

TEST_F(LoginDoorTest, TheSameTokenAgainIsNoFailureButWaits) {
  door.fail(failed(Verdict::network, Retry::twice), false, at(0s));
  const Duration wait = door.same_token_again(kBoot + 1s);
  EXPECT_GT(wait, 0s);
  EXPECT_EQ(door.not_before(), kBoot + 1s + wait);
  EXPECT_TRUE(door.same_again());
  door.fail(failed(Verdict::network, Retry::twice), false, at(0s));
  EXPECT_FALSE(door.same_again());
  door.same_token_again(kBoot + 1s);
  door.open();
  EXPECT_FALSE(door.same_again());
}

TEST_F(LoginDoorTest, AnotherGrantIsTriedAtOnce) {
  door.fail(failed(Verdict::network, Retry::twice), false, at(0s));
  door.try_at_once(kBoot);
  EXPECT_EQ(door.not_before(), kBoot);
}

class ApiDoorTest : public testing::Test {
 protected:
  std::optional<TokenFailure> refuse(std::uint64_t generation,
                                     Verdict verdict = Verdict::token_rejected, bool worked = true,
                                     Duration age = 2s) {
    return door.refuse(generation, verdict, kBoot - age, worked, kBoot);
  }
  ApiDoor door{{}};
};

TEST_F(ApiDoorTest, ClosesForLongerWithEachNewTokenThatIsRefused) {
  Duration pause = 5s;
  for (std::uint64_t generation = 1; generation <= 3; ++generation, pause *= 2) {
    const auto failure = refuse(generation);
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->verdict, Verdict::token_rejected);
    EXPECT_FALSE(failure->next_request);
    ASSERT_NE(door.closed(kBoot), nullptr);
    EXPECT_EQ(door.closed(kBoot)->until, kBoot + pause);
    EXPECT_EQ(door.closed(kBoot)->failure.next_request, kBoot + pause);
    EXPECT_FALSE(door.closed(kBoot)->may_pass);
  }
  EXPECT_EQ(door.closed(kBoot + 20s), nullptr);
}

TEST_F(ApiDoorTest, OfManyCallersWithTheSameTokenTheFirstCounts) {
  EXPECT_TRUE(refuse(2));
  EXPECT_FALSE(refuse(2));
  EXPECT_FALSE(refuse(1));
  EXPECT_EQ(door.closed(kBoot)->until, kBoot + 5s);
}

TEST_F(ApiDoorTest, AnIssuersClockMayBeSetRightAtAnyTime) {
  refuse(1, Verdict::issuer_clock_behind);
  EXPECT_EQ(door.closed(kBoot)->until, kBoot + 3s) << "5 s after its request was sent";
  EXPECT_TRUE(door.closed(kBoot)->may_pass);
  refuse(2, Verdict::issuer_clock_behind, true, 6s);
  EXPECT_EQ(door.closed(kBoot), nullptr);
  refuse(3, Verdict::issuer_clock_behind, false);
  EXPECT_FALSE(door.closed(kBoot)->may_pass) << "this API has never accepted a token";
  refuse(4);
  EXPECT_EQ(door.closed(kBoot)->until, kBoot + 5s) << "the first that is no clock's fault";
}

TEST_F(ApiDoorTest, OpensOnceTheApiAcceptsThatTokenOrALaterOne) {
  refuse(4);
  door.accept(3);
  EXPECT_NE(door.closed(kBoot), nullptr);
  door.accept(4);
  EXPECT_EQ(door.closed(kBoot), nullptr);
  EXPECT_TRUE(refuse(4)) << "and closes again";
  EXPECT_EQ(door.closed(kBoot)->until, kBoot + 5s) << "for as long as the first time";
}

}  // namespace
}  // namespace skewguard::oauth
