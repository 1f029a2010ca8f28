#include "proxy/login.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace skewguard::proxy {
namespace {

constexpr const char* kSecret = "s3cret/with+signs==";

nlohmann::json json_of(const Page& page) {
  return nlohmann::json::parse(page.body.reveal());
}
std::string basic(const std::string& credentials) {
  return "Basic " + credentials;
}

TEST(Login, GivesTheHandleForADay) {
  const LocalSecret local{Secret()};
  const auto page = login_page(local, "", "grant_type=client_credentials");
  EXPECT_EQ(page.status, 200);
  EXPECT_EQ(page.headers.find("Cache-Control"), "no-store");
  EXPECT_EQ(json_of(page)["access_token"], local.handle().reveal());
  EXPECT_EQ(json_of(page)["token_type"], "bearer");
  EXPECT_EQ(json_of(page)["expires_in"], 86400);
}

TEST(Login, TakesTheLocalSecretFromBasicCredentialsOrTheForm) {
  const LocalSecret local{Secret(kSecret)};
  constexpr auto kGrant = "grant_type=client_credentials";
  // any:s3cret/with+signs==
  EXPECT_EQ(login_page(local, basic("YW55OnMzY3JldC93aXRoK3NpZ25zPT0="), kGrant).status, 200);
  // any:s3cret%2Fwith%2Bsigns%3D%3D
  EXPECT_EQ(login_page(local, basic("YW55OnMzY3JldCUyRndpdGglMkJzaWducyUzRCUzRA=="), kGrant).status,
            200);
  EXPECT_EQ(login_page(local, "",
                       "client_secret=s3cret%2Fwith%2Bsigns%3D%3D&grant_type=client_credentials")
                .status,
            200);
}

TEST(Login, RefusesAnotherSecret) {
  const LocalSecret local{Secret(kSecret)};
  constexpr auto kGrant = "grant_type=client_credentials";
  for (const std::string& authorization : {std::string(), basic("YW55Ondyb25n"), basic("***"),
                                           basic("YW55"), std::string("Bearer x")}) {
    const auto page = login_page(local, authorization, kGrant);
    EXPECT_EQ(page.status, 401);
    EXPECT_EQ(json_of(page)["error"], "invalid_client");
    EXPECT_EQ(page.headers.find("WWW-Authenticate"), "Basic realm=\"skewguard\"");
  }
  EXPECT_EQ(login_page(local, "", "grant_type=client_credentials&client_secret=").status, 401);
}

TEST(Login, AnswersNoOtherGrant) {
  const LocalSecret local{Secret()};
  const auto other = login_page(local, "", "grant_type=authorization_code&code=x");
  EXPECT_EQ(other.status, 400);
  EXPECT_EQ(json_of(other)["error"], "unsupported_grant_type");
  EXPECT_EQ(json_of(login_page(local, "", ""))["error"], "invalid_request");
  EXPECT_EQ(json_of(login_page(local, "", "xgrant_type=client_credentials"))["error"],
            "invalid_request");
}

}  // namespace
}  // namespace skewguard::proxy
