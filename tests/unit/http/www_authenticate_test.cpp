#include "http/www_authenticate.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string>

namespace skewguard::http {
namespace {

using ::testing::IsEmpty;

Headers one(std::string value) {
  return {{"WWW-Authenticate", std::move(value)}};
}

/// "scheme{name=value;...}" of each challenge, so that a whole answer compares as one text.
std::string parsed(const Headers& headers) {
  std::string out;
  for (const auto& challenge : challenges(headers)) {
    out += (out.empty() ? "" : " ") + challenge.scheme + "{";
    for (const auto& [name, value] : challenge.params) out += name + "=" + value + ";";
    out += "}";
  }
  return out;
}

std::vector<Challenge> of(const Headers& headers) {
  return challenges(headers);
}

// RFC 6750 section 3, both examples.
TEST(WwwAuthenticate, ReadsTheExamplesOfRfc6750) {
  EXPECT_EQ(parsed(one(R"(Bearer realm="example")")), "bearer{realm=example;}");
  const auto error = bearer_error(of(one(
      R"(Bearer realm="example", error="invalid_token", error_description="The access token expired")")));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error, "invalid_token");
  EXPECT_EQ(error->description, "The access token expired");
  EXPECT_EQ(error->scope, "");
}

// RFC 9110 section 11.6.1: two challenges in one field, with a comma inside a quoted string.
TEST(WwwAuthenticate, ReadsTheExampleOfRfc9110) {
  EXPECT_EQ(
      parsed(
          one(R"(Basic realm="simple", Newauth realm="apps", type=1, title="Login to \"apps\"")")),
      R"(basic{realm=simple;} newauth{realm=apps;type=1;title=Login to "apps";})");
}

TEST(WwwAuthenticate, ReadsWhatTheGrammarAllows) {
  const std::array<std::pair<const char*, const char*>, 22> kCases{{
      {"Bearer", "bearer{}"},
      {"BEARER", "bearer{}"},
      {"Bearer, Basic", "bearer{} basic{}"},
      {"Bearer , Basic", "bearer{} basic{}"},
      {", ,Bearer,, ,", "bearer{}"},
      {"Bearer a=1,b=2", "bearer{a=1;b=2;}"},
      {"Bearer a=1 , ,b=2", "bearer{a=1;b=2;}"},
      {"Bearer ,a=1", "bearer{a=1;}"},
      {"Bearer a = 1 ,\tb\t=\t\"2\"", "bearer{a=1;b=2;}"},
      {"Bearer   a=1", "bearer{a=1;}"},
      {"Bearer a=\"\"", "bearer{a=;}"},
      {"Bearer a=1, Basic, Digest b=2", "bearer{a=1;} basic{} digest{b=2;}"},
      {"Bearer a=1,Basic b=2", "bearer{a=1;} basic{b=2;}"},
      {R"(Bearer a="x,y=z, Basic q=1")", "bearer{a=x,y=z, Basic q=1;}"},
      {R"(Bearer a="\\\"\x")", R"(bearer{a=\"x;})"},
      {"Bearer a=\"caf\xC3\xA9\"", "bearer{a=caf\xC3\xA9;}"},
      {"Bearer a=\"b\tc\"", "bearer{a=b\tc;}"},
      {"Negotiate YII+/x-._~==", "negotiate{}"},
      {"Negotiate YII=, Bearer a=1", "negotiate{} bearer{a=1;}"},
      {"NTLM TlRM , Basic realm=x", "ntlm{} basic{realm=x;}"},
      {"Negotiate abc", "negotiate{}"},
      {"Bearer error=invalid_token", "bearer{error=invalid_token;}"},
  }};
  for (const auto& [value, expected] : kCases) EXPECT_EQ(parsed(one(value)), expected) << value;
}

TEST(WwwAuthenticate, LeavesOutWhatIsMalformedUpToTheNextComma) {
  const std::array<std::pair<const char*, const char*>, 21> kCases{{
      {"", ""},
      {"  ", ""},
      {"\"Bearer\"", ""},
      {"=x", ""},
      {"Bearer/ a=1", "bearer{}"},
      {"Bearer\ta=1", "bearer{}"},
      {"Bearer a=1 b=2", "bearer{a=1;}"},
      {"Bearer a=1; b=2", "bearer{a=1;}"},
      {"Bearer a=1, b=", "bearer{a=1;}"},
      {"Bearer a=1, b=\"x", "bearer{a=1;}"},
      {"Bearer a=1, b=\"x\\", "bearer{a=1;}"},
      {"Bearer a=1, b=\"x\\\"", "bearer{a=1;}"},
      {"Bearer a=1, b=\"x\"y, c=3", "bearer{a=1;b=x;c=3;}"},
      {"Bearer a=1, b=\"\x01\", c=3", "bearer{a=1;c=3;}"},
      {"Bearer a=1, b=\"\\\n\", c=3", "bearer{a=1;c=3;}"},
      {"Bearer a=1, =2, c=3", "bearer{a=1;c=3;}"},
      {"Bearer abc def, Basic", "bearer{} basic{}"},
      {"Bearer a=/path, b=2", "bearer{b=2;}"},
      {"Digest a=/path, Bearer error=invalid_token", "digest{} bearer{error=invalid_token;}"},
      {"Bearer error_description=The token ended, error=e",
       "bearer{error_description=The;error=e;}"},
      {"a=1, Bearer x \"y, z\", b=2", "bearer{b=2;}"},
  }};
  for (const auto& [value, expected] : kCases) EXPECT_EQ(parsed(one(value)), expected) << value;
}

TEST(WwwAuthenticate, ReadsEveryFieldAndAMalformedOneSpoilsNoOther) {
  const Headers headers{{"WWW-Authenticate", "Basic realm=\"unfinished"},
                        {"Content-Type", "text/html"},
                        {"www-authenticate", "Bearer error=\"invalid_token\""}};
  EXPECT_EQ(parsed(headers), "basic{} bearer{error=invalid_token;}");
  EXPECT_THAT(challenges({}), IsEmpty());
}

TEST(WwwAuthenticate, EveryPrefixGivesAtMostWhatTheWholeGives) {
  const std::string whole =
      R"(Basic realm="simple", Bearer error="invalid_token", scope="a b", Negotiate YII==)";
  for (std::size_t n = 0; n < whole.size(); ++n) {
    const auto found = challenges(one(whole.substr(0, n)));
    ASSERT_LE(found.size(), 3U) << n;
    for (const auto& challenge : found) {
      for (const auto& param : challenge.params) {
        EXPECT_NE(whole.find(param.value), std::string::npos) << n;
      }
    }
  }
  // A value appears only with its closing quote.
  const auto cut = whole.find("invalid_token") + 13;
  EXPECT_EQ(bearer_error(of(one(whole.substr(0, cut))))->error, "");
  EXPECT_EQ(bearer_error(of(one(whole.substr(0, cut + 1))))->error, "invalid_token");
}

TEST(WwwAuthenticate, StaysLinearOnHostileInput) {
  constexpr std::size_t kBytes = 200'000;
  std::string commas;
  std::string pairs = "Bearer ";
  while (commas.size() < kBytes) commas += ", ";
  while (pairs.size() < kBytes) pairs += "a=1,";
  EXPECT_THAT(challenges(one(commas)), IsEmpty());
  EXPECT_EQ(challenges(one(pairs)).size(), 1U);
  EXPECT_EQ(challenges(one("Bearer a=\"" + std::string(kBytes, '\\'))).size(), 1U);
  EXPECT_EQ(challenges(one("Bearer " + std::string(kBytes, ' ') + "x y")).size(), 1U);
  EXPECT_EQ(challenges(one("Bearer " + std::string(kBytes, 'x') + " y")).size(), 1U);
  EXPECT_EQ(challenges(one("Bearer x" + std::string(kBytes, '=') + "y")).size(), 1U);
}

TEST(Challenge, FindsAParameterWhateverTheCaseAndTakesTheFirst) {
  const auto found = challenges(one("Bearer Error=a, ERROR=b, x=c"));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found.front().param("error"), "a");
  EXPECT_EQ(found.front().param("X"), "c");
  EXPECT_EQ(found.front().param("none"), std::nullopt);
}

TEST(BearerError, IsThatOfTheBearerChallengeThatSaysMost) {
  const auto error = bearer_error(
      of({{"WWW-Authenticate", "Basic error=\"not this\""},
          {"WWW-Authenticate",
           "DPoP error=x, bearer scope=\"users:read users:write\", error=insufficient_scope"},
          {"WWW-Authenticate", "Bearer error=later"}}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error, "insufficient_scope");
  EXPECT_EQ(error->scope, "users:read users:write");
  EXPECT_EQ(error->description, "");

  const auto said = [](const char* value) { return bearer_error(of(one(value)))->error; };
  EXPECT_EQ(said("Bearer realm=a, Bearer error=invalid_token"), "invalid_token");
  EXPECT_EQ(said("Bearer error=invalid_token, Bearer error=invalid_request"), "invalid_token");
  EXPECT_EQ(said("Bearer error=invalid_token, Bearer error=insufficient_scope"),
            "insufficient_scope");
}

TEST(BearerError, IsEmptyWhereNoTokenWasSentAndAbsentWithoutBearer) {
  // RFC 6750 section 3.1: a request without authentication gets no error code.
  const auto error = bearer_error(of(one("Bearer realm=\"example\"")));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error, "");
  EXPECT_FALSE(bearer_error(of(one("Basic realm=\"example\""))));
  EXPECT_FALSE(bearer_error(of(one("Bearers error=x"))));
  EXPECT_FALSE(bearer_error(of({})));
}

}  // namespace
}  // namespace skewguard::http
