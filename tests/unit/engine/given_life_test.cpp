// The remaining life of a given JWT when the local clock may be wrong.
#include "engine/given_life.hpp"

#include <gtest/gtest.h>

#include <chrono>

namespace skewguard::engine {
namespace {

using namespace std::chrono_literals;

constexpr Duration kIssuedAt = 1'767'225'600s;  // 2026-01-01T00:00:00Z
constexpr Duration kWholeLife = 600s;

oauth::JwtClaims claims_of_600s() {
  return {.iat = kIssuedAt, .nbf = kIssuedAt, .exp = kIssuedAt + kWholeLife};
}
GivenLife life_at(Duration after_issue, std::optional<OffsetBound> api = {}) {
  return given_life(claims_of_600s(), *claims_of_600s().exp, WallTime{kIssuedAt + after_issue},
                    api);
}

TEST(GivenLife, IsCountedByTheLocalClockWhereNothingBetterIsKnown) {
  EXPECT_EQ(life_at(100s).remaining, 500s);
  EXPECT_TRUE(life_at(100s).warnings.empty());
  EXPECT_EQ(life_at(600s).remaining, 0s);
}

TEST(GivenLife, IsNeverMoreThanExpMinusIat) {
  EXPECT_EQ(life_at(-1h).remaining, kWholeLife);
  oauth::JwtClaims no_iat = claims_of_600s();
  no_iat.iat.reset();
  EXPECT_EQ(given_life(no_iat, *no_iat.exp, WallTime{kIssuedAt - 1h}, {}).remaining,
            kWholeLife + 1h);
}

TEST(GivenLife, WarnsThatTheLocalClockIsBehindWhereIatIsInTheFuture) {
  ASSERT_EQ(life_at(-1h).warnings.size(), 1U);
  EXPECT_NE(life_at(-1h).warnings[0].find("the local clock is behind"), std::string::npos);
  EXPECT_TRUE(life_at(-2s).warnings.empty()) << "two good clocks may differ by that";
  EXPECT_FALSE(life_at(-2s - 1ns).warnings.empty());
}

TEST(GivenLife, WarnsIfOnlyTheLocalClockSaysThatItHasExpired) {
  ASSERT_EQ(life_at(1h).warnings.size(), 1U);
  EXPECT_NE(life_at(1h).warnings[0].find("ended 50 min"), std::string::npos)
      << life_at(1h).warnings[0];
  EXPECT_TRUE(life_at(600s - 1ns).warnings.empty());
}

TEST(GivenLife, IsCountedByTheApisClockWhereThatIsKnown) {
  const OffsetBound hour_behind{-3601s, -3600s};  // the API's clock minus the local one
  EXPECT_EQ(life_at(1h + 100s, hour_behind).remaining, 500s);
  EXPECT_EQ(life_at(1h + 100s, hour_behind).warnings.size(), 1U) << "it has ended locally";
}

}  // namespace
}  // namespace skewguard::engine
