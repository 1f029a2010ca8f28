#include "oauth/login_failure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace skewguard::oauth {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// The remedy for a client of the region euw2 after an invalid_client with this description.
std::string remedy_for(const char* description, ClientAuth auth = ClientAuth::basic) {
  Refusal refusal;
  refusal.kind = Refusal::Kind::credentials_rejected;
  refusal.error_code = "invalid_client";
  refusal.description = description;
  LoginContext context{.host = "https://login.example", .region = "euw2", .client_id = "me"};
  context.client_auth = auth;
  return failure_of(refusal, 401, context).failure.error.remedy;
}

TEST(LoginFailure, SuggestsTheFormWhereTheServerNamesIt) {
  EXPECT_THAT(remedy_for("Client_secret is missing"), HasSubstr("--client-auth post"));
  EXPECT_THAT(remedy_for("not in the request BODY"), HasSubstr("--client-auth post"));
  EXPECT_THAT(remedy_for("no"), Not(HasSubstr("--client-auth")));
  EXPECT_THAT(remedy_for("not in the request body", ClientAuth::post),
              Not(HasSubstr("--client-auth")));
}

}  // namespace
}  // namespace skewguard::oauth
