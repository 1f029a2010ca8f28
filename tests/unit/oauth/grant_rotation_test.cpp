#include "oauth/grant_rotation.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace skewguard::oauth {
namespace {

Grants grants_with(std::initializer_list<const char*> secrets) {
  Grants out;
  for (const char* secret : secrets)
    out.push_back(std::make_shared<ClientCredentials>("my-client", Secret{secret}));
  return out;
}

TEST(GrantRotation, TriesEachGrantOnceBeforeItGivesUp) {
  GrantRotation grants(grants_with({"old", "new", "newer"}));
  EXPECT_EQ(grants.number(), 1U);
  EXPECT_TRUE(grants.refused());
  EXPECT_EQ(grants.number(), 2U);
  EXPECT_EQ(grants.current().client_secret(), Secret{"new"});
  EXPECT_TRUE(grants.refused());
  EXPECT_FALSE(grants.refused()) << "all three have been refused";
  EXPECT_EQ(grants.number(), 1U);
  EXPECT_TRUE(grants.refused()) << "and another round begins";
}

TEST(GrantRotation, KeepsTheOneThatBroughtAToken) {
  GrantRotation grants(grants_with({"old", "new"}));
  EXPECT_TRUE(grants.refused());
  grants.note_token();
  EXPECT_EQ(grants.number(), 2U);
  EXPECT_TRUE(grants.refused()) << "the other one has not been refused since";
  EXPECT_EQ(grants.number(), 1U);
}

TEST(GrantRotation, ASingleGrantHasNoOtherToTry) {
  GrantRotation grants(grants_with({"only"}));
  EXPECT_FALSE(grants.refused());
  EXPECT_EQ(grants.number(), 1U);
  EXPECT_FALSE(grants.worked());
  grants.note_worked();
  EXPECT_TRUE(grants.worked());
}

TEST(GrantRotation, MayBeEmpty) {
  GrantRotation grants({});
  EXPECT_TRUE(grants.empty());
  EXPECT_FALSE(grants.refused());
}

}  // namespace
}  // namespace skewguard::oauth
