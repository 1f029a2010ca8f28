#include "oauth/lifetime.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace skewguard::oauth {
namespace {

using namespace std::chrono_literals;

TEST(Lifetime, TakesSecondsThatMakeSense) {
  EXPECT_EQ(life_of_seconds(1), 1s);
  EXPECT_EQ(life_of_seconds(3600.5), 3600500ms);
  EXPECT_EQ(life_of_seconds(172'800), 48h);
  EXPECT_EQ(life_of_seconds(38'880'000), Duration{24h} * 450);  // docs/platform.md 1.5
}

TEST(Lifetime, CutsLivesThatNobodyMeans) {
  EXPECT_EQ(life_of_seconds(1e300), kLongestLife);
  EXPECT_EQ(life_of_seconds(std::numeric_limits<double>::infinity()), kLongestLife);
}

TEST(Lifetime, RefusesWhatIsNoLife) {
  EXPECT_EQ(life_of_seconds(0), std::nullopt);
  EXPECT_EQ(life_of_seconds(-1), std::nullopt);
  EXPECT_EQ(life_of_seconds(1e-12), std::nullopt);
  EXPECT_EQ(life_of_seconds(std::numeric_limits<double>::quiet_NaN()), std::nullopt);
  EXPECT_EQ(life_of_seconds(-std::numeric_limits<double>::infinity()), std::nullopt);
}

TEST(Lifetime, ClaimsTellALifeOnlyWhereExpIsLater) {
  EXPECT_EQ(life_of_claims({.iat = 100s, .nbf = {}, .exp = 400s}), 300s);
  EXPECT_EQ(life_of_claims({.iat = 400s, .nbf = {}, .exp = 400s}), std::nullopt);
  EXPECT_EQ(life_of_claims({.iat = {}, .nbf = {}, .exp = 400s}), std::nullopt);
  EXPECT_EQ(life_of_claims({.iat = 400s, .nbf = {}, .exp = {}}), std::nullopt);
}

TEST(Lifetime, ClaimsFarApartDoNotOverflow) {
  const Duration far = std::chrono::hours{24 * 365 * 249};
  EXPECT_EQ(life_of_claims({.iat = -far, .nbf = {}, .exp = far}), kLongestLife);
}

TEST(Lifetime, TheSmallerOfTwoToldLivesCounts) {
  const JwtClaims claims{.iat = 100s, .nbf = {}, .exp = 400s};
  EXPECT_EQ(told_life(3600s, claims, std::nullopt), 300s);
  EXPECT_EQ(told_life(60s, claims, std::nullopt), 60s);
  EXPECT_EQ(told_life(std::nullopt, claims, std::nullopt), 300s);
}

TEST(Lifetime, ClaimsThatMakeNoSenseLeaveExpiresIn) {
  EXPECT_EQ(told_life(60s, JwtClaims{.iat = 400s, .nbf = {}, .exp = 100s}, std::nullopt), 60s);
  EXPECT_EQ(told_life(60s, JwtClaims{}, std::nullopt), 60s);
}

TEST(Lifetime, TheAnswersDateStandsInForAMissingIat) {
  EXPECT_EQ(told_life(std::nullopt, JwtClaims{.iat = {}, .nbf = {}, .exp = 400s}, 150s), 250s);
}

TEST(Lifetime, NothingToldIsNothing) {
  EXPECT_EQ(told_life(std::nullopt, std::nullopt, 150s), std::nullopt);
}

}  // namespace
}  // namespace skewguard::oauth
