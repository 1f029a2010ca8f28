#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diagnosis/exit_code.hpp"
#include "fake_process_io.hpp"

namespace skewguard::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

struct Call : FakeProcessIo, testing::Test {
  /// A single line that starts like every error.
  void expect_one_line(const std::string& holds) const {
    EXPECT_THAT(err, AllOf(StartsWith("skewguard: "), HasSubstr(holds)));
    EXPECT_EQ(std::ranges::count(err, '\n'), 1) << err;
  }
  void expect_usage_error(const std::vector<std::string>& words, const std::string& holds) {
    EXPECT_EQ(run(words), 2);
    expect_one_line(holds);
    EXPECT_THAT(out, IsEmpty());
    EXPECT_THAT(clients, IsEmpty()) << "nothing may be sent";
  }
};

TEST_F(Call, PrintsTheBodyAndNothingElse) {
  answer(200, R"({"id":1})");
  EXPECT_EQ(run({"call", "get", "/api/v2/tokens/me?x=1"}), 0);
  EXPECT_EQ(out, R"({"id":1})");
  EXPECT_EQ(err, "");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].method, "GET");
  EXPECT_EQ(requests[0].path, "/api/v2/tokens/me?x=1");
  EXPECT_TRUE(requests[0].headers.empty());
  EXPECT_EQ(clients.at(0).client_secrets.at(0).reveal(), "hunter2-the-secret");
}

CallReport report_of(Verdict verdict, bool mitigated) {
  CallReport report;
  report.verdict = verdict;
  if (!mitigated && verdict != Verdict::ok) diagnosis::conclude(report, ErrorKind::credentials);
  report.mitigated = mitigated;
  ReportedAttempt attempt;
  attempt.verdict = verdict;
  attempt.explanation = "because";
  report.attempts.push_back(attempt);
  return report;
}

TEST_F(Call, TheAlertCommandIsRunForWhatAClockCausedOrNothingCured) {
  const std::vector<std::string> words{"call", "GET", "/x", "--alert-command", "notify ops"};
  answer(200, "ok", report_of(Verdict::issuer_clock_ahead, true));
  EXPECT_EQ(run(words), 0);
  answer(401, "no", report_of(Verdict::token_rejected, false));
  EXPECT_EQ(run(words), 3);
  ASSERT_EQ(programs.size(), 2U);
  for (const auto& [command, input] : programs) {
    EXPECT_EQ(command, "notify ops");
    EXPECT_THAT(input, HasSubstr(R"("schema": "skewguard.report/1")"));
    EXPECT_THAT(input, testing::EndsWith("}\n"));
  }
  EXPECT_THAT(programs[0].second, HasSubstr(R"("verdict": "issuer_clock_ahead")"));
  EXPECT_THAT(programs[1].second, HasSubstr(R"("verdict": "token_rejected")"));
}

TEST_F(Call, TheAlertCommandIsNotRunForACallThatSucceededOrWasCuredOfAnotherCause) {
  environment["SKEWGUARD_ALERT_COMMAND"] = "notify ops";
  answer(200, "ok");
  EXPECT_EQ(run({"call", "GET", "/x"}), 0);
  answer(404, "no");
  EXPECT_EQ(run({"call", "GET", "/x"}), 1);
  answer(200, "ok", report_of(Verdict::token_revoked, true));
  EXPECT_EQ(run({"call", "GET", "/x"}), 0);
  EXPECT_THAT(programs, IsEmpty());
}

TEST_F(Call, AnAlertCommandThatCannotBeStartedIsReportedAndChangesNothing) {
  environment["SKEWGUARD_ALERT_COMMAND"] = "notify ops";
  program_fails = true;
  answer(200, "ok", report_of(Verdict::issuer_clock_ahead, true));
  EXPECT_EQ(run({"call", "GET", "/x"}), 0);
  EXPECT_EQ(out, "ok");
  EXPECT_THAT(err, HasSubstr("the alert command: cannot be started"));
}

TEST_F(Call, TakesOptionsBeforeAndAfterItsArguments) {
  for (const auto& words :
       std::vector<std::vector<std::string>>{{"call", "--timeout", "5s", "-i", "GET", "/x"},
                                             {"call", "GET", "/x", "--timeout", "5s", "-i"},
                                             {"call", "GET", "--timeout=5s", "/x", "--include"},
                                             {"--timeout", "5s", "call", "-i", "GET", "/x"}}) {
    answer(200, "b");
    EXPECT_EQ(run(words), 0) << err;
    EXPECT_EQ(clients.back().timeout, std::chrono::seconds{5});
    EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\nb");
  }
}

TEST_F(Call, SendsDataAsJsonUnlessAHeaderSaysOtherwise) {
  answer(200, "");
  answer(200, "");
  EXPECT_EQ(run({"call", "POST", "/x", "-d", "[1,2]"}), 0) << err;
  EXPECT_EQ(requests[0].body, "[1,2]");
  EXPECT_EQ(requests[0].headers.find("Content-Type"), "application/json");
  EXPECT_EQ(
      run({"call", "-H", "content-type: text/csv", "-H", "X-A:  b c ", "POST", "/x", "-d", "a,b"}),
      0)
      << err;
  EXPECT_EQ(requests[1].headers.count("Content-Type"), 1U);
  EXPECT_EQ(requests[1].headers.find("Content-Type"), "text/csv");
  EXPECT_EQ(requests[1].headers.find("X-A"), "b c");
}

TEST_F(Call, ReadsDataByteForByteFromAFileOrStandardInput) {
  const std::string bytes("a\0\r\n\xff", 5);
  files = {{"/f", bytes}, {"-", "from stdin\n"}};
  for (int i = 0; i < 3; ++i) answer(200, "");
  EXPECT_EQ(run({"call", "POST", "/x", "-d", "@/f"}), 0) << err;
  EXPECT_EQ(requests[0].body, bytes);
  EXPECT_EQ(run({"call", "POST", "/x", "--data", "-"}), 0) << err;
  EXPECT_EQ(requests[1].body, "from stdin\n");
  EXPECT_EQ(run({"call", "POST", "/x", "-d", ""}), 0) << err;
  EXPECT_EQ(requests[2].body, "");
  EXPECT_EQ(requests[2].headers.find("Content-Type"), "application/json");
}

TEST_F(Call, EndsTheLastLineOnlyOnATerminal) {
  for (const auto& [body, shown] :
       {std::pair{"{}", "{}\n"}, std::pair{"x\n", "x\n"}, std::pair{"", ""}}) {
    terminal = true;
    answer(200, body);
    EXPECT_EQ(run({"call", "GET", "/x"}), 0);
    EXPECT_EQ(out, shown);
    terminal = false;
    answer(200, body);
    EXPECT_EQ(run({"call", "GET", "/x"}), 0);
    EXPECT_EQ(out, body);
  }
}

TEST_F(Call, StandardInputIsReadForOneThingOnly) {
  files["-"] = files["/dev/stdin"] = "s";
  environment.erase("GENESYS_CLOUD_CLIENT_SECRET");
  for (const char* data : {"-", "@-", "@/dev/stdin"}) {
    expect_usage_error({"call", "POST", "/x", "-d", data, "--client-secret-file", "-"},
                       std::string("the request body (-d ") + data +
                           ") and the client secret (--client-secret-file)");
    expect_usage_error({"call", "POST", "/x", "-d", data, "--access-token-file", "/dev/stdin"},
                       "and the access token (--access-token-file)");
  }
  answer(200, "");
  EXPECT_EQ(run({"call", "POST", "/x", "-d", "y", "--client-secret-file", "-"}), 0) << err;
}

TEST_F(Call, AFullUrlBelowTheApiIsItsPath) {
  answer(200, "");
  EXPECT_EQ(run({"call", "GET", "https://API.example.com:443/base/api/v2/x?y=z"}), 0) << err;
  EXPECT_EQ(requests.at(0).path, "/api/v2/x?y=z");
}

TEST_F(Call, ATokenIsSentNowhereElse) {
  for (const char* path :
       {"https://evil.example/base/x", "http://api.example.com/base/x",
        "https://api.example.com:8443/base/x", "https://api.example.com/other",
        "https://api.example.com/basement", "https://api.example.com.evil.example/base/x",
        "https://api.example.com@evil.example/base/x"}) {
    expect_usage_error({"call", "GET", path}, "PATH");
  }
}

TEST_F(Call, RefusesPathsThatCannotBeSent) {
  for (const char* path : {"api/v2/x", "", "/a b", "/a\nb", "/a#b", "/\xc3\xbc"}) {
    expect_usage_error({"call", "GET", path}, "PATH");
  }
}

TEST_F(Call, RefusesMethodsAndHeadersThatCannotBeSent) {
  for (const char* method : {"GE T", "", "CONNECT", "trace", "G\nET"}) {
    expect_usage_error({"call", method, "/x"}, "METHOD");
  }
  for (const char* header :
       {"no colon", ": x", "A B: x", "Authorization: Bearer tok", "host: x", "Content-Length: 1",
        "Transfer-Encoding: chunked", "Upgrade: websocket", "te: trailers", "Keep-Alive: 5",
        "X: a\r\nEvil: 1"}) {
    expect_usage_error({"call", "GET", "/x", "-H", header}, "-H");
    EXPECT_THAT(err, Not(HasSubstr("tok")));
    EXPECT_THAT(err, Not(HasSubstr("Evil")));
  }
}

TEST_F(Call, AFileThatCannotBeReadOrWrittenCostsNoCall) {
  expect_usage_error({"call", "POST", "/x", "-d", "@/gone"}, "cannot read /gone");
  expect_usage_error({"call", "GET", "/x", "--report", "/nowhere/r"}, "cannot write to /nowhere/r");
}

TEST_F(Call, AnotherErrorOfTheApiStillPrintsItsBody) {
  answer(404, R"({"code":"not.found"})");
  EXPECT_EQ(run({"call", "GET", "/x"}), 1);
  EXPECT_EQ(out, R"({"code":"not.found"})");
  expect_one_line("404");
}

TEST_F(Call, ExitsAsItsReportSays) {
  const std::vector<std::pair<ErrorKind, int>> failures{
      {ErrorKind::protocol, 1}, {ErrorKind::config, 2},    {ErrorKind::credentials, 3},
      {ErrorKind::clock, 4},    {ErrorKind::forbidden, 5}, {ErrorKind::unavailable, 6},
      {ErrorKind::throttled, 7}};
  for (const auto& [kind, code] : failures) {
    CallReport report;
    diagnosis::conclude(report, kind);
    report.verdict = Verdict::unknown;
    report.attempts.push_back({.verdict = Verdict::unknown, .explanation = "why it failed"});
    answer(401, "", report);
    EXPECT_EQ(run({"call", "GET", "/x"}), code);
    expect_one_line("why it failed");
  }
}

TEST_F(Call, WithoutAnAnswerNothingIsPrintedAndTheReportIsThere) {
  auto report = std::make_shared<CallReport>();
  diagnosis::conclude(*report, ErrorKind::unavailable);
  report->verdict = Verdict::network;
  answers.emplace_back(Error{.kind = ErrorKind::unavailable,
                             .message = "connection refused",
                             .remedy = "is it up?",
                             .report = report});
  EXPECT_EQ(run({"call", "GET", "/x", "--report", "/r"}), 6);
  EXPECT_EQ(out, "");
  expect_one_line("connection refused: is it up?");
  EXPECT_THAT(written["/r"], HasSubstr(R"("verdict": "network")"));
}

TEST_F(Call, AnErrorWithoutAReportExitsByItsKind) {
  const std::pair<ErrorKind, int> codes[] = {
      {ErrorKind::config, 2},    {ErrorKind::credentials, 3}, {ErrorKind::clock, 4},
      {ErrorKind::forbidden, 5}, {ErrorKind::unavailable, 6}, {ErrorKind::timeout, 6},
      {ErrorKind::throttled, 7}, {ErrorKind::protocol, 1}};
  for (const auto& [kind, code] : codes) {
    answers.emplace_back(Error{.kind = kind, .message = "m"});
    EXPECT_EQ(run({"call", "GET", "/x"}), code);
  }
}

TEST_F(Call, ACuredRejectionIsReportedInOneLineAndExitsWithZero) {
  CallReport report;
  report.verdict = Verdict::issuer_clock_ahead;
  report.mitigated = true;
  report.attempts.push_back({.correlation_id = "c-1",
                             .verdict = Verdict::issuer_clock_ahead,
                             .explanation = "the login host's clock is 3 s ahead of the API's",
                             .action = Action::wait_and_retry,
                             .waited = std::chrono::milliseconds{3000}});
  log = {{.level = LogLevel::warn,
          .message = "rejected: issuer_clock_ahead (provisional)",
          .verdict = Verdict::issuer_clock_ahead}};
  answer(200, "{}", report);
  EXPECT_EQ(run({"call", "GET", "/x", "--report", "-"}), 0);
  EXPECT_EQ(out, "{}");
  const std::string told = err.substr(err.find("skewguard: "));
  EXPECT_THAT(told, AllOf(StartsWith("skewguard: warning: "), HasSubstr("issuer_clock_ahead"),
                          HasSubstr("3 s ahead"), HasSubstr("by waiting 3.0 s"), HasSubstr("c-1")));
  EXPECT_THAT(err, Not(HasSubstr("provisional"))) << "told once";
  EXPECT_THAT(err, HasSubstr(R"("schema": "skewguard.report/1")"));

  report.attempts[0].waited = std::chrono::microseconds{41};
  answer(200, "{}", report);
  EXPECT_EQ(run({"call", "GET", "/x"}), 0);
  EXPECT_THAT(err, HasSubstr("by trying again at once: "));

  answer(200, "{}", report);
  EXPECT_EQ(run({"call", "GET", "/x", "-q"}), 0);
  EXPECT_EQ(err, "");
  answer(200, "{}", report);
  EXPECT_EQ(run({"call", "GET", "/x", "-v"}), 0);
  EXPECT_THAT(err, HasSubstr("provisional"));
}

TEST_F(Call, FailsIfItCannotPrint) {
  out_fails = true;
  answer(200, "{}");
  EXPECT_EQ(run({"call", "GET", "/x"}), 1);
  expect_one_line("No space left on device");
}

TEST_F(Call, NoSecretIsInAnyOutput) {
  answer(401, "{}");
  run({"call", "GET", "/x", "-v", "-v", "-v", "--report", "-"});
  EXPECT_THAT(out + err, Not(HasSubstr("hunter2")));
}

}  // namespace
}  // namespace skewguard::cli
