#include "guard/call_lines.hpp"

#include <gtest/gtest.h>

namespace skewguard::guard {
namespace {

using namespace std::chrono_literals;

const std::string kApiOrigin = "https://api.example.com";

ReportedAttempt rejected_attempt() {
  ReportedAttempt attempt;
  attempt.verdict = Verdict::token_revoked;
  attempt.explanation = "it was revoked";
  attempt.correlation_id = "c-1";
  return attempt;
}

TEST(CallLines, ARejectionIsProvisionalWhileItHasSeveralCandidates) {
  const LogLine one = rejected_line(rejected_attempt(), {Verdict::token_revoked}, kApiOrigin);
  EXPECT_EQ(one.level, LogLevel::warn);
  EXPECT_EQ(one.message, "rejected: token_revoked: it was revoked");
  EXPECT_EQ(one.verdict, Verdict::token_revoked);
  EXPECT_EQ(one.server, kApiOrigin);
  EXPECT_EQ(one.correlation_id, "c-1");
  const LogLine two = rejected_line(rejected_attempt(),
                                    {Verdict::token_revoked, Verdict::token_rejected}, kApiOrigin);
  EXPECT_EQ(two.message, "rejected: token_revoked, token_rejected (provisional): it was revoked");
}

TEST(CallLines, ATokenThatSeemedValidIsNamedWithTheSecondsThatWereLeft) {
  ReportedAttempt attempt = rejected_attempt();
  EXPECT_EQ(valid_locally_line(attempt, kApiOrigin).message,
            "token valid locally but refused by https://api.example.com: its expiry is "
            "unknown (verdict provisional)");
  attempt.analysis.time_remaining = 299'870ms;
  const LogLine line = valid_locally_line(attempt, kApiOrigin);
  EXPECT_EQ(line.level, LogLevel::critical);
  EXPECT_EQ(line.message,
            "token valid locally but refused by https://api.example.com: 299.8 s left by the local "
            "wall clock (verdict provisional)");
}

TEST(CallLines, AWaitTellsHowLongAndWhatFor) {
  const ReportedAttempt last = rejected_attempt();
  Pause pause;
  const auto message = [&](Pause::Then then) {
    pause.sleep(Instant{15s}, then);
    return waiting_line(pause, &last, Instant{10s}, kApiOrigin).message;
  };
  EXPECT_EQ(message(Pause::Then::first_use),
            "waiting 5.0 s before the first use of a new token: the API's clock is behind the "
            "login host's");
  EXPECT_EQ(message(Pause::Then::renew), "waiting 5.0 s before requesting a new token");
  EXPECT_EQ(message(Pause::Then::look), "waiting 5.0 s before checking the API's clock again");
  EXPECT_EQ(message(Pause::Then::send_again), "waiting 5.0 s before sending the request again");
}

TEST(CallLines, AWaitCarriesTheVerdictOfTheAttemptBeforeIt) {
  ReportedAttempt last = rejected_attempt();
  Pause pause;
  pause.sleep(Instant{15s}, Pause::Then::send_again);
  const LogLine line = waiting_line(pause, &last, Instant{10s}, kApiOrigin);
  EXPECT_EQ(line.wait, 5s);
  EXPECT_EQ(line.verdict, Verdict::token_revoked);
  last.verdict = Verdict::ok;
  EXPECT_FALSE(waiting_line(pause, &last, Instant{10s}, kApiOrigin).verdict);
  EXPECT_FALSE(waiting_line(pause, nullptr, Instant{10s}, kApiOrigin).verdict);
  pause.sleep(Instant{15s}, Pause::Then::first_use);
  last.verdict = Verdict::token_revoked;
  EXPECT_FALSE(waiting_line(pause, &last, Instant{10s}, kApiOrigin).verdict)
      << "that attempt is not why";
}

}  // namespace
}  // namespace skewguard::guard
