#include "net/request_head.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace skewguard::net {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::Optional;

http::Url url(const std::string& text) {
  auto parsed = http::parse_url(text);
  EXPECT_TRUE(parsed.ok()) << text;
  return *parsed;
}

std::string head_of(const HttpRequest& request, const http::Url& to) {
  return std::string(wire_head(request, to).reveal());
}

TEST(RequestHead, StandsOnTheWireByteForByte) {
  HttpRequest request;
  request.headers = {{"User-Agent", "mine/1"}, {"Accept", "application/json"}};
  request.authorization = Secret("Bearer abc");
  EXPECT_EQ(head_of(request, url("http://api.example:8080/api/v2/tokens/me?x=1")),
            "GET /api/v2/tokens/me?x=1 HTTP/1.1\r\n"
            "Host: api.example:8080\r\n"
            "Accept-Encoding: identity\r\n"
            "User-Agent: mine/1\r\n"
            "Accept: application/json\r\n"
            "Authorization: Bearer abc\r\n"
            "\r\n");
}

TEST(RequestHead, NamesItselfUnlessTheRequestHasANameOfItsOwn) {
  HttpRequest request;
  EXPECT_THAT(head_of(request, url("http://a/")), HasSubstr("\r\nUser-Agent: skewguard/"));
  request.headers = {{"user-agent", "mine"}, {"ACCEPT-ENCODING", "gzip"}};
  const auto head = head_of(request, url("http://a/"));
  EXPECT_THAT(head, Not(HasSubstr("skewguard/")));
  EXPECT_THAT(head, Not(HasSubstr("identity")));
}

TEST(RequestHead, AnIpv6HostStandsInBrackets) {
  EXPECT_THAT(head_of({}, url("http://[::1]:81/")), HasSubstr("\r\nHost: [::1]:81\r\n"));
}

TEST(RequestHead, LeavesTheDefaultPortOutOfHost) {
  EXPECT_THAT(head_of({}, url("https://a.example:443/")), HasSubstr("\r\nHost: a.example\r\n"));
}

TEST(RequestHead, SaysTheLengthWhereContentIsThereOrExpected) {
  HttpRequest request;
  EXPECT_THAT(head_of(request, url("http://a/")), Not(HasSubstr("Content-Length")));
  request.body = Secret("12345");
  EXPECT_THAT(head_of(request, url("http://a/")), HasSubstr("\r\nContent-Length: 5\r\n"));
  for (const char* method : {"POST", "PUT", "PATCH"}) {
    request.method = method;
    request.body = Secret();
    EXPECT_THAT(head_of(request, url("http://a/")), HasSubstr("\r\nContent-Length: 0\r\n"));
  }
}

TEST(RequestRefusal, NothingIsSaidAgainstAnOrdinaryRequest) {
  HttpRequest request;
  request.method = "POST";
  request.headers = {{"Content-Type", "application/json; charset=utf-8"}, {"X-Tab", "a\tb"}};
  request.authorization = Secret("Basic ZGVtbzpkZW1v");
  request.body = Secret(std::string("\0\r\n", 3));  // a body may hold anything
  EXPECT_EQ(why_invalid(request), std::nullopt);
}

TEST(RequestRefusal, ControlBytesInAFieldAreRefusedWithoutRepeatingThem) {
  const std::vector<std::string> values{"a\r\nEvil: 1", "a\nb", "a\rb",
                                        {"a\0b", 3},    "\x7f", "\x1b[2J"};
  for (const auto& value : values) {
    HttpRequest request;
    request.headers.add("X-Note", value);
    const auto reason = why_invalid(request);
    ASSERT_TRUE(reason);
    EXPECT_THAT(*reason, HasSubstr("X-Note"));
    EXPECT_THAT(*reason, Not(HasSubstr(value)));
  }
}

TEST(RequestRefusal, AnAuthorizationThatCannotGoInAHeaderIsRefusedAndNotShown) {
  HttpRequest request;
  request.authorization = Secret("Bearer tok\r\nen");
  const auto reason = why_invalid(request);
  ASSERT_TRUE(reason);
  EXPECT_THAT(*reason, HasSubstr("Authorization"));
  EXPECT_THAT(*reason, Not(HasSubstr("tok")));
}

TEST(RequestRefusal, AFieldNameMustBeAToken) {
  for (const char* name : {"", "a b", "a:b", "a\r\nb", "ä"}) {
    HttpRequest request;
    request.headers.add(name, "x");
    EXPECT_TRUE(why_invalid(request)) << name;
  }
}

TEST(RequestRefusal, FieldsThatFrameTheMessageAreTheTransportsOwn) {
  for (const char* name :
       {"Host", "content-length", "Transfer-Encoding", "Connection", "AUTHORIZATION", "Upgrade",
        "TE", "Trailer", "keep-alive", "Proxy-Connection", "Proxy-Authorization"}) {
    HttpRequest request;
    request.headers.add(name, "x");
    EXPECT_THAT(why_invalid(request), Optional(HasSubstr(name)));
  }
}

TEST(RequestRefusal, AMethodMustBeATokenAndNoTunnel) {
  for (const char* method : {"", "GET /", "G\r\nT", "CONNECT"}) {
    HttpRequest request;
    request.method = method;
    EXPECT_TRUE(why_invalid(request)) << method;
  }
}

}  // namespace
}  // namespace skewguard::net
