#include "diagnosis/exit_code.hpp"

#include <gtest/gtest.h>

namespace skewguard::diagnosis {
namespace {

// docs/contract.md section 3 and 4.
TEST(ExitCode, IsThatOfTheVerdictTable) {
  EXPECT_EQ(exit_code(Verdict::ok), 0);
  for (const Verdict v : {Verdict::protocol, Verdict::no_user_context, Verdict::gateway_refused})
    EXPECT_EQ(exit_code(v), 1) << to_string(v);
  for (const Verdict v :
       {Verdict::token_rejected, Verdict::credentials_rejected, Verdict::unknown_client,
        Verdict::token_contended, Verdict::unknown, Verdict::token_expired})
    EXPECT_EQ(exit_code(v), 3) << to_string(v);
  for (const Verdict v :
       {Verdict::issuer_clock_ahead, Verdict::issuer_clock_behind, Verdict::tls_clock})
    EXPECT_EQ(exit_code(v), 4) << to_string(v);
  EXPECT_EQ(exit_code(Verdict::missing_permission), 5);
  for (const Verdict v : {Verdict::network, Verdict::timeout, Verdict::tls_untrusted})
    EXPECT_EQ(exit_code(v), 6) << to_string(v);
  for (const Verdict v : {Verdict::login_rate_limited, Verdict::api_rate_limited})
    EXPECT_EQ(exit_code(v), 7) << to_string(v);
}

TEST(ExitCode, OfABackEndThatStaysAwayTellsTheHostsApart) {
  EXPECT_EQ(exit_code(Verdict::auth_backend_unavailable, HostRole::api), 1);
  EXPECT_EQ(exit_code(Verdict::auth_backend_unavailable, HostRole::login), 6);
}

CallReport ended(int code, std::vector<std::pair<Verdict, std::string>> attempts) {
  CallReport report;
  report.exit_code = code;
  for (auto& [verdict, explanation] : attempts) {
    ReportedAttempt attempt;
    attempt.verdict = verdict;
    attempt.explanation = explanation;
    report.attempts.push_back(attempt);
  }
  return report;
}

TEST(ErrorOf, IsNothingForACallThatCameThrough) {
  EXPECT_FALSE(error_of(ended(0, {{Verdict::token_revoked, "revoked"}})));
}

TEST(ErrorOf, IsWordedByTheAttemptThatItsExitCodeRestsOn) {
  const auto error = error_of(ended(3, {{Verdict::unknown, "not sure"},
                                        {Verdict::token_rejected, "refused"},
                                        {Verdict::issuer_clock_ahead, "a clock"}}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::credentials);
  EXPECT_EQ(error->message, "refused");
}

TEST(ErrorOf, AnApiErrorThatIsNotAboutTheTokenIsAProtocolError) {
  const auto error = error_of(ended(1, {{Verdict::ok, "404"}}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, ErrorKind::protocol);
  EXPECT_EQ(error->message, "404");
}

TEST(ErrorOf, KindsFollowTheExitCode) {
  EXPECT_EQ(error_kind(4, Verdict::issuer_clock_ahead), ErrorKind::clock);
  EXPECT_EQ(error_kind(5, Verdict::missing_permission), ErrorKind::forbidden);
  EXPECT_EQ(error_kind(6, Verdict::timeout), ErrorKind::timeout);
  EXPECT_EQ(error_kind(6, Verdict::network), ErrorKind::unavailable);
  EXPECT_EQ(error_kind(7, Verdict::api_rate_limited), ErrorKind::throttled);
}

}  // namespace
}  // namespace skewguard::diagnosis
