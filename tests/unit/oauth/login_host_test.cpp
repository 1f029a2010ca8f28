#include "oauth/login_host.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "token_machine_testing.hpp"

namespace skewguard::oauth {
namespace {

using testing::HasSubstr;
using testing::Not;

class LoginHostTest : public testing::Test {
 protected:
  static Grants secrets(std::initializer_list<const char*> texts) {
    Grants out;
    for (const char* text : texts)
      out.push_back(std::make_shared<ClientCredentials>("my-client", Secret{text}));
    return out;
  }
  LoginFailure failure(int status, std::string body) {
    auto read = host.read(clocks::Answer(answer_of(status, std::move(body))));
    const auto* failed = std::get_if<LoginFailure>(&read);
    EXPECT_NE(failed, nullptr);
    return failed != nullptr ? *failed : LoginFailure{};
  }

  LoginHost host{{.token_url = "https://login.example.com/oauth/token", .region = "mypurecloud.ie"},
                 secrets({"first-secret-of-two", "second-secret-of-two"}),
                 std::make_shared<Rfc6749Dialect>()};
};

TEST_F(LoginHostTest, RequestsATokenWithTheCurrentGrant) {
  EXPECT_EQ(host.origin(), "https://login.example.com");
  const HttpRequest first = host.request();
  EXPECT_EQ(first.url, "https://login.example.com/oauth/token");
  host.grants().refused();
  EXPECT_NE(host.request().authorization, first.authorization);
  host.replace(secrets({"first-secret-of-two"}));
  EXPECT_EQ(host.request().authorization, first.authorization);
}

TEST_F(LoginHostTest, ReadsTokens) {
  const auto read = host.read(clocks::Answer(answer_of(200, token_body("t1"))));
  ASSERT_TRUE(std::holds_alternative<TokenAnswer>(read));
  EXPECT_EQ(std::get<TokenAnswer>(read).access_token, Secret{"t1"});
}

TEST_F(LoginHostTest, SortsErrorsWhateverTheirStatus) {
  for (const int status : {200, 401}) {
    const auto refused = failure(status, oauth_error_body("invalid_client", "wrong"));
    EXPECT_EQ(refused.failure.verdict, Verdict::credentials_rejected);
    EXPECT_THAT(refused.failure.error.message, HasSubstr("mypurecloud.ie"));
  }
  EXPECT_EQ(failure(200, "<html>").failure.verdict, Verdict::protocol);
  EXPECT_EQ(
      host.read(TransportFailure{.kind = TransportFailure::Kind::timeout}, {}).failure.verdict,
      Verdict::timeout);
}

TEST_F(LoginHostTest, NeverRepeatsASecretThatItWasSent) {
  // Of an earlier request, with the other grant, too.
  for (const std::string secret : {"first-secret-of-two", "second-secret-of-two"}) {
    const auto refused = failure(400, oauth_error_body(secret, "not " + secret));
    EXPECT_THAT(refused.failure.error.message, Not(HasSubstr(secret)));
    EXPECT_THAT(refused.error_code, Not(HasSubstr(secret)));
    const auto odd = host.read(clocks::Answer(answer_of(
        200, R"({"access_token":"t1","expires_in":300,"token_type":")" + secret + "\"}")));
    ASSERT_TRUE(std::holds_alternative<TokenAnswer>(odd));
    const auto& oddities = std::get<TokenAnswer>(odd).oddities;
    ASSERT_EQ(oddities.size(), 1U);
    EXPECT_THAT(oddities.front().text, Not(HasSubstr(secret)));
  }
}

TEST_F(LoginHostTest, RepeatsNoReplacedSecretUntilItIsForgotten) {
  const std::weak_ptr<const Grant> replaced = host.grants().all().front();
  host.replace(secrets({"third-secret"}));
  host.replace(secrets({"fourth-secret"}));
  const auto refused =
      failure(400, oauth_error_body("invalid_client", "not first-secret-of-two, not third-secret"));
  EXPECT_THAT(refused.failure.error.message, Not(HasSubstr("first-secret-of-two")));
  EXPECT_THAT(refused.failure.error.message, Not(HasSubstr("third-secret")));
  EXPECT_FALSE(replaced.expired());
  host.forget_replaced();
  EXPECT_TRUE(replaced.expired());
}

TEST_F(LoginHostTest, ExplainsALateRejectionByTheSecretThatWasSent) {
  const auto remedy = [this] {
    return failure(401, oauth_error_body("invalid_client", "no")).failure.error.remedy;
  };
  host.replace(secrets({"a-good-secret", "a-padded-secret "}));
  host.forget_replaced();
  host.grants().refused();
  host.replace(secrets({"'a-quoted-secret'"}));
  EXPECT_TRUE(host.was_replaced());
  EXPECT_THAT(remedy(), HasSubstr("space"));
  host.forget_replaced();
  EXPECT_FALSE(host.was_replaced());
  EXPECT_THAT(remedy(), HasSubstr("quotation"));
}

TEST(LoginHost, SuggestsFormEncodingIfIdOrSecretNeedsIt) {
  const auto remedy = [](const char* id, const char* secret) {
    const LoginHost host{{.token_url = "https://login.example.com/oauth/token", .raw_basic = true},
                         {std::make_shared<ClientCredentials>(id, Secret{secret})},
                         std::make_shared<Rfc6749Dialect>()};
    const auto read =
        host.read(clocks::Answer(answer_of(401, oauth_error_body("invalid_client", "no"))));
    const auto* failed = std::get_if<LoginFailure>(&read);
    return failed != nullptr ? failed->failure.error.remedy : "";
  };
  EXPECT_THAT(remedy("my-client", "the-secret+of/a-client"), HasSubstr("--dialect rfc6749"));
  EXPECT_THAT(remedy("my+client", "the-secret-of-a-client"), HasSubstr("--dialect rfc6749"));
  EXPECT_THAT(remedy("my-client", "the-secret-of-a-client"), Not(HasSubstr("--dialect")));
}

}  // namespace
}  // namespace skewguard::oauth
