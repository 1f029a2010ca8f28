#include "runtime/alerts.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "system/programs.hpp"

namespace skewguard::runtime {
namespace {

/// Of a call that was rejected once, for this reason.
CallReport rejected(Verdict verdict, bool mitigated = true) {
  CallReport report;
  report.verdict = verdict;
  report.mitigated = mitigated;
  report.attempts.emplace_back().verdict = verdict;
  return report;
}

TEST(Alerts, TellOfFailuresAndOfWrongClocks) {
  EXPECT_FALSE(alarming(CallReport{}));
  EXPECT_TRUE(alarming(rejected(Verdict::missing_permission, false))) << "it failed";
  EXPECT_FALSE(alarming(rejected(Verdict::token_revoked))) << "it succeeded all the same";
  for (const Verdict clock :
       {Verdict::token_expired, Verdict::issuer_clock_ahead, Verdict::issuer_clock_behind,
        Verdict::local_clock_ahead, Verdict::local_clock_behind, Verdict::tls_clock}) {
    EXPECT_TRUE(alarming(rejected(clock))) << to_string(clock);
  }
}

TEST(Alerts, TellOfAWrongClockBehindAnotherRejection) {
  CallReport report = rejected(Verdict::token_revoked);
  report.attempts.emplace_back();  // the good one
  EXPECT_FALSE(alarming(report));
  report.attempts.emplace_back().verdict = Verdict::issuer_clock_ahead;
  EXPECT_TRUE(alarming(report));
}

TEST(Alerts, RunTheCommandWithTheReportForWhatIsAlarmingAlone) {
  std::string directory = ::testing::TempDir() + "alerts-XXXXXX";
  ASSERT_NE(::mkdtemp(directory.data()), nullptr);
  const std::string pipe = directory + "/pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const CallReport alarm = rejected(Verdict::issuer_clock_ahead);
  {
    const auto alert = alerts_to("cat > " + pipe);
    // If these started programs, they would wait for a reader and leave no room for the alarm.
    for (std::size_t i = 0; i < system::Programs::kMaxRunning; ++i)
      alert(rejected(Verdict::token_revoked));
    alert(alarm);
    const std::ifstream in(pipe);  // opens together with the program
    std::stringstream text;
    text << in.rdbuf();
    EXPECT_EQ(text.str(), to_json(alarm) + "\n");
  }
  std::filesystem::remove_all(directory);
}

}  // namespace
}  // namespace skewguard::runtime
