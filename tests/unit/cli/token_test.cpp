#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "diagnosis/exit_code.hpp"
#include "fake_process_io.hpp"

namespace skewguard::cli {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

struct TokenCommand : FakeProcessIo, testing::Test {
  TokenCommand() {
    tokens.emplace_back(BearerToken{.value = Secret("tok-1"),
                                    .token_type = "Bearer",
                                    .remaining = std::chrono::milliseconds{299'800},
                                    .expires_at = WallTime{seconds{1'767'225'900}},
                                    .source = BearerToken::Source::login});
  }
};

TEST_F(TokenCommand, PrintsItRawOrAsAHeader) {
  tokens.push_back(tokens.front());
  EXPECT_EQ(run({"token"}), 0);
  EXPECT_EQ(out, "tok-1\n");
  EXPECT_EQ(run({"token", "--format", "header"}), 0);
  EXPECT_EQ(out, "Authorization: Bearer tok-1\n");
  EXPECT_EQ(err, "");
}

TEST_F(TokenCommand, PrintsJson) {
  EXPECT_EQ(run({"token", "--format=json"}), 0);
  EXPECT_EQ(json::parse(out), json::parse(R"({
    "access_token": "tok-1", "token_type": "Bearer", "expires_in": 299,
    "expires_at": "2026-01-01T00:05:00Z", "source": "login"})"));
}

TEST_F(TokenCommand, AGivenTokenWhoseEndNobodyKnowsHasNone) {
  tokens.front()->source = BearerToken::Source::given;
  tokens.front()->remaining = std::chrono::hours{24 * 3650};
  EXPECT_EQ(run({"token", "--format", "json"}), 0);
  EXPECT_EQ(json::parse(out)["expires_in"], nullptr);
  EXPECT_EQ(json::parse(out)["source"], "given");
}

TEST_F(TokenCommand, HandsItsWishesOn) {
  EXPECT_EQ(run({"token", "--min-life", "10m", "--force-refresh"}), 0) << err;
  ASSERT_EQ(token_requests.size(), 1U);
  EXPECT_EQ(token_requests[0].min_life, std::chrono::minutes{10});
  EXPECT_TRUE(token_requests[0].force_refresh);
  EXPECT_TRUE(token_requests[0].verify);
}

TEST_F(TokenCommand, VerifiesUnlessToldNotTo) {
  EXPECT_EQ(run({"token", "--no-verify"}), 0) << err;
  ASSERT_EQ(token_requests.size(), 1U);
  EXPECT_FALSE(token_requests[0].verify);
}

TEST_F(TokenCommand, PassesOnWhereToVerify) {
  EXPECT_EQ(run({"token", "--verify-path", "/me"}), 0) << err;
  ASSERT_EQ(clients.size(), 1U);
  EXPECT_EQ(clients[0].verify_path, "/me");
  EXPECT_EQ(run({"token", "--verify-path", "me"}), 2);
  EXPECT_THAT(err, HasSubstr("--verify-path"));
}

TEST_F(TokenCommand, RefusesInvalidOptions) {
  EXPECT_EQ(run({"token", "--format", "xml"}), 2);
  EXPECT_THAT(err, HasSubstr("--format"));
  EXPECT_EQ(run({"token", "--min-life", "long"}), 2);
  EXPECT_THAT(err, HasSubstr("--min-life"));
  EXPECT_EQ(run({"token", "--min-life", "-1s"}), 2);
  EXPECT_THAT(token_requests, IsEmpty());
}

TEST_F(TokenCommand, AFailureExitsAsItsReportSays) {
  auto report = std::make_shared<CallReport>();
  diagnosis::conclude(*report, ErrorKind::credentials);
  report->verdict = Verdict::credentials_rejected;
  tokens.assign({Error{.kind = ErrorKind::credentials,
                       .message = "the login host refuses the secret",
                       .report = report}});
  EXPECT_EQ(run({"token"}), 3);
  EXPECT_EQ(out, "");
  EXPECT_THAT(err, HasSubstr("the login host refuses the secret"));
}

}  // namespace
}  // namespace skewguard::cli
