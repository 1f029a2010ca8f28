// Calls that begin with an answer in hand, and what a proxy's policy leaves out.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "bench.hpp"
#include "guard/call_machine.hpp"

namespace skewguard::guard::testing {
namespace {

using Kind = TransportFailure::Kind;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

class ResumedCall : public ::testing::Test {
 protected:
  ResumedCall() { w.resumes = true; }
  /// The verdict of the first attempt.
  [[nodiscard]] Verdict first_verdict() const {
    return w.end->report.attempts.at(0).verdict.value_or(Verdict::ok);
  }
  void with_accepted_token() {
    w.has_token = true;
    w.token_age = seconds{60};
  }

  Bench w;
};

TEST_F(ResumedCall, EndsWithAnAnswerThatAcceptsTheToken) {
  with_accepted_token();
  const CallReport& report = w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1"));
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(report.verdict, Verdict::ok);
  EXPECT_THAT(facts_of<oauth::event::Accepted>(w), SizeIs(1));
}

TEST_F(ResumedCall, ReplacesTheTokenThatWasRefused) {
  with_accepted_token();
  w.revoked = {1};
  const CallReport& report = w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1", "need 1", "send 2"));
  EXPECT_EQ(report.verdict, Verdict::token_revoked);
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(report.token_requests, 1);
  EXPECT_THAT(report.attempts, SizeIs(2));
  EXPECT_EQ(report.elapsed, 3 * w.rtt) << "from the first send on, which was the caller's";
  EXPECT_THAT(w.rejections, SizeIs(1));
}

TEST_F(ResumedCall, JudgesTheTokenThatWasSentAndNotTheOneThatReplacedIt) {
  with_accepted_token();
  w.revoked = {1};
  w.delivered = {2};
  const CallReport& report = w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1", "need 1", "send 2"));
  EXPECT_EQ(report.token_requests, 0) << "somebody else has requested it";
  EXPECT_EQ(report.attempts.at(0).token->age, w.token_age + w.rtt);
  EXPECT_EQ(report.verdict, Verdict::token_revoked);
}

TEST_F(ResumedCall, WaitsForATokenThatHasNotBegun) {
  w.login_offset = seconds{5};
  w.jwt = true;
  const CallReport& report = w.run();
  EXPECT_EQ(report.verdict, Verdict::issuer_clock_ahead);
  EXPECT_EQ(report.exit_code, 0);
  EXPECT_EQ(w.requests, 1) << "the same token was sent again";
  EXPECT_THAT(w.sent, SizeIs(2));
}

TEST_F(ResumedCall, CountsTheFirstSendAsAnAttempt) {
  with_accepted_token();
  w.revoked = {1};
  w.options.attempts = 1;
  const CallReport& report = w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1"));
  EXPECT_EQ(w.end->answer->status, 401);
  EXPECT_NE(report.exit_code, 0);
}

TEST_F(ResumedCall, EndsWithARefusalThatCameAfterItsDeadline) {
  with_accepted_token();
  w.revoked = {1};
  w.run(Duration{0});
  EXPECT_THAT(w.log, ElementsAre("send 1"));
  EXPECT_EQ(w.end->answer->status, 401);
}

TEST_F(ResumedCall, SendsThePresentTokenIfNobodyKnowsTheOneThatWasRefused) {
  with_accepted_token();
  w.revoked = {1};
  w.token_unknown = true;
  w.delivered = {2};
  const CallReport& report = w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1", "need 0", "send 2"));
  EXPECT_EQ(report.verdict, Verdict::unknown);
  EXPECT_EQ(report.exit_code, 0);
}

TEST_F(ResumedCall, NeverSendsAgainWhatMayHaveTakenEffectWithAnUnknownToken) {
  for (const int status : {200, 403, 500}) {
    Bench one;
    one.resumes = one.token_unknown = true;
    one.replies = {{status}};
    const CallReport& report = one.run();
    EXPECT_THAT(one.log, ElementsAre("send 1"));
    EXPECT_EQ(one.end->answer->status, status);
    EXPECT_EQ(report.exit_code, status == 200 ? 0 : 1);
  }
}

TEST_F(ResumedCall, SendsNoTokenBecauseAnotherHostRefusedOne) {
  with_accepted_token();
  w.replies = {{401}};
  w.answers_as = "https://elsewhere.example";
  w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1"));
  EXPECT_EQ(w.end->answer->status, 401);
  EXPECT_THAT(w.facts, IsEmpty());
}

// Policy ------------------------------------------------------------------------------------------

TEST_F(ResumedCall, PassesARateLimitOnIfThePolicySaysSo) {
  with_accepted_token();
  w.options.policy.wait_for_rate_limits = false;
  w.replies = {{429}};
  const CallReport& report = w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1"));
  EXPECT_EQ(w.end->answer->status, 429);
  EXPECT_EQ(report.verdict, Verdict::api_rate_limited);
  EXPECT_EQ(report.exit_code, 7);
}

TEST_F(ResumedCall, WaitsForARateLimitOtherwise) {
  with_accepted_token();
  w.replies = {{429}};
  EXPECT_EQ(w.run().exit_code, 0);
  EXPECT_THAT(w.sent, SizeIs(2));
}

TEST_F(ResumedCall, PassesErrorsOnIfThePolicySaysSo) {
  with_accepted_token();
  w.options.policy.retry_errors = false;
  w.replies = {{503}};
  w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1"));
  EXPECT_EQ(w.end->answer->status, 503);
}

TEST_F(ResumedCall, PassesABrokenConnectionOnIfThePolicySaysSo) {
  with_accepted_token();
  w.revoked = {1};
  w.options.policy.retry_errors = false;
  w.replies = {{401}, {.failure = TransportFailure::Kind::reset}};
  w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1", "need 1", "send 2"));
  ASSERT_TRUE(w.end->error);
  EXPECT_EQ(w.end->error->kind, ErrorKind::unavailable);
}

TEST_F(ResumedCall, RetriesAnUnavailableAuthBackendWhateverThePolicySaysOfErrors) {
  with_accepted_token();
  w.options.policy.retry_errors = false;
  w.replies = {{504, "authentication.request.timeout"}};
  EXPECT_EQ(w.run().exit_code, 0);
  EXPECT_THAT(w.sent, SizeIs(2));
}

TEST_F(ResumedCall, LimitsItsSendsByTheDeadlineUnlessThePolicySaysOtherwise) {
  for (const bool limit : {true, false}) {
    Bench one;
    one.resumes = one.has_token = true;
    one.revoked = {1};
    one.options.policy.limit_sends = limit;
    one.run();
    EXPECT_EQ(one.send_deadlines.back(), limit ? one.options.deadline : Instant::max());
  }
}

// Requests that cannot be sent again --------------------------------------------------------------

class UnreplayableCall : public ResumedCall {
 protected:
  UnreplayableCall() { w.options.policy.replayable = false; }
};

TEST_F(UnreplayableCall, HasARevokedTokenReplacedForOthers) {
  with_accepted_token();
  w.revoked = {1};
  w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1"));
  EXPECT_EQ(w.end->answer->status, 401);
  ASSERT_TRUE(w.end->replace);
  EXPECT_EQ(w.end->replace->after, 1U);
  EXPECT_TRUE(w.end->replace->refused) << "so that evidence rule 8 limits it";
  const ReportedAttempt& attempt = w.end->report.attempts.at(0);
  EXPECT_THAT(attempt.explanation, HasSubstr("could not be sent again"));
  EXPECT_EQ(attempt.action, Action::give_up);
  EXPECT_EQ(w.end->report.verdict, Verdict::unknown) << "nobody knows whether a new one works";
  EXPECT_THAT(facts_of<oauth::event::RefusedForGood>(w), IsEmpty());
}

/// A request that cannot be sent again, where another one shows whether a new token works.
class CheckedCall : public UnreplayableCall {
 protected:
  CheckedCall() {
    with_accepted_token();
    w.options.check.method = "HEAD";
    w.options.check.url = "https://api.example/api/v2/tokens/me";
  }
};

TEST_F(CheckedCall, NamesARevokedTokenOnceANewOneWorks) {
  w.revoked = {1};
  w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1", "need 1", "check 2"));
  EXPECT_EQ(w.checks.at(0).method, "HEAD");
  EXPECT_EQ(w.checks.at(0).url, "https://api.example/api/v2/tokens/me");
  EXPECT_EQ(w.end->report.verdict, Verdict::token_revoked);
  EXPECT_EQ(w.end->answer->status, 401);
  EXPECT_EQ(w.end->report.http_status, 401);
  EXPECT_THAT(w.end->report.attempts, SizeIs(1));
  EXPECT_FALSE(w.end->replace) << "it has been replaced";
  EXPECT_EQ(facts_of<oauth::event::Accepted>(w).at(0).generation, 2U);
}

TEST_F(CheckedCall, NamesARejectionIfTheNewTokenIsRefusedToo) {
  w.refuses_all = true;
  w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1", "need 1", "check 2"));
  EXPECT_EQ(w.end->report.verdict, Verdict::token_rejected);
  EXPECT_THAT(w.end->report.attempts, SizeIs(2));
  EXPECT_EQ(w.end->answer->status, 401);
}

TEST_F(CheckedCall, KnowsNoMoreIfTheCheckTellsNothing) {
  w.revoked = {1};
  for (const Reply& reply : {Reply{503}, Reply{405}, Reply{.failure = Kind::reset}}) {
    Bench one;
    one.resumes = one.has_token = true;
    one.revoked = {1};
    one.options = w.options;
    one.check_reply = reply;
    one.run();
    EXPECT_EQ(one.end->report.verdict, Verdict::unknown);
    EXPECT_EQ(one.end->answer->status, 401);
  }
}

TEST_F(CheckedCall, EndsWithItsAnswerIfThereIsNoNewToken) {
  w.revoked = {1};
  w.login_denies = Verdict::network;
  w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1", "need 1"));
  EXPECT_EQ(w.end->answer->status, 401);
  EXPECT_FALSE(w.end->error);
}

TEST_F(CheckedCall, WaitsForTheNewTokenToBecomeValid) {
  w.revoked = {1};
  w.first_use_in = seconds{3};
  w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1", "need 1", "sleep 3.0 s", "check 2"));
  EXPECT_EQ(w.end->report.verdict, Verdict::token_revoked);
}

TEST_F(CheckedCall, DoesNotOutlastItsDeadline) {
  w.revoked = {1};
  w.first_use_in = seconds{40};
  w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1", "need 1"));
  EXPECT_EQ(w.end->answer->status, 401);
}

TEST_F(UnreplayableCall, HasAnExpiredTokenReplacedForOthers) {
  with_accepted_token();
  w.token_age = w.life + seconds{1};
  w.run();
  EXPECT_EQ(first_verdict(), Verdict::token_expired);
  EXPECT_TRUE(w.end->replace);
}

TEST_F(UnreplayableCall, HasATokenReplacedThatWasRefusedWithoutADate) {
  with_accepted_token();
  w.revoked = {1};
  w.dates = Bench::Dates::none;
  w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1"));
  EXPECT_TRUE(w.end->replace);
}

TEST_F(UnreplayableCall, LooksAgainBeforeItBlamesAClock) {
  w.login_offset = seconds{5};
  w.jwt = true;
  w.run();
  EXPECT_THAT(w.sent, SizeIs(1));
  EXPECT_THAT(w.looks, SizeIs(1));
  EXPECT_EQ(first_verdict(), Verdict::issuer_clock_ahead);
  EXPECT_EQ(w.end->answer->status, 401);
  EXPECT_FALSE(w.end->replace) << "a new one would begin no sooner";
  EXPECT_THAT(facts_of<oauth::event::ApiLags>(w), Not(IsEmpty())) << "later calls wait";
}

TEST_F(UnreplayableCall, LeavesANewTokenThatMayOnlyBeTooEarly) {
  w.spreads_after = seconds{2};
  w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1"));
  EXPECT_FALSE(w.end->replace);
}

TEST_F(UnreplayableCall, IsNotSentAgainForAnyOtherCause) {
  const std::vector<Reply> replies{{429}, {503}, {504, "authentication.request.timeout"}};
  for (const Reply& reply : replies) {
    Bench one;
    one.resumes = one.has_token = true;
    one.options.policy.replayable = false;
    one.replies = {reply};
    one.run();
    EXPECT_THAT(one.log, ElementsAre("send 1")) << reply.status;
    EXPECT_EQ(one.end->answer->status, reply.status);
    EXPECT_FALSE(one.end->replace);
  }
}

TEST_F(UnreplayableCall, EndsWithA401OfAnUnknownToken) {
  w.revoked = {1};
  with_accepted_token();
  w.token_unknown = true;
  w.run();
  EXPECT_THAT(w.log, ElementsAre("send 1"));
  EXPECT_EQ(w.end->answer->status, 401);
}

}  // namespace
}  // namespace skewguard::guard::testing
