#include "engine/wire_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "oauth/grant.hpp"
#include "oauth/rfc6749_dialect.hpp"

namespace skewguard::engine {
namespace {

using ::testing::ElementsAre;
using ::testing::EndsWith;

struct WireLogTest : ::testing::Test {
  std::vector<std::string> lines;

  void tell(const SendResult& result, LogLevel least) {
    const Log log([this](const LogLine& line) { lines.push_back(line.message); }, least);
    HttpRequest request;
    request.url = "https://api.example/x";
    request.authorization = Secret("Bearer token-of-forty-characters");
    WireLog(log, request).answer(clocks::read(result));
  }
  static Exchange answer() {
    Exchange exchange;
    exchange.status = 401;
    exchange.headers = {{"Date", "Thu, 01 Jan 2026 00:00:00 GMT"},
                        {"WWW-Authenticate", "Bearer error=\"bad\", got=token-of-forty-characters"},
                        {"Set-Cookie", "session=1"}};
    exchange.body = "x";
    exchange.received.boot = exchange.sent.boot + std::chrono::milliseconds{12};
    return exchange;
  }
};

TEST_F(WireLogTest, LogsTheStatusAtDebug) {
  tell(answer(), LogLevel::debug);
  EXPECT_THAT(lines,
              ElementsAre("< 401 Unauthorized, 1 byte, after 12.0 ms; Date: Thu, 01 Jan 2026 "
                          "00:00:00 GMT"));
}

TEST_F(WireLogTest, LogsHeaderFieldsAtTraceWithoutTheirSecrets) {
  tell(answer(), LogLevel::trace);
  ASSERT_EQ(lines.size(), 4U);
  lines.erase(lines.begin());
  EXPECT_THAT(lines, ElementsAre("< Date: Thu, 01 Jan 2026 00:00:00 GMT",
                                 "< WWW-Authenticate: Bearer error=\"bad\", got=***",
                                 "< Set-Cookie: (not shown)"));
}

TEST_F(WireLogTest, LogsNoSecretWhereverAnAnswerRepeatsIt) {
  const std::string sent = "a%2Bb%2Fc%3Dd%2Be%2Ff%3Dg";
  for (const ClientAuth way : {ClientAuth::basic, ClientAuth::post}) {
    const oauth::ClientCredentials grant("my-client", Secret{"a+b/c=d+e/f=g"}, {}, way);
    const oauth::Rfc6749Dialect dialect;
    const HttpRequest request = dialect.request(grant, "https://login.example/token");
    for (const std::string& secret :
         {sent, std::string("a+b/c=d+e/f=g"), std::string("issued-7f3a9c-of-thirty-characters")}) {
      Exchange exchange;
      exchange.status = 200;
      exchange.headers = {{"Date", secret}, {"X-" + secret, "x"}, {"X-Seen", "got " + secret}};
      exchange.body = R"({"access_token":"issued-7f3a9c-of-thirty-characters","expires_in":300})";
      lines.clear();
      const Log log([this](const LogLine& line) { lines.push_back(line.message); },
                    LogLevel::trace);
      WireLog(log, request, &dialect).answer(clocks::Answer(exchange));
      EXPECT_THAT(lines, ElementsAre(EndsWith("; Date: ***"), "< Date: ***", "< X-***: x",
                                     "< X-Seen: got ***"))
          << secret;
    }
  }
}

/// RFC 4648 section 4: the last character also holds bits of what is padded.
TEST_F(WireLogTest, LogsNoSecretThatAnAnswerRepeatsInAnotherEncoding) {
  auto exchange = answer();
  exchange.headers = {{"X-Base64", "dG9rZW4tb2YtZm9ydHktY2hhcmFjdGVycw=="},
                      {"X-Percent", "got %74%6F%6B%65%6E%2D%6F%66"}};
  tell(exchange, LogLevel::trace);
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[1], "< X-Base64: " + std::string(33, '*') + "w==");
  EXPECT_EQ(lines[2], "< X-Percent: got " + std::string(24, '*'));
}

TEST_F(WireLogTest, CutsARedirectBeforeItsQuery) {
  Exchange redirect;
  redirect.status = 302;
  redirect.headers = {{"Location", "https://u:pw-1234@other.example/path?code=1234"},
                      {"location", "/path#access_token=1234"},
                      {"Location", "/path"}};
  tell(redirect, LogLevel::trace);
  ASSERT_EQ(lines.size(), 4U);
  lines.erase(lines.begin());
  EXPECT_THAT(lines, ElementsAre("< Location: https://other.example/path (cut)",
                                 "< location: /path (cut)", "< Location: /path"));
}

TEST_F(WireLogTest, LogsWhyThereIsNoAnswer) {
  tell(TransportFailure{.kind = TransportFailure::Kind::dns, .detail = "no such name"},
       LogLevel::debug);
  EXPECT_THAT(lines, ElementsAre("no answer: no such name"));
}

TEST_F(WireLogTest, SaysNothingToALogThatTakesNoSuchLines) {
  tell(answer(), LogLevel::info);
  EXPECT_THAT(lines, ElementsAre());
}

}  // namespace
}  // namespace skewguard::engine
