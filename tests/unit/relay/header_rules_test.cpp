#include "relay/header_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "heads.hpp"

namespace skewguard::relay::testing {
namespace {

using ::testing::HasSubstr;

constexpr OutgoingRequest kToApi{
    .target = "/api/v2/x?a=%2F", .authority = "api.test", .authorization = "Bearer token"};

std::string sent(std::string_view fields, std::string_view start = "GET /x HTTP/1.1") {
  RequestReader reader;
  const std::string bytes = request_with(fields, start);
  EXPECT_EQ(reader.read(bytes), ReadHead::whole) << words(reader.fault());
  std::string memory(2 * kMaxHead, '\0');
  Buffer out(memory);
  EXPECT_TRUE(append_request_head(reader.head(), kToApi, out));
  return std::string(out.bytes());
}

/// The head to the API without what stands in every one.
std::string sent_fields(std::string_view fields) {
  std::string head = sent(fields);
  const std::string before = "GET /api/v2/x?a=%2F HTTP/1.1\r\nHost: api.test\r\n";
  EXPECT_TRUE(head.starts_with(before)) << head;
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
  head.resize(head.size() - 2);
  return head.substr(before.size());
}

OutgoingAnswer to_client() {
  return {.method = "GET",
          .client_version = 11,
          .api_origin = "https://api.test",
          .client_host = "127.0.0.1:8484",
          .verdict = "ok",
          .attempts = 2,
          .close = false};
}

std::string given(std::string_view head, const OutgoingAnswer& outgoing = to_client()) {
  AnswerReader reader;
  EXPECT_EQ(reader.read(head), ReadHead::whole) << words(reader.fault());
  std::string memory(2 * kMaxHead, '\0');
  Buffer out(memory);
  EXPECT_TRUE(append_answer_head(reader.head(), outgoing, out));
  return std::string(out.bytes());
}

constexpr std::string_view kOurs = "Skewguard-Verdict: ok\r\nSkewguard-Attempts: 2\r\n";

/// The fields that the client gets of these, without those that are always ours.
std::string given_fields(std::string_view fields, const OutgoingAnswer& outgoing = to_client(),
                         std::string_view start = "HTTP/1.1 200 OK") {
  const std::string head = given(answer_with(fields, start), outgoing);
  EXPECT_TRUE(head.starts_with(std::string(start) + "\r\n")) << head;
  const std::size_t ours = head.find(kOurs);
  EXPECT_NE(ours, std::string::npos) << head;
  return head.substr(start.size() + 2, ours - start.size() - 2);
}

TEST(RequestRules, ChangeOnlyWhatTheApiMustSeeDifferently) {
  EXPECT_EQ(sent("X-B: 2\r\naUTHORIZATION: Basic abc\r\nx-a:  1 \r\nX-B: 2\r\nDate: d\r\n"
                 "Cookie: c=1\r\nContent-Type: t\r\nContent-Length: 07\r\n",
                 "pUT /ignored HTTP/1.0"),
            "pUT /api/v2/x?a=%2F HTTP/1.1\r\nHost: api.test\r\nX-B: 2\r\n"
            "aUTHORIZATION: Bearer token\r\nx-a: 1\r\nX-B: 2\r\nDate: d\r\nCookie: c=1\r\n"
            "Content-Type: t\r\nContent-Length: 7\r\n\r\n");
}

TEST(RequestRules, AddAuthorizationOnce) {
  EXPECT_EQ(sent_fields("A: 1\r\n"), "A: 1\r\nAuthorization: Bearer token\r\n");
  EXPECT_EQ(sent_fields("Authorization: x\r\nA: 1\r\n"), "Authorization: Bearer token\r\nA: 1\r\n");
}

TEST(RequestRules, DropTheFieldsOfOneConnection) {
  for (const auto* field :
       {"Connection: x", "Keep-Alive: timeout=5", "Proxy-Connection: x", "TE: trailers",
        "Trailer: X", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk", "Proxy-Authorization: Basic abc",
        "Proxy-Authenticate: Basic", "Expect: 100-continue", "expect: x"})
    EXPECT_EQ(sent_fields(std::string(field) + "\r\n"), "Authorization: Bearer token\r\n") << field;
}

TEST(RequestRules, DropWhatConnectionNames) {
  EXPECT_EQ(sent_fields("X-A: 1\r\nConnection: keep-alive, x-a\r\nX-B: 2\r\nX-C: 3\r\n"
                        "Connection: X-C\r\nX-Ab: 4\r\n"),
            "X-B: 2\r\nX-Ab: 4\r\nAuthorization: Bearer token\r\n");
}

TEST(RequestRules, KeepWhatAnotherFieldNames) {
  EXPECT_EQ(sent_fields("Connection: keep-alive\r\nX-A: X-B\r\nX-B: 1\r\n"),
            "X-A: X-B\r\nX-B: 1\r\nAuthorization: Bearer token\r\n");
}

TEST(RequestRules, KeepWhatTheMessageDependsOnEvenIfConnectionNamesIt) {
  EXPECT_EQ(sent("Connection: Host, Authorization, Content-Length, Content-Type, "
                 "Content-Encoding, Cookie, Date\r\nContent-Length: 1\r\nContent-Type: t\r\n"
                 "Content-Encoding: gzip\r\nCookie: c\r\nDate: d\r\nAuthorization: x\r\n"),
            "GET /api/v2/x?a=%2F HTTP/1.1\r\nHost: api.test\r\nContent-Length: 1\r\n"
            "Content-Type: t\r\nContent-Encoding: gzip\r\nCookie: c\r\nDate: d\r\n"
            "Authorization: Bearer token\r\n\r\n");
}

TEST(RequestRules, KeepTheChunkedFramingEvenIfConnectionNamesIt) {
  EXPECT_EQ(sent_fields("Connection: Transfer-Encoding\r\nTransfer-encoding: ChunkeD\r\n"),
            "Transfer-encoding: chunked\r\nAuthorization: Bearer token\r\n");
}

TEST(RequestRules, AppendNothingIfTheHeadDoesNotFit) {
  RequestReader reader;
  const std::string bytes = request_with("A: 1\r\n");
  ASSERT_EQ(reader.read(bytes), ReadHead::whole);
  const std::size_t size = sent("A: 1\r\n").size();
  std::string memory(size + 1, '\0');
  Buffer out(memory);
  ASSERT_TRUE(out.append({"ab"}));
  EXPECT_FALSE(append_request_head(reader.head(), kToApi, out));
  EXPECT_EQ(out.bytes(), "ab");
  out.remove(1);
  EXPECT_TRUE(append_request_head(reader.head(), kToApi, out));
  EXPECT_EQ(out.room(), 0U);
}

TEST(AnswerRules, ChangeOnlyWhatIsOurs) {
  EXPECT_EQ(given("HTTP/1.0 418 I'm a  teapot\r\nDate: d\r\nx-b:  1 \r\nX-B: 2\r\n"
                  "content-length: 03\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n"
                  "inin-ratelimit-count: 5\r\nContent-Encoding: gzip\r\n\r\n"),
            "HTTP/1.1 418 I'm a  teapot\r\nDate: d\r\nx-b: 1\r\nX-B: 2\r\ncontent-length: 3\r\n"
            "Set-Cookie: a\r\nSet-Cookie: b\r\ninin-ratelimit-count: 5\r\n"
            "Content-Encoding: gzip\r\nSkewguard-Verdict: ok\r\nSkewguard-Attempts: 2\r\n\r\n");
}

TEST(AnswerRules, DropTheFieldsOfOneConnectionAndOfOurNames) {
  for (const auto* field :
       {"Connection: close", "Keep-Alive: 5", "Proxy-Connection: x", "Trailer: X", "Upgrade: h2c",
        "Proxy-Authenticate: Basic", "SKEWGUARD-verdict: x", "Skewguard-Attempts: 9"}) {
    const std::string length = "Content-Length: 0\r\n";
    EXPECT_EQ(given_fields(length + field + "\r\n"), length) << field;
  }
  EXPECT_EQ(given_fields("Content-Length: 0\r\nConnection: X-A, Date, content-length\r\nX-A: 1\r\n"
                         "Date: d\r\n"),
            "Content-Length: 0\r\nDate: d\r\n");
}

TEST(AnswerRules, SayWhenTheConnectionEnds) {
  auto outgoing = to_client();
  outgoing.close = true;
  EXPECT_THAT(given(answer_with("Content-Length: 0\r\n"), outgoing),
              HasSubstr(std::string(kOurs) + "Connection: close\r\n\r\n"));
}

TEST(AnswerRules, FrameTheBodyForTheClient) {
  auto old_client = to_client();
  old_client.client_version = 10;
  EXPECT_EQ(given_fields("transfer-encoding: Chunked\r\nA: 1\r\n"),
            "transfer-encoding: chunked\r\nA: 1\r\n");
  EXPECT_EQ(given_fields("transfer-encoding: Chunked\r\nA: 1\r\n", old_client), "A: 1\r\n");
  EXPECT_EQ(given_fields("A: 1\r\n"), "A: 1\r\nTransfer-Encoding: chunked\r\n");
  EXPECT_EQ(given_fields("A: 1\r\n", old_client), "A: 1\r\n");
  EXPECT_EQ(given_fields("Content-Length: 3\r\nContent-Length: 3\r\n"), "Content-Length: 3\r\n");
}

TEST(AnswerRules, DescribeTheBodyThatHeadLeavesOut) {
  auto to_head = to_client();
  to_head.method = "HEAD";
  EXPECT_EQ(given_fields("Content-Length: 3\r\n", to_head), "Content-Length: 3\r\n");
  EXPECT_EQ(given_fields("Transfer-Encoding: chunked\r\n", to_head),
            "Transfer-Encoding: chunked\r\n");
  EXPECT_EQ(given_fields("A: 1\r\n", to_head), "A: 1\r\n");
  to_head.client_version = 10;
  EXPECT_EQ(given_fields("Transfer-Encoding: chunked\r\n", to_head), "");
}

TEST(AnswerRules, GiveNoFramingToAnAnswerThatHasNoBody) {
  for (const auto* start : {"HTTP/1.1 204 No Content", "HTTP/1.1 304 Not Modified"})
    EXPECT_EQ(given_fields("Transfer-Encoding: chunked\r\n", to_client(), start), "") << start;
  EXPECT_EQ(given_fields("Content-Length: 3\r\n", to_client(), "HTTP/1.1 204 No Content"), "");
  EXPECT_EQ(given_fields("Content-Length: 3\r\n", to_client(), "HTTP/1.1 304 Not Modified"),
            "Content-Length: 3\r\n");
}

TEST(AnswerRules, RewriteALocationAtTheApi) {
  const auto location = [](const std::string& value) {
    return given_fields("Content-Length: 0\r\nlocation: " + value + "\r\n");
  };
  EXPECT_EQ(location("https://api.test/api/v2/x?y#z"),
            "Content-Length: 0\r\nlocation: http://127.0.0.1:8484/api/v2/x?y#z\r\n");
  EXPECT_EQ(location("https://login.test/x"),
            "Content-Length: 0\r\nlocation: https://login.test/x\r\n");
  EXPECT_EQ(location("/api/v2/x"), "Content-Length: 0\r\nlocation: /api/v2/x\r\n");
}

TEST(AnswerRules, LetAWebPageReadTheAnswer) {
  const std::string fields =
      "Content-Length: 0\r\naccess-control-allow-origin: *\r\nVary: Accept\r\n"
      "Access-Control-Expose-Headers: X\r\n";
  EXPECT_EQ(given_fields(fields), fields) << "no page of ours";
  auto to_page = to_client();
  to_page.origin = "https://app.test";
  EXPECT_EQ(given_fields(fields, to_page),
            "Content-Length: 0\r\nVary: Accept\r\nAccess-Control-Allow-Origin: https://app.test\r\n"
            "Vary: Origin\r\nAccess-Control-Expose-Headers: *\r\n");
}

std::string page_head(const OutgoingPage& page) {
  std::string memory(300, '\0');
  Buffer out(memory);
  EXPECT_TRUE(append_page_head(page, out));
  Buffer small{std::span<char>(memory).first(out.size() - 1)};
  const std::string head(out.bytes());
  EXPECT_FALSE(append_page_head(page, small));
  EXPECT_TRUE(small.empty());
  return head;
}

TEST(PageRules, FrameThePage) {
  EXPECT_EQ(page_head({.reason = "OK", .fields = "A: 1\r\n", .length = 7}),
            "HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 7\r\n\r\n");
  EXPECT_EQ(page_head({.status = 204, .reason = "No Content", .close = true}),
            "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(page_head({.status = 403, .reason = "No", .origin = "https://app.test"}),
            "HTTP/1.1 403 No\r\nContent-Length: 0\r\n"
            "Access-Control-Allow-Origin: https://app.test\r\nVary: Origin\r\n"
            "Access-Control-Expose-Headers: *\r\n\r\n");
}

std::string preflight_answer(std::string_view fields, bool close = false) {
  const std::string bytes = request_with(fields, "OPTIONS /api/v2/x HTTP/1.1");
  RequestReader reader;
  EXPECT_EQ(reader.read(bytes), ReadHead::whole);
  std::string memory(512, '\0');
  Buffer out(memory);
  EXPECT_TRUE(append_preflight_answer(reader.head(), "https://app.test", close, out));
  Buffer small{std::span<char>(memory).first(out.size() - 1)};
  const std::string head(out.bytes());
  EXPECT_FALSE(append_preflight_answer(reader.head(), "https://app.test", close, small));
  return head;
}

TEST(PageRules, AllowAPageWhatItsBrowserAsksFor) {
  EXPECT_EQ(preflight_answer("Access-Control-Request-Method: PATCH\r\n"
                             "Access-Control-Request-Headers: authorization,purecloud-sdk\r\n"),
            "HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: https://app.test\r\n"
            "Vary: Origin\r\nAccess-Control-Allow-Methods: PATCH\r\n"
            "Access-Control-Allow-Headers: authorization,purecloud-sdk\r\n"
            "Access-Control-Max-Age: 600\r\n\r\n");
  EXPECT_EQ(preflight_answer("access-control-request-method: GET\r\n", true),
            "HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: https://app.test\r\n"
            "Vary: Origin\r\nAccess-Control-Allow-Methods: GET\r\n"
            "Access-Control-Max-Age: 600\r\nConnection: close\r\n\r\n");
}

TEST(AnswerRules, KnowTheOriginOfALocation) {
  EXPECT_EQ(path_on_origin("https://api.test/x", "https://api.test"), "/x");
  EXPECT_EQ(path_on_origin("HTTPS://API.test:443/x", "https://api.test"), "/x");
  EXPECT_EQ(path_on_origin("http://api.test:80?q", "http://api.test"), "?q");
  EXPECT_EQ(path_on_origin("http://api.test:81#f", "http://api.test:81"), "#f");
  EXPECT_EQ(path_on_origin("https://api.test", "https://api.test"), "/");
  EXPECT_EQ(path_on_origin("http://[::1]:80/x", "http://[::1]"), "/x");
  EXPECT_EQ(path_on_origin("http://[::1]:81/x", "http://[::1]:81"), "/x");
  EXPECT_EQ(path_on_origin("http://[::1]:81:80/x", "http://[::1]:81"), "");
  for (const auto* location :
       {"https://api.test.evil/", "https://api.test@evil/", "https://api.test:443@evil/",
        "https://api.test:80/", "https://api.test:4430/", "http://api.test/", "//api.test/",
        "https://api.tes", "https://evil/https://api.test/", ""})
    EXPECT_EQ(path_on_origin(location, "https://api.test"), "") << location;
  EXPECT_EQ(path_on_origin("http://api.test:81:80/", "http://api.test:81"), "");
  EXPECT_EQ(path_on_origin("anything", ""), "");
}

TEST(AnswerRules, AppendNothingIfTheHeadDoesNotFit) {
  const std::string bytes = answer_with("Content-Length: 0\r\n");
  AnswerReader reader;
  ASSERT_EQ(reader.read(bytes), ReadHead::whole);
  std::string memory(given(bytes).size() - 1, '\0');
  Buffer out(memory);
  EXPECT_FALSE(append_answer_head(reader.head(), to_client(), out));
  EXPECT_TRUE(out.empty());
}

TEST(AnswerRules, PassInterimAnswersWithoutFraming) {
  AnswerReader reader;
  const std::string bytes = answer_with(
      "Link: </a>\r\nConnection: X\r\nX: 1\r\nContent-Length: 5\r\n", "HTTP/1.1 103 Early Hints");
  ASSERT_EQ(reader.read(bytes), ReadHead::whole);
  std::string memory(256, '\0');
  Buffer out(memory);
  ASSERT_TRUE(append_interim_head(reader.head(), out));
  EXPECT_EQ(out.bytes(), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n");
}

std::optional<std::chrono::seconds> keep_alive(const std::string& value) {
  AnswerReader reader;
  const std::string bytes = answer_with("Keep-Alive: " + value + "\r\nContent-Length: 0\r\n");
  EXPECT_EQ(reader.read(bytes), ReadHead::whole);
  return keep_alive_time(reader.head());
}

TEST(KeepAliveTime, IsWhatTheFieldSays) {
  using std::chrono::seconds;
  EXPECT_EQ(keep_alive("timeout=5"), seconds{5});
  EXPECT_EQ(keep_alive("max=100, Timeout=005"), seconds{5});
  EXPECT_EQ(keep_alive("timeout=0"), seconds{0});
  EXPECT_EQ(keep_alive("timeout=999999, max=1"), seconds{999'999});
}

TEST(KeepAliveTime, IsNotKnownOtherwise) {
  for (const auto* value : {"", "5", "timeout", "timeout=", "timeout=-1", "timeout=5s",
                            "timeout = 5", "timeout=1000000", "max=100", "xtimeout=5"})
    EXPECT_FALSE(keep_alive(value)) << value;
  AnswerReader reader;
  ASSERT_EQ(reader.read("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), ReadHead::whole);
  EXPECT_FALSE(keep_alive_time(reader.head()));
}

}  // namespace
}  // namespace skewguard::relay::testing
