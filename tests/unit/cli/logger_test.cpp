#include "cli/logger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diagnosis/exit_code.hpp"
#include "fake_process_io.hpp"

namespace skewguard::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;

struct Log : FakeProcessIo, testing::Test {
  void call(std::vector<std::string> more = {}) {
    answer(200, "");
    std::vector<std::string> words{"call", "GET", "/x"};
    words.insert(words.end(), more.begin(), more.end());
    EXPECT_EQ(run(words), 0) << err;
  }
};

TEST_F(Log, TextLinesCarryTheirLevel) {
  log = {{.level = LogLevel::warn, .message = "w"},
         {.level = LogLevel::critical, .message = "c", .verdict = Verdict::unknown},
         {.level = LogLevel::info, .message = "i"},
         {.level = LogLevel::trace, .message = "t"}};
  call();
  EXPECT_EQ(err, "skewguard: warning: w\nskewguard: critical: unknown: c\n");
  call({"-v"});
  EXPECT_THAT(err, HasSubstr("skewguard: info: i\n"));
  call({"-v", "-v", "-v"});
  EXPECT_THAT(err, HasSubstr("skewguard: trace: t\n"));
}

TEST_F(Log, QuietMeansThatASuccessfulCallLogsNothing) {
  log = {{.level = LogLevel::warn, .message = "w"},
         {.level = LogLevel::critical, .message = "c", .verdict = Verdict::unknown},
         {.message = "waiting", .wait = std::chrono::seconds{9}}};
  CallReport cured;
  cured.verdict = Verdict::token_expired;
  cured.mitigated = true;
  answer(200, "", cured);
  EXPECT_EQ(run({"call", "GET", "/x", "-q"}), 0);
  EXPECT_EQ(err, "");
  call({"-q", "--log-format", "json"});
  EXPECT_EQ(err, "");
}

TEST_F(Log, ALongWaitIsAnnouncedAsItBegins) {
  using std::chrono::milliseconds;
  log = {{.message = "waiting 2.0 s", .wait = milliseconds{2000}},
         {.message = "waiting 2.1 s", .wait = milliseconds{2100}}};
  call();
  EXPECT_EQ(err, "skewguard: info: waiting 2.1 s\n");
  call({"-v"});
  EXPECT_THAT(err, HasSubstr("waiting 2.0 s"));
  environment["SKEWGUARD_LOG"] = "error";
  call();
  EXPECT_EQ(err, "");
}

TEST_F(Log, TheEnvironmentSetsTheLevel) {
  log = {{.level = LogLevel::debug, .message = "d"}};
  environment["SKEWGUARD_LOG"] = "debug";
  call();
  EXPECT_EQ(err, "skewguard: debug: d\n");
}

TEST_F(Log, JsonLinesAreOneObjectEach) {
  log = {{.level = LogLevel::warn,
          .message = "m\n2",
          .verdict = Verdict::token_revoked,
          .server = "https://api.example.com",
          .correlation_id = "c-1"},
         {.level = LogLevel::critical, .message = "bad \xff bytes"}};
  call({"--log-format", "json"});
  std::istringstream lines(err);
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(json::parse(line), json::parse(R"({
    "time": "2026-01-01T00:00:00.250Z", "level": "warn", "message": "m\n2",
    "verdict": "token_revoked", "server": "https://api.example.com", "correlation_id": "c-1"})"));
  ASSERT_TRUE(std::getline(lines, line));
  const json second = json::parse(line);
  EXPECT_EQ(second["level"], "critical");
  EXPECT_FALSE(second.contains("verdict"));
}

TEST_F(Log, AFailureIsAnErrorLineInJson) {
  CallReport report;
  diagnosis::conclude(report, ErrorKind::credentials);
  report.url = "https://api.example.com/base/x";
  report.verdict = Verdict::token_rejected;
  report.attempts.push_back({.correlation_id = "c-9",
                             .verdict = Verdict::token_rejected,
                             .explanation = "refused twice"});
  answer(401, "", report);
  EXPECT_EQ(run({"call", "GET", "/x", "--log-format", "json"}), 3);
  EXPECT_EQ(json::parse(err)["server"], "https://api.example.com");
  const json line = json::parse(err);
  EXPECT_EQ(line["level"], "error");
  EXPECT_EQ(line["verdict"], "token_rejected");
  EXPECT_EQ(line["correlation_id"], "c-9");
  EXPECT_THAT(line["message"], HasSubstr("refused twice"));

  EXPECT_EQ(run({"cal", "--log-format=json"}), 2);
  EXPECT_EQ(json::parse(err)["level"], "error") << "also before anything is parsed";
}

TEST_F(Log, AServersWordsCannotForgeALine) {
  log = {{.level = LogLevel::critical, .message = "a\nskewguard: error: forged\x1b[2J\r"}};
  call();
  EXPECT_EQ(err, "skewguard: critical: a skewguard: error: forged [2J \n");
}

}  // namespace
}  // namespace skewguard::cli
