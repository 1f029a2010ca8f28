#include "diagnosis/call_error.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "diagnosis/exit_code.hpp"

namespace skewguard::diagnosis {
namespace {

CallReport ended(std::optional<ErrorKind> failure,
                 const std::vector<std::pair<Verdict, std::string>>& attempts) {
  CallReport report;
  conclude(report, failure);
  for (const auto& [verdict, explanation] : attempts) {
    ReportedAttempt attempt;
    attempt.verdict = verdict;
    attempt.explanation = explanation;
    report.attempts.push_back(attempt);
  }
  return report;
}

TEST(FailureOf, ABackEndThatStaysAwayTellsTheHostsApart) {
  EXPECT_EQ(failure_of(Verdict::auth_backend_unavailable, HostRole::api), ErrorKind::protocol);
  EXPECT_EQ(failure_of(Verdict::auth_backend_unavailable, HostRole::login), ErrorKind::unavailable);
  EXPECT_EQ(failure_of(Verdict::network, HostRole::api), ErrorKind::unavailable);
}

TEST(FailureOf, AnErrorWithAReportIsWhatItsCallFailedWith) {
  Error error{ErrorKind::unavailable, "try later", ""};
  EXPECT_EQ(failure_of(error), ErrorKind::unavailable);
  error.report = std::make_shared<CallReport>();
  EXPECT_EQ(failure_of(error), ErrorKind::unavailable) << "the call itself came through";
  error.report = std::make_shared<CallReport>(ended(ErrorKind::protocol, {}));
  EXPECT_EQ(failure_of(error), ErrorKind::protocol);
}

TEST(ErrorOf, IsNothingForACallThatCameThrough) {
  EXPECT_FALSE(error_of(ended(std::nullopt, {{Verdict::token_revoked, "revoked"}})));
}

TEST(ErrorOf, IsWordedByTheAttemptThatItsExitCodeRestsOn) {
  const auto error =
      error_of(ended(ErrorKind::credentials, {{Verdict::unknown, "not sure"},
                                              {Verdict::token_rejected, "refused"},
                                              {Verdict::issuer_clock_ahead, "a clock"}}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::credentials);
  EXPECT_EQ(error->message, "refused");
}

TEST(ErrorOf, AnApiErrorThatIsNotAboutTheTokenIsAProtocolError) {
  const auto error = error_of(ended(ErrorKind::protocol, {{Verdict::ok, "404"}}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::protocol);
  EXPECT_EQ(error->message, "404");
}

TEST(ErrorOf, AnApiErrorIsNotWordedByAnEarlierAttempt) {
  const auto worded = [](const std::string& last) {
    return error_of(ended(ErrorKind::protocol,
                          {{Verdict::auth_backend_unavailable, "504"}, {Verdict::ok, last}}));
  };
  EXPECT_EQ(worded("404")->kind, ErrorKind::protocol) << "trying again later does not help";
  EXPECT_EQ(worded("404")->message, "404");
  EXPECT_EQ(worded("")->message, "the API gave no answer");
}

TEST(ErrorOf, ABackEndThatIsAwayMayBeBackLater) {
  const auto error =
      error_of(ended(ErrorKind::protocol, {{Verdict::auth_backend_unavailable, "504"}}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::unavailable);
  EXPECT_EQ(error->message, "504");
}

TEST(ErrorOf, AnAttemptThatFailedOtherwiseLendsItsWordsAlone) {
  const auto error = error_of(ended(ErrorKind::timeout, {{Verdict::token_revoked, "revoked"}}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::timeout);
  EXPECT_EQ(error->message, "revoked");
}

TEST(ErrorOf, WithoutAttemptsTellsTheStatus) {
  CallReport report = ended(ErrorKind::protocol, {});
  EXPECT_EQ(error_of(report)->message, "the API gave no answer");
  report.http_status = 418;
  EXPECT_EQ(error_of(report)->message, "the API answered with 418");
}

}  // namespace
}  // namespace skewguard::diagnosis
