// What the answers of an API say about the token and the time, at the limits.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "bench.hpp"

namespace skewguard::guard::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

/// Up to the first answer: getting the token and sending the request.
constexpr Duration kUntilAnswer = 2 * milliseconds{40};

Headers header(const char* name, const char* value) {
  Headers headers;
  headers.add(name, value);
  return headers;
}

TEST(CallAnswers, OnlyAnswersDecidedAfterTheTokenWasCheckedShowThatItWasAccepted) {
  for (const int status : {200, 204, 299, 404, 409, 422}) {
    Bench w;
    w.request.method = "POST";
    w.replies = {{status, "", {}, {}}};
    w.run();
    EXPECT_THAT(facts_of<oauth::event::Accepted>(w), SizeIs(1)) << status;
  }
  for (const int status : {199, 300, 400, 405, 410, 500, 502}) {
    Bench w;
    w.request.method = "POST";
    w.replies = {{status, "", {}, {}}};
    w.run();
    EXPECT_THAT(facts_of<oauth::event::Accepted>(w), IsEmpty()) << status;
  }
}

TEST(CallAnswers, A403ToHeadDoesNotShowThatTheTokenWasAccepted) {
  for (const std::string method : {"GET", "HEAD"}) {
    Bench w;
    w.request.method = method;
    w.replies = {{403, "missing.permissions", {}, {}}};
    w.run();
    EXPECT_THAT(facts_of<oauth::event::Accepted>(w), SizeIs(method == "GET" ? 1 : 0)) << method;
  }
}

TEST(CallAnswers, AnInformationalStatusIsAProtocolError) {
  Bench w;
  w.replies = {{199, "", {}, {}}};
  EXPECT_EQ(w.run().verdict, Verdict::protocol);
}

TEST(CallAnswers, ATokenEchoedAsCorrelationIdIsMasked) {
  Bench w;
  w.replies = {{404, "not.found", header("ININ-Correlation-Id", "id-secret-token-1"), {}}};
  const CallReport& r = w.run();
  ASSERT_THAT(r.attempts, SizeIs(1));
  EXPECT_THAT(r.attempts[0].correlation_id, HasSubstr("id-"));
  EXPECT_THAT(r.attempts[0].correlation_id, Not(HasSubstr("secret-token")));
}

TEST(CallAnswers, AWaitThatEndsAtTheDeadlineIsNotStarted) {
  const struct {
    int status;
    const char* code;
  } rows[] = {{429, "too.many.requests"}, {504, "authentication.request.timeout"}, {503, ""}};
  for (const auto& row : rows) {
    Bench late;
    late.replies = {{row.status, row.code, header("Retry-After", "10"), {}}};
    late.run(kUntilAnswer + seconds{10});
    EXPECT_THAT(late.log, ElementsAre("need 0", "send 1")) << row.status;

    Bench in_time;
    in_time.replies = {{row.status, row.code, header("Retry-After", "10"), {}}};
    in_time.run(kUntilAnswer + seconds{10} + milliseconds{1});
    EXPECT_THAT(in_time.log, ElementsAre("need 0", "send 1", "sleep 10.0 s", "need 0", "send 1"))
        << row.status;
  }
}

TEST(CallAnswers, ABrokenConnectionIsNotRetriedAfterTheDeadline) {
  Bench w;
  w.replies = {{0, "", {}, TransportFailure::Kind::reset, {}}};
  w.run(kUntilAnswer);
  EXPECT_THAT(w.sent, SizeIs(1));
}

// Timers ------------------------------------------------------------------------------------------

TEST(CallAnswers, ACallThatSleptPastItsDeadlineEndsWithTheAnswerThatItWaitedAfter) {
  const struct {
    int status;
    const char* code;
    ErrorKind kind;
  } rows[] = {{429, "too.many.requests", ErrorKind::throttled},
              {504, "authentication.request.timeout", ErrorKind::protocol}};
  for (const auto& row : rows) {
    Bench w;
    w.wakes_late = seconds{60};
    w.replies = {{row.status, row.code, header("Retry-After", "3"), {}}};
    const CallReport& r = w.run();
    EXPECT_THAT(w.sent, SizeIs(1)) << row.status;
    EXPECT_EQ(r.failure, row.kind);
    ASSERT_THAT(r.attempts, SizeIs(1));
    EXPECT_EQ(r.attempts[0].action, Action::give_up) << row.status;
    ASSERT_TRUE(w.end && w.end->answer);
    EXPECT_EQ(w.end->answer->status, row.status);
    EXPECT_FALSE(w.end->error);
  }
}

/// Both before anything was sent and after a token was refused.
TEST(CallAnswers, ACallThatSleptPastItsDeadlineBeforeItCouldSendATokenTimedOut) {
  for (const std::size_t refused : {0U, 1U}) {
    Bench w;
    w.wakes_late = seconds{60};
    (refused > 0 ? w.login_offset : w.first_use_in) = seconds{5};
    const CallReport& r = w.run();
    EXPECT_THAT(w.sent, SizeIs(refused));
    EXPECT_EQ(r.failure, ErrorKind::timeout);
    ASSERT_THAT(r.attempts, SizeIs(refused));
    if (refused > 0) {
      EXPECT_EQ(r.attempts[0].action, Action::give_up);
    }
    ASSERT_TRUE(w.end && w.end->error);
    EXPECT_EQ(w.end->error->kind, ErrorKind::timeout);
    EXPECT_THAT(w.end->error->message, HasSubstr("the deadline passed"));
    ASSERT_TRUE(w.end->error->report);
    EXPECT_EQ(w.end->error->report->attempts.size(), refused);
    EXPECT_FALSE(w.end->answer);
  }
}

TEST(CallAnswers, ATimerThatFiresEarlyIsSetAgain) {
  Bench w;
  w.wakes_early = true;
  w.replies = {{429, "too.many.requests", header("Retry-After", "3"), {}}};
  w.run();
  EXPECT_THAT(w.log,
              ElementsAre("need 0", "send 1", "sleep 3.0 s", "sleep 3.0 s", "need 0", "send 1"));
}

}  // namespace
}  // namespace skewguard::guard::testing
