#include "host/programs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>  // NOLINT: kill is not in <csignal>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace skewguard::host {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

/// Programs that write into a directory of the test's own.
class ProgramsTest : public testing::Test {
 public:
  ProgramsTest() { EXPECT_NE(::mkdtemp(directory.data()), nullptr); }
  ~ProgramsTest() override { std::filesystem::remove_all(directory); }
  ProgramsTest(const ProgramsTest&) = delete;
  ProgramsTest& operator=(const ProgramsTest&) = delete;

 protected:
  [[nodiscard]] std::string file(const std::string& name) const { return directory + "/" + name; }
  [[nodiscard]] std::string content(const std::string& name) const {
    const std::ifstream in(file(name));
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
  /// Starts one and sees it end.
  void run(const std::string& command, std::string_view input = "",
           const std::vector<std::string_view>& withheld = {}) {
    ASSERT_TRUE(programs.start(command, input, withheld));
    ASSERT_EQ(programs.wait(seconds{4}), 0U);
  }

  std::string directory = testing::TempDir() + "programs-XXXXXX";
  Programs programs;
};

TEST_F(ProgramsTest, FindTheirInputWholeHoweverLarge) {
  const std::string input(std::size_t{300} * 1024, 'x');  // more than a pipe holds
  run("cat > " + file("out"), input);
  EXPECT_EQ(content("out"), input);
}

TEST_F(ProgramsTest, SeeTheEnvironmentLessWhatIsWithheld) {
  ::setenv("SKEWGUARD_TEST_SECRET", "hunter2", 1);  // NOLINT(concurrency-mt-unsafe)
  ::setenv("SKEWGUARD_TEST_OTHER", "kept", 1);      // NOLINT(concurrency-mt-unsafe)
  run("env > " + file("out"), "", {"SKEWGUARD_TEST_SECRET"});
  EXPECT_THAT(content("out"), HasSubstr("SKEWGUARD_TEST_OTHER=kept"));
  EXPECT_THAT(content("out"), Not(HasSubstr("SKEWGUARD_TEST_SECRET")));
  EXPECT_THAT(content("out"), Not(HasSubstr("hunter2")));
}

TEST_F(ProgramsTest, HoldNoneOfOurDescriptorsNorOurOutput) {
  // Besides the three there is the one by which ls reads the directory.
  run("ls /proc/self/fd > " + file("fds") + "; own=$(readlink /proc/$$/fd/1 /proc/$$/fd/2); " +
      "echo \"$own\" > " + file("out"));
  EXPECT_EQ(content("fds"), "0\n1\n2\n3\n");
  EXPECT_EQ(content("out"), "/dev/null\n/dev/null\n");
}

TEST_F(ProgramsTest, ThatFailOrAreMissingAreReapedAndForgotten) {
  run("exit 3");
  run("/nowhere/there-is-no-such-program");
}

TEST_F(ProgramsTest, ThatNeverEndAreNotWaitedForAndBounded) {
  const std::string never = "echo $$ >> " + file("pids") + "; exec sleep 1000";
  for (std::size_t i = 0; i < Programs::kMostRunning; ++i)
    ASSERT_TRUE(programs.start(never, "", {}));
  const auto refused = programs.start(never, "", {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("8 still run"));
  EXPECT_EQ(programs.wait(Duration{0}), Programs::kMostRunning);
  // Until all have written who they are; then they are ended, as no test leaves programs behind.
  std::string pids;
  while (std::count(pids.begin(), pids.end(), '\n') < 8) pids = content("pids");
  std::istringstream lines(pids);
  for (pid_t pid = 0; lines >> pid;) EXPECT_EQ(::kill(pid, SIGKILL), 0);
  EXPECT_EQ(programs.wait(seconds{4}), 0U);
  EXPECT_TRUE(programs.start("exit 0", "", {})) << "there is room again";
}

}  // namespace
}  // namespace skewguard::host
