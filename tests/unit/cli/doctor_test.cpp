#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "../readings.hpp"
#include "diagnosis/exit_code.hpp"
#include "fake_process_io.hpp"

namespace skewguard::cli {
namespace {

using doctor::clock_at;
using nlohmann::json;
using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

struct DoctorCommand : FakeProcessIo, testing::Test {
  DoctorCommand() {
    surveys.emplace_back().servers = {clock_at("https://login.example.com/", milliseconds{1}),
                                      clock_at("https://api.example.com/", milliseconds{2})};
  }
  json told(int code) {
    EXPECT_EQ(run({"doctor", "--json"}), code) << out << err;
    return json::parse(out);
  }
  static json check(const json& told, const std::string& name) {
    for (const json& check : told["checks"])
      if (check["name"] == name) return check;
    return {};
  }
};

TEST_F(DoctorCommand, AUrlThatIsMissingIsNamedAndNoTokenAskedFor) {
  environment.erase("SKEWGUARD_API_URL");
  surveys.front().servers.pop_back();
  const json settings = check(told(0), "settings");
  EXPECT_EQ(settings["status"], "warn");
  EXPECT_THAT(settings["detail"].get<std::string>(), HasSubstr("SKEWGUARD_API_URL"));
  EXPECT_THAT(clients, IsEmpty());
}

TEST_F(DoctorCommand, NamesEachServerAsAReportDoes) {
  environment.erase("GENESYS_CLOUD_CLIENT_ID");
  const json clocks = told(0)["clocks"];
  EXPECT_EQ(clocks[0]["server"], "https://login.example.com");
  EXPECT_EQ(clocks[1]["server"], "https://api.example.com");
}

TEST_F(DoctorCommand, DoesNotAdviseToAllowMoreTimeThanItGives) {
  CallReport report;
  report.verdict = Verdict::timeout;
  diagnosis::conclude(report, ErrorKind::timeout);
  tokens.emplace_back(Error{.kind = ErrorKind::unavailable,
                            .message = "no token before the deadline",
                            .remedy = "allow more time",
                            .report = std::make_shared<CallReport>(report)});
  const json permissions = check(told(6), "permissions");
  EXPECT_THAT(permissions["fix"].get<std::string>(), HasSubstr("`skewguard whoami`"));
}

TEST_F(DoctorCommand, HasMarksAndColorsOnlyOnATerminal) {
  environment.erase("GENESYS_CLOUD_CLIENT_ID");
  const auto survey = surveys.front();
  run({"doctor"});
  EXPECT_THAT(out, HasSubstr("\nok      clock_api           "));
  EXPECT_THAT(out, Not(HasSubstr("\x1b")));
  terminal = true;
  surveys.push_back(survey);
  run({"doctor"});
  EXPECT_THAT(out, HasSubstr("\n[\x1b[32m\u2713\x1b[0m] clock_api           "));
  environment["NO_COLOR"] = "1";
  surveys.push_back(survey);
  run({"doctor"});
  EXPECT_THAT(out, HasSubstr("\n[\u2713] clock_api           "));
  EXPECT_THAT(out, HasSubstr("\n[!] settings            "));
}

TEST_F(DoctorCommand, BreaksAtSpacesToTheWidthOfTheTerminal) {
  environment.erase("GENESYS_CLOUD_CLIENT_ID");
  environment["NO_COLOR"] = "1";
  terminal = true;
  const auto survey = surveys.front();
  for (const std::size_t width : {std::size_t{40}, std::size_t{80}, std::size_t{200}}) {
    columns = width;
    surveys.push_back(survey);
    if (surveys.size() > 1) surveys.pop_front();
    run({"doctor"});
    std::istringstream lines(out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(columns_of(line), width) << line;
  }
}

}  // namespace
}  // namespace skewguard::cli
