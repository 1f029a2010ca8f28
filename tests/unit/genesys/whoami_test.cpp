#include "genesys/whoami.hpp"

#include <gtest/gtest.h>

#include <string>

namespace skewguard::genesys {
namespace {

using Next = Whoami::Next;
using TokenIs = Whoami::TokenIs;

constexpr const char* kTokensMe = R"({
  "organization": {"id": "o1", "name": "Demo Org"},
  "homeOrganization": {"id": "o1", "name": "Demo Org"},
  "authorizedScope": [],
  "OAuthClient": {"id": "c1", "name": "Demo Client", "organization": {"id": "o1"}}})";
constexpr const char* kUser = R"({"id": "u1", "name": "Ann", "email": "ann@example.com"})";
constexpr const char* kOrganization = R"({"id": "o2", "name": "Other Org"})";
constexpr const char* kNotFound = R"({"status": 404, "code": "not.found"})";

const Owner kClient{.kind = Owner::Kind::client,
                    .name = "Demo Client",
                    .id = "c1",
                    .organization = {.name = "Demo Org", .id = "o1"}};

Next take(Whoami& who, const char* path, int status, const char* body) {
  EXPECT_EQ(who.path(), path);
  const auto next = who.take(status, body);
  EXPECT_TRUE(next.ok());
  return next.ok() ? *next : Next::refused;
}

TEST(Whoami, AManagedTokenIsAClientsAndIsAskedAboutOnce) {
  Whoami who(TokenIs::managed);
  EXPECT_EQ(take(who, "/api/v2/tokens/me", 200, kTokensMe), Next::done);
  EXPECT_EQ(who.owner(), kClient);
}

TEST(Whoami, AGivenTokenMayBeAUsers) {
  Whoami who(TokenIs::given);
  EXPECT_EQ(take(who, "/api/v2/tokens/me", 200, kTokensMe), Next::ask);
  EXPECT_EQ(take(who, "/api/v2/users/me", 200, kUser), Next::done);
  const Owner ann{.kind = Owner::Kind::user,
                  .name = "Ann",
                  .id = "u1",
                  .organization = {.name = "Demo Org", .id = "o1"}};
  EXPECT_EQ(who.owner(), ann);
}

TEST(Whoami, AGivenTokenWithoutAUserIsAClients) {
  for (const int status : {400, 403, 404}) {
    Whoami who(TokenIs::given);
    EXPECT_EQ(take(who, "/api/v2/tokens/me", 200, kTokensMe), Next::ask);
    EXPECT_EQ(take(who, "/api/v2/users/me", status, kNotFound), Next::done);
    EXPECT_EQ(who.owner(), kClient);
  }
}

TEST(Whoami, IfTokensMeIsMissingTheUserAndThenTheOrganizationAreAsked) {
  Whoami who(TokenIs::managed);
  EXPECT_EQ(take(who, "/api/v2/tokens/me", 404, kNotFound), Next::ask);
  EXPECT_EQ(take(who, "/api/v2/users/me", 400, "{}"), Next::ask);
  EXPECT_EQ(take(who, "/api/v2/organizations/me", 200, kOrganization), Next::done);
  const Owner organization{.kind = Owner::Kind::organization,
                           .name = "Other Org",
                           .id = "o2",
                           .organization = {.name = "Other Org", .id = "o2"}};
  EXPECT_EQ(who.owner(), organization);

  Whoami user(TokenIs::managed);
  EXPECT_EQ(take(user, "/api/v2/tokens/me", 404, ""), Next::ask);
  EXPECT_EQ(take(user, "/api/v2/users/me", 200, kUser), Next::done);
  EXPECT_EQ(user.owner().kind, Owner::Kind::user);
}

TEST(Whoami, ATokenInfoThatNamesNoClientLeadsToTheOrganization) {
  Whoami who(TokenIs::managed);
  EXPECT_EQ(take(who, "/api/v2/tokens/me", 200, "{}"), Next::ask);
  EXPECT_EQ(take(who, "/api/v2/organizations/me", 200, kOrganization), Next::done);
  EXPECT_EQ(who.owner().name, "Other Org");
}

TEST(Whoami, OtherErrorsEndTheSearch) {
  for (const int status : {401, 403, 429, 500, 504, 302}) {
    Whoami who(TokenIs::managed);
    EXPECT_EQ(take(who, "/api/v2/tokens/me", status, "{}"), Next::refused) << status;
  }
  for (const int status : {401, 429, 500}) {
    Whoami who(TokenIs::given);
    EXPECT_EQ(take(who, "/api/v2/tokens/me", 200, kTokensMe), Next::ask);
    EXPECT_EQ(take(who, "/api/v2/users/me", status, "{}"), Next::refused) << status;
  }
  Whoami who(TokenIs::managed);
  EXPECT_EQ(take(who, "/api/v2/tokens/me", 404, ""), Next::ask);
  EXPECT_EQ(take(who, "/api/v2/users/me", 404, ""), Next::ask);
  EXPECT_EQ(take(who, "/api/v2/organizations/me", 404, ""), Next::refused);
}

TEST(Whoami, AGoodAnswerThatCannotBeReadIsAProtocolError) {
  const std::string deep(100'000, '[');
  for (const std::string& body :
       {std::string{}, std::string{"<html>"}, std::string{"[]"}, std::string{"{\"id\""}, deep}) {
    Whoami who(TokenIs::managed);
    const auto next = who.take(200, body);
    ASSERT_FALSE(next.ok());
    EXPECT_EQ(next.error().kind, ErrorKind::protocol);
  }
}

TEST(Whoami, WhatMayBeATokenIsNotRepeated) {
  const auto told = [](const std::string& title) {
    Whoami who(TokenIs::managed);
    const auto next = who.take(200, "<html><title>" + title + "</title></html>");
    return next.ok() ? "" : next.error().message;
  };
  const std::string words = "Sign in at the portal of your company, please";
  EXPECT_NE(told(words).find("a page (\"" + words + "\")"), std::string::npos) << told(words);
  const std::string longest(24, 'x');
  EXPECT_NE(told("id " + longest).find("(\"id " + longest + "\")"), std::string::npos);
  EXPECT_NE(told("id x" + longest + " end").find("(\"id *** end\")"), std::string::npos);
}

TEST(Whoami, FieldsOfAnotherTypeCountAsMissing) {
  Whoami who(TokenIs::managed);
  EXPECT_EQ(take(who, "/api/v2/tokens/me", 200,
                 R"({"OAuthClient": {"id": 7, "name": "N"}, "organization": "x"})"),
            Next::done);
  EXPECT_EQ(who.owner().name, "N");
  EXPECT_EQ(who.owner().id, "");
  EXPECT_EQ(who.owner().organization, NamedEntity{});
}

}  // namespace
}  // namespace skewguard::genesys
