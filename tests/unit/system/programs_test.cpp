#include "system/programs.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>  // NOLINT: kill is not in <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "../../hung.hpp"

namespace skewguard::system {
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
    ASSERT_EQ(programs.wait(kHung), 0U);
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
  for (std::size_t i = 0; i < Programs::kMaxRunning; ++i)
    ASSERT_TRUE(programs.start(never, "", {}));
  const auto refused = programs.start(never, "", {});
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("8 still run"));
  EXPECT_EQ(programs.wait(Duration{0}), Programs::kMaxRunning);
  // Until all have written who they are; then they are ended, as no test leaves programs behind.
  std::string pids;
  while (std::count(pids.begin(), pids.end(), '\n') < 8) pids = content("pids");
  std::istringstream lines(pids);
  for (pid_t pid = 0; lines >> pid;) EXPECT_EQ(::kill(pid, SIGKILL), 0);
  EXPECT_EQ(programs.wait(kHung), 0U);
  EXPECT_TRUE(programs.start("exit 0", "", {})) << "there is room again";
}

Result<std::string> output_of_script(const std::string& script,
                                     OutputLimits limits = {.time = kHung}) {
  return output_of({"/bin/sh", "-c", script}, limits);
}

/// Processes of ours, ended ones that nobody reaped among them.
bool has_children() {
  siginfo_t found{};
  return ::waitid(P_ALL, 0, &found, WEXITED | WNOHANG | WNOWAIT) == 0;
}

TEST(OutputOf, IsWhatItWroteWhateverItsExitCode) {
  const auto text = output_of_script("echo out; echo error >&2; exit 3");
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "out\n");
  EXPECT_FALSE(has_children());
}

TEST(OutputOf, SeesNoEnvironmentButPathAndLocale) {
  ::setenv("SKEWGUARD_TEST_OTHER", "kept", 1);  // NOLINT(concurrency-mt-unsafe)
  const auto text = output_of({"/usr/bin/env"}, {.time = kHung});
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "LC_ALL=C\nPATH=/usr/sbin:/usr/bin:/sbin:/bin\n");
}

TEST(OutputOf, ReadsNothingAndHoldsNoneOfOurDescriptors) {
  const auto text = output_of_script("cat; ls /proc/self/fd; readlink /proc/$$/fd/0");
  ASSERT_TRUE(text);
  EXPECT_EQ(*text, "0\n1\n2\n3\n/dev/null\n");
}

TEST_F(ProgramsTest, ThatDoNotAnswerAreEndedWithAllThatTheyStarted) {
  // On a busy machine it may be ended before it has started anything.
  for (auto time = std::chrono::milliseconds{100}; content("pid").empty(); time *= 2) {
    const auto text =
        output_of_script("sleep 1000 & echo $! > " + file("pid") + "; wait", {.time = time});
    ASSERT_FALSE(text);
    EXPECT_EQ(text.error().kind, ErrorKind::timeout);
    EXPECT_FALSE(has_children());
  }
  pid_t started = 0;
  std::istringstream(content("pid")) >> started;
  ASSERT_GT(started, 1);
  // Whoever it was handed to may not have reaped it yet.
  const auto ended = [&] {
    std::ifstream stat("/proc/" + std::to_string(started) + "/stat");
    std::string pid, name, state;
    return !(stat >> pid >> name >> state) || state == "Z";
  };
  while (!ended()) continue;
}

TEST(OutputOf, IsBounded) {
  const auto most = output_of_script("printf 12345678", {.time = kHung, .bytes = 8});
  ASSERT_TRUE(most);
  EXPECT_EQ(*most, "12345678");
  const auto more = output_of_script("printf 123456789; sleep 1000", {.time = kHung, .bytes = 8});
  ASSERT_FALSE(more);
  EXPECT_EQ(more.error().kind, ErrorKind::protocol);
  EXPECT_FALSE(has_children());
}

TEST(OutputOf, IsEmptyForAMissingProgram) {
  const auto text = output_of({"/nowhere/there-is-no-such-program"});
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().kind, ErrorKind::unavailable);
  EXPECT_FALSE(output_of({}));
}

}  // namespace
}  // namespace skewguard::system
