#include "diagnosis/exit_code.hpp"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace skewguard::diagnosis {
namespace {

// docs/contract.md section 3.
TEST(ExitCode, IsThatOfTheContract) {
  EXPECT_EQ(exit_code(std::nullopt), 0);
  const std::vector<std::pair<ErrorKind, int>> codes{
      {ErrorKind::protocol, 1}, {ErrorKind::config, 2},    {ErrorKind::credentials, 3},
      {ErrorKind::clock, 4},    {ErrorKind::forbidden, 5}, {ErrorKind::unavailable, 6},
      {ErrorKind::timeout, 6},  {ErrorKind::cancelled, 6}, {ErrorKind::throttled, 7}};
  for (const auto& [kind, code] : codes) EXPECT_EQ(exit_code(kind), code) << to_string(kind);
}

TEST(Conclude, ARejectionIsMitigatedIfTheCallCameThrough) {
  CallReport report;
  conclude(report, std::nullopt);
  EXPECT_FALSE(report.mitigated) << "nothing was rejected";
  report.verdict = Verdict::token_expired;
  conclude(report, std::nullopt);
  EXPECT_TRUE(report.mitigated);
  EXPECT_EQ(report.exit_code, 0);
  conclude(report, ErrorKind::forbidden);
  EXPECT_FALSE(report.mitigated);
  EXPECT_EQ(report.failure, ErrorKind::forbidden);
  EXPECT_EQ(report.exit_code, 5);
}

}  // namespace
}  // namespace skewguard::diagnosis
