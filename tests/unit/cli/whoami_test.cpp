#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diagnosis/exit_code.hpp"
#include "fake_process_io.hpp"

namespace skewguard::cli {
namespace {

using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

constexpr const char* kTokensMe =
    R"({"organization":{"id":"o1","name":"Demo Org"},"OAuthClient":{"id":"c1","name":"Demo Client"}})";

struct WhoamiCommand : FakeProcessIo, testing::Test {};

TEST_F(WhoamiCommand, NamesTheOwnerFirst) {
  answer(200, kTokensMe);
  EXPECT_EQ(run({"whoami"}), 0);
  EXPECT_EQ(out,
            "Demo Client (client c1)\norganization Demo Org (o1)\n"
            "host https://api.example.com/base\n");
  EXPECT_EQ(err, "");
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].path, "/api/v2/tokens/me");
}

TEST_F(WhoamiCommand, SaysWhereTheTokenCameFromAndWhenItExpires) {
  CallReport report;
  report.attempts.push_back({.token = ReportedToken{.remaining = std::chrono::minutes{5}}});
  const auto expect = [&](const std::string& words) {
    answer(200, kTokensMe, report);
    answer(404, "");  // for a given token, who the user is
    EXPECT_EQ(run({"whoami"}), 0) << err;
    answers.clear();
    EXPECT_THAT(out, EndsWith("\nhost https://api.example.com/base\ntoken " + words + "\n"));
  };
  const std::string end = ", valid for 300.0 s, until 2026-01-01T00:05:00Z";
  expect("from the token store" + end);
  report.token_requests = 1;
  expect("new from the login host" + end);
  report.token_requests = 0;
  environment["GENESYS_CLOUD_ACCESS_TOKEN"] = "given";
  report.attempts.back().token->remaining = std::chrono::hours{24 * 3650};  // opaque: nobody knows
  expect("given (a file or the environment)");
  report.attempts.back().token->remaining.reset();  // a JWT: as it says itself
  report.attempts.back().analysis.token_exp = WallTime{std::chrono::seconds{1'767'226'200}};
  expect("given (a file or the environment), until 2026-01-01T00:10:00Z by its exp");
}

TEST_F(WhoamiCommand, JsonIsThatOfTheContract) {
  answer(200, kTokensMe);
  EXPECT_EQ(run({"whoami", "--json"}), 0);
  EXPECT_EQ(json::parse(out), json::parse(R"({
    "schema": "skewguard.whoami/1", "kind": "client", "name": "Demo Client", "id": "c1",
    "organization": {"id": "o1", "name": "Demo Org"}})"));
}

TEST_F(WhoamiCommand, AsksOnForAGivenToken) {
  environment["GENESYS_CLOUD_ACCESS_TOKEN"] = "given";
  answer(200, kTokensMe);
  answer(200, R"({"id":"u1","name":"Ann"})");
  EXPECT_EQ(run({"whoami"}), 0);
  EXPECT_THAT(out, StartsWith("Ann (user u1)\norganization Demo Org (o1)\n"));
  EXPECT_EQ(requests.at(1).path, "/api/v2/users/me");
}

TEST_F(WhoamiCommand, OneReportCoversAllItsCalls) {
  environment["GENESYS_CLOUD_ACCESS_TOKEN"] = "given";
  CallReport first;
  first.verdict = Verdict::token_not_yet_active;
  first.mitigated = true;
  first.elapsed = std::chrono::milliseconds{20};
  first.attempts.push_back({.verdict = Verdict::token_not_yet_active});
  first.attempts.push_back({.n = 2});
  CallReport second;
  second.verdict = Verdict::missing_permission;
  diagnosis::conclude(second, ErrorKind::forbidden);
  second.elapsed = std::chrono::milliseconds{5};
  second.attempts.push_back({.verdict = Verdict::missing_permission});
  answer(200, kTokensMe, first);
  answer(403, "{}", second);
  EXPECT_EQ(run({"whoami", "--report", "/r"}), 0) << "no user is no failure";
  const json report = json::parse(written["/r"]);
  EXPECT_EQ(report["exit_code"], 0);
  EXPECT_EQ(report["verdict"], "token_not_yet_active");
  EXPECT_EQ(report["mitigated"], true);
  EXPECT_EQ(report["elapsed_ms"], 25.0);
  ASSERT_EQ(report["attempts"].size(), 3U);
  EXPECT_EQ(report["attempts"][2]["n"], 3);
}

TEST_F(WhoamiCommand, ARefusalThatOnlyPointsElsewhereIsNoVerdict) {
  CallReport no_user;
  no_user.verdict = Verdict::no_user_context;
  diagnosis::conclude(no_user, ErrorKind::protocol);
  no_user.url = "https://api.example.com/api/v2/users/me";
  CallReport found;
  found.url = "https://api.example.com/api/v2/organizations/me";
  answer(404, "");
  answer(400, "{}", no_user);
  answer(200, R"({"id":"o2","name":"Other Org"})", found);
  EXPECT_EQ(run({"whoami", "--report", "/r"}), 0) << err;
  EXPECT_EQ(out, "Other Org (organization o2)\nhost https://api.example.com/base\n");
  EXPECT_EQ(err, "");
  const json report = json::parse(written["/r"]);
  EXPECT_EQ(report["verdict"], "ok");
  EXPECT_EQ(report["mitigated"], false);
  EXPECT_EQ(report["http_status"], 200);
  EXPECT_EQ(report["url"], "https://api.example.com/api/v2/organizations/me");
}

TEST_F(WhoamiCommand, AFailureExitsAsItsCall) {
  CallReport refused;
  diagnosis::conclude(refused, ErrorKind::credentials);
  refused.verdict = Verdict::token_rejected;
  refused.attempts.push_back({.verdict = Verdict::token_rejected, .explanation = "it was refused"});
  answer(401, "{}", refused);
  EXPECT_EQ(run({"whoami", "--report", "/r"}), 3);
  EXPECT_EQ(out, "");
  EXPECT_THAT(err, HasSubstr("it was refused"));
  EXPECT_EQ(json::parse(written["/r"])["exit_code"], 3);
}

TEST_F(WhoamiCommand, AnAnswerThatCannotBeReadIsOne) {
  answer(200, "<html>");
  EXPECT_EQ(run({"whoami", "--report", "/r"}), 1);
  EXPECT_EQ(out, "");
  EXPECT_THAT(err, HasSubstr("/api/v2/tokens/me is not from the API"));
  EXPECT_EQ(json::parse(written["/r"])["exit_code"], 1);
}

TEST_F(WhoamiCommand, ANameCannotGarbleTheTerminal) {
  answer(200, R"({"OAuthClient":{"id":"c\n2","name":"a\u001b[31mb"}})");
  EXPECT_EQ(run({"whoami"}), 0);
  EXPECT_THAT(out, StartsWith("a [31mb (client c 2)\n"));
}

TEST_F(WhoamiCommand, WhatThePlatformDoesNotSayIsNull) {
  answer(200, R"({"OAuthClient":{"id":"c1"}})");
  EXPECT_EQ(run({"whoami", "--json"}), 0);
  EXPECT_EQ(json::parse(out)["name"], nullptr);
  EXPECT_EQ(json::parse(out)["organization"]["id"], nullptr);
}

}  // namespace
}  // namespace skewguard::cli
