#include "oauth/jwt_peek.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "oauth_testing.hpp"

namespace skewguard::oauth {
namespace {

using namespace std::chrono_literals;

TEST(JwtPeek, ReadsTheExampleOfRfc7519) {
  // RFC 7519 section 3.1: {"iss":"joe", "exp":1300819380, ...}
  const auto claims = peek_jwt(
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl"
      "fQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->exp, 1300819380s);
  EXPECT_EQ(claims->iat, std::nullopt);
  EXPECT_EQ(claims->nbf, std::nullopt);
}

TEST(JwtPeek, ReadsAllThreeTimes) {
  const auto claims = peek_jwt(testing_jwt(R"({"iat":1000,"nbf":1001,"exp":1300})"));
  ASSERT_TRUE(claims);
  EXPECT_EQ(*claims, (JwtClaims{.iat = 1000s, .nbf = 1001s, .exp = 1300s}));
}

TEST(JwtPeek, ReadsFractionsAndExponents) {
  const auto claims = peek_jwt(testing_jwt(R"({"iat":1000.5,"nbf":1.5,"exp":1.3e3})"));
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->iat, 1000500ms);
  EXPECT_EQ(claims->nbf, 1500ms);
  EXPECT_EQ(claims->exp, 1300s);
}

TEST(JwtPeek, ReadsTokensOfUpTo256KiB) {
  constexpr std::size_t kMax = std::size_t{256} * 1024;
  std::string jwt = testing_jwt(R"({"exp":12})");
  jwt.resize(kMax, 'A');  // of its signature
  EXPECT_TRUE(peek_jwt(jwt));
  EXPECT_FALSE(peek_jwt(jwt + 'A'));
  EXPECT_FALSE(peek_jwt(jwt + "AA"));
}

TEST(JwtPeek, WholeSecondsOfTodayStayExact) {
  const auto claims = peek_jwt(testing_jwt(R"({"exp":1767225600})"));
  ASSERT_TRUE(claims);
  EXPECT_EQ(claims->exp, Duration{1767225600s});
}

TEST(JwtPeek, LeavesOutWhatIsNoTime) {
  const auto claims =
      peek_jwt(testing_jwt(R"({"iat":"soon","nbf":null,"exp":{"a":[1,2]},"sub":true})"));
  ASSERT_TRUE(claims);
  EXPECT_EQ(*claims, JwtClaims{});
}

TEST(JwtPeek, LeavesOutTimesBefore1970AndBeyond2169) {
  const auto claims = peek_jwt(
      testing_jwt(R"({"iat":-1,"nbf":1767225600000,"exp":1e300})"));  // nbf in milliseconds
  ASSERT_TRUE(claims);
  EXPECT_EQ(*claims, JwtClaims{});
}

TEST(JwtPeek, ReadsNumbersThatStandAsText) {
  const auto claims = peek_jwt(testing_jwt(R"({"iat":"1000","exp":"1300.5"})"));
  ASSERT_TRUE(claims);
  EXPECT_EQ(*claims, (JwtClaims{.iat = 1000s, .nbf = {}, .exp = 1300500ms}));
}

TEST(OddClaims, NamesThoseThatAreNoTimes) {
  EXPECT_THAT(odd_claims(testing_jwt(R"({"iat":1767225600000,"nbf":"5","exp":"soon"})")),
              testing::ElementsAre("iat", "exp"));
  EXPECT_THAT(odd_claims(testing_jwt(R"({"iat":5,"nbf":null})")), testing::IsEmpty());
  EXPECT_THAT(odd_claims("opaque"), testing::IsEmpty());
}

TEST(JwtPeek, AnEmptySignatureIsAJwtStill) {
  EXPECT_TRUE(peek_jwt("eyJhbGciOiJub25lIn0.e30."));  // RFC 7515 appendix A.5; {"alg":"none"}, {}
}

TEST(JwtPeek, TakesWhatIsNotAJwtAsOpaque) {
  const std::string good = testing_jwt("{}");
  for (const std::string& token :
       {std::string{}, std::string{"."}, std::string{".."}, std::string{"..."},
        std::string{"abc.def.ghi"},
        // The sample of docs/platform.md 1.4
        std::string{"aJdvugb8k1kwnOovm2qX6LXTctJksYvdzcoXPrRDi-nL1phQhcKRN-"
                    "bjcflq7CUDOmUCQv5OWuBSkPQr0peWhw"},
        testing_jwt("[1]"), testing_jwt("7"), testing_jwt("{\"exp\":1"), testing_jwt(""),
        good + ".x", good + "=", good + "!", "e30." + good, good.substr(0, good.rfind('.'))}) {
    EXPECT_EQ(peek_jwt(token), std::nullopt) << token;
  }
}

TEST(JwtPeek, RefusesNestingWithoutRecursion) {
  const std::string deep(100'000, '[');
  EXPECT_EQ(peek_jwt(testing_jwt(R"({"a":)" + deep + "}")), std::nullopt);
  // 62 arrays within the object are within the limit of 64 levels, 64 are one beyond.
  const auto nested = [](std::size_t n) {
    return testing_jwt(R"({"exp":5,"a":)" + std::string(n, '[') + std::string(n, ']') + "}");
  };
  EXPECT_TRUE(peek_jwt(nested(63)));
  EXPECT_EQ(peek_jwt(nested(64)), std::nullopt);
}

TEST(JwtPeek, ReadsTokensOf64KiBAndRefusesMoreThan256) {
  const auto of_size = [](std::size_t bytes) {
    return testing_jwt(R"({"exp":5,"pad":")" + std::string(bytes, 'x') + "\"}");
  };
  ASSERT_GE(of_size(50'000).size(), std::size_t{64} * 1024);
  EXPECT_EQ(peek_jwt(of_size(50'000))->exp, 5s);
  ASSERT_GT(of_size(200'000).size(), std::size_t{256} * 1024);
  EXPECT_EQ(peek_jwt(of_size(200'000)), std::nullopt);
}

}  // namespace
}  // namespace skewguard::oauth
