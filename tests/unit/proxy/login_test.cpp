#include "proxy/login.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>

namespace skewguard::proxy {
namespace {

constexpr const char* kSecret = "s3cret/with+signs==";

Page login(const LocalSecret& local, const Headers& headers, std::string_view body) {
  return login_page(local, "POST", headers, body);
}
nlohmann::json json_of(const Page& page) {
  return nlohmann::json::parse(page.body.reveal());
}
Headers basic(const std::string& credentials) {
  return {{"Authorization", "Basic " + credentials}};
}

TEST(Login, GivesTheHandleForADay) {
  const LocalSecret local{Secret()};
  const auto page = login(local, {}, "grant_type=client_credentials");
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
  EXPECT_EQ(login(local, basic("YW55OnMzY3JldC93aXRoK3NpZ25zPT0="), kGrant).status, 200);
  // any:s3cret%2Fwith%2Bsigns%3D%3D
  EXPECT_EQ(login(local, basic("YW55OnMzY3JldCUyRndpdGglMkJzaWducyUzRCUzRA=="), kGrant).status,
            200);
  EXPECT_EQ(
      login(local, {}, "client_secret=s3cret%2Fwith%2Bsigns%3D%3D&grant_type=client_credentials")
          .status,
      200);
}

TEST(Login, RefusesAnotherSecret) {
  const LocalSecret local{Secret(kSecret)};
  constexpr auto kGrant = "grant_type=client_credentials";
  for (const auto& headers : {Headers{}, basic("YW55Ondyb25n"), basic("***"), basic("YW55"),
                              Headers{{"Authorization", "Bearer x"}}}) {
    const auto page = login(local, headers, kGrant);
    EXPECT_EQ(page.status, 401);
    EXPECT_EQ(json_of(page)["error"], "invalid_client");
    EXPECT_EQ(page.headers.find("WWW-Authenticate"), "Basic realm=\"skewguard\"");
  }
  EXPECT_EQ(login(local, {}, "grant_type=client_credentials&client_secret=").status, 401);
}

TEST(Login, AnswersNoOtherGrant) {
  const LocalSecret local{Secret()};
  const auto other = login(local, {}, "grant_type=authorization_code&code=x");
  EXPECT_EQ(other.status, 400);
  EXPECT_EQ(json_of(other)["error"], "unsupported_grant_type");
  EXPECT_EQ(json_of(login(local, {}, ""))["error"], "invalid_request");
  EXPECT_EQ(json_of(login(local, {}, "xgrant_type=client_credentials"))["error"],
            "invalid_request");
}

TEST(Login, IsAPost) {
  const auto page = login_page(LocalSecret{Secret()}, "GET", {}, "");
  EXPECT_EQ(page.status, 405);
  EXPECT_EQ(page.headers.find("Allow"), "POST");
}

}  // namespace
}  // namespace skewguard::proxy
