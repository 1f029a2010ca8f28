#include "net/request_parser.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

namespace skewguard::net {
namespace {

using Reading = RequestParser::Outcome;

constexpr RequestParser::Limits kLimits{.head = 200, .body = 20};

/// The result of parsing bytes that arrive in pieces of `piece` bytes: requests until a failure or
/// the end.
struct Received {
  std::vector<ReceivedRequest> requests;
  Reading last = Reading::more;
};

Received receive(const std::string& bytes, std::size_t piece) {
  RequestParser parser(kLimits);
  Received parsed;
  for (std::size_t i = 0; i < bytes.size(); i += piece) {
    parsed.last = parser.feed(std::string_view(bytes).substr(i, piece));
    while (parsed.last == Reading::complete) {
      parsed.requests.push_back(parser.take());
      parsed.last = parser.feed("");
    }
    if (parsed.last != Reading::more) break;
  }
  return parsed;
}

class RequestParserPieces : public testing::TestWithParam<std::size_t> {};
INSTANTIATE_TEST_SUITE_P(Of, RequestParserPieces, testing::Values(1, 2, 3, 7, 10'000));

TEST_P(RequestParserPieces, ReadsAllThatARequestSays) {
  const auto parsed = receive(
      "POST /oauth/token?a=b HTTP/1.1\r\nHost: h\r\nX-Two: 1\r\nx-two:  2 \r\n"
      "Content-Length: 5\r\n\r\nhello",
      GetParam());
  ASSERT_EQ(parsed.requests.size(), 1U);
  const auto& request = parsed.requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.target, "/oauth/token?a=b");
  EXPECT_EQ(request.headers.all("X-Two"), (std::vector<std::string_view>{"1", "2"}));
  EXPECT_EQ(request.body, "hello");
  EXPECT_EQ(request.version, 11);
  EXPECT_TRUE(request.keep_alive);
}

TEST_P(RequestParserPieces, ReadsRequestsThatCameTogetherInOrder) {
  const auto parsed = receive(
      "GET /1 HTTP/1.1\r\nHost: h\r\n\r\n"
      "PUT /2 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n"
      "Trailer: no\r\n\r\n"
      "HEAD /3 HTTP/1.0\r\n\r\n",
      GetParam());
  ASSERT_EQ(parsed.requests.size(), 3U);
  EXPECT_EQ(parsed.requests[0].target, "/1");
  EXPECT_EQ(parsed.requests[1].body, "abc");
  EXPECT_EQ(parsed.requests[1].headers.count("Trailer"), 0U);
  EXPECT_EQ(parsed.requests[2].method, "HEAD");
  EXPECT_EQ(parsed.requests[2].version, 10);
  EXPECT_FALSE(parsed.requests[2].keep_alive);
}

TEST_P(RequestParserPieces, KnowsWhenTheConnectionIsToClose) {
  const auto parsed = receive("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n", GetParam());
  ASSERT_EQ(parsed.requests.size(), 1U);
  EXPECT_FALSE(parsed.requests[0].keep_alive);
}

TEST_P(RequestParserPieces, TakesAHeadAtTheLimitAndRefusesOneByteMore) {
  const auto head = [](std::size_t size) {
    const std::string start = "GET / HTTP/1.1\r\nHost: h\r\nX: ";
    return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
  };
  EXPECT_EQ(receive(head(kLimits.head), GetParam()).requests.size(), 1U);
  const auto over = receive(head(kLimits.head + 1), GetParam());
  EXPECT_TRUE(over.requests.empty());
  EXPECT_EQ(over.last, Reading::head_over);
}

TEST_P(RequestParserPieces, TakesABodyAtTheLimitAndRefusesOneByteMore) {
  const auto sized = [](std::size_t size) {
    return "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(size, 'b');
  };
  const auto full = receive(sized(kLimits.body), GetParam());
  ASSERT_EQ(full.requests.size(), 1U);
  EXPECT_EQ(full.requests[0].body, std::string(kLimits.body, 'b'));
  EXPECT_EQ(receive(sized(kLimits.body + 1), GetParam()).last, Reading::body_over);
  const auto chunked = receive(
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\na\r\n0123456789\r\nb\r\n" +
          std::string(11, 'c') + "\r\n0\r\n\r\n",
      GetParam());
  EXPECT_TRUE(chunked.requests.empty());
  EXPECT_EQ(chunked.last, Reading::body_over);
}

TEST_P(RequestParserPieces, RefusesATrailerOverTheLimitOfTheHead) {
  const auto parsed =
      receive("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " +
                  std::string(2 * kLimits.head, 'x'),
              GetParam());
  EXPECT_TRUE(parsed.requests.empty());
  EXPECT_NE(parsed.last, Reading::more);
}

TEST_P(RequestParserPieces, GivesABodyOfAnySizeToItsSinkAsItComes) {
  const std::string body(3 * kLimits.body, 'b');
  const auto bytes = "POST /sink HTTP/1.1\r\nHost: h\r\nContent-Length: 60\r\n\r\n" + body +
                     "POST /keep HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nkept";
  RequestParser parser(kLimits);
  std::vector<std::string> heads;
  std::string sunk;
  parser.on_head([&](const ReceivedRequest& head) {
    heads.push_back(head.target);
    return head.target == "/sink"
               ? RequestParser::Sink([&](std::string_view piece) { sunk += piece; })
               : RequestParser::Sink{};
  });
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < bytes.size(); i += GetParam()) {
    auto found = parser.feed(std::string_view(bytes).substr(i, GetParam()));
    for (; found == Reading::complete; found = parser.feed(""))
      bodies.push_back(parser.take().body);
    ASSERT_EQ(found, Reading::more);
  }
  EXPECT_EQ(heads, (std::vector<std::string>{"/sink", "/keep"}));
  EXPECT_EQ(sunk, body);
  EXPECT_EQ(bodies, (std::vector<std::string>{"", "kept"}));
}

TEST(RequestParser, CountsTheBytesOfTheCurrentRequest) {
  const std::string first = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab";
  RequestParser parser(kLimits);
  EXPECT_EQ(parser.consumed(), 0U);
  parser.feed(first.substr(0, 10));
  EXPECT_EQ(parser.consumed(), 10U);
  EXPECT_EQ(parser.feed(first.substr(10) + "GET"), Reading::complete);
  EXPECT_EQ(parser.consumed(), first.size());
  parser.take();
  parser.feed("");
  EXPECT_EQ(parser.consumed(), 3U);
}

/// Each must be rejected as it is, without further bytes.
const std::vector<std::string>& hostile() {
  static const std::string get = "GET / HTTP/1.1\r\n";
  static const std::string host = get + "Host: h\r\n";
  static const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  static const std::string chunked = post + "Transfer-Encoding: chunked\r\n\r\n";
  static const std::vector<std::string> samples{
      // the request line
      "\x16\x03\x01 hello\r\n", "GET /\r\n", "GET  / HTTP/1.1\r\n", "GET / HTTP/1.1 \r\n",
      " GET / HTTP/1.1\r\n", "GET / a HTTP/1.1\r\n", "GET\t/ HTTP/1.1\r\n", "G(T / HTTP/1.1\r\n",
      "GET /#a HTTP/1.1\r\n", "GET /\xE9 HTTP/1.1\r\n", "GET / HTTP/2.0\r\n", "GET / HTTP/1.2\r\n",
      "GET / http/1.1\r\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\rX", "\r\n\r\n",
      std::string("GET /\0 HTTP/1.1\r\n", 17),
      // the lines of the fields
      host + "No colon\r\n", host + ": empty\r\n", host + "A : b\r\n", host + "A: b\r\n c\r\n",
      get + " Host: h\r\n", host + "A: b\n", host + "A: b\rC: d", host + "A: \x01\r\n",
      host + "A: \x7F\r\n", host + "A\xE9: b\r\n", host + "(A): b\r\n",
      // Host
      get + "\r\n", host + "Host: h\r\n\r\n", host + "host: i\r\n\r\n", get + "Host:\r\n\r\n",
      get + "Host: a b\r\n\r\n", get + "Host: a/b\r\n\r\n", get + "Host: u@h\r\n\r\n",
      get + "Host: :80\r\n\r\n", get + "Host: a:b:c\r\n\r\n", get + "Host: a:8x\r\n\r\n",
      get + "Host: [::1\r\n\r\n", get + "Host: []\r\n\r\n", get + "Host: [::1]8\r\n\r\n",
      get + "Host: h\xE9\r\n\r\n",
      // where the body ends
      post + "Content-Length: -1\r\n\r\n", post + "Content-Length: +1\r\n\r\n",
      post + "Content-Length: 0x1\r\n\r\n", post + "Content-Length: 1 1\r\n\r\n",
      post + "Content-Length:\r\n\r\n", post + "Content-Length: 18446744073709551616\r\n\r\n",
      post + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
      post + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
      post + "Content-Length: 1, 1\r\n\r\n",
      post + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
      post + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n",
      post + "Transfer-Encoding: xchunked\r\n\r\n", post + "Transfer-Encoding: gzip\r\n\r\n",
      post + "Transfer-Encoding: gzip, chunked\r\n\r\n",
      post + "Transfer-Encoding: chunked, identity\r\n\r\n",
      post + "Transfer-Encoding: chunked, chunked\r\n\r\n", post + "Transfer-Encoding:\r\n\r\n",
      post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
      post + "Transfer-Encoding: \"chunked\"\r\n\r\n",
      "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
      // chunks
      chunked + "zzz\r\n", chunked + "\r\n", chunked + "-1\r\n", chunked + "1\n",
      chunked + "1 a\r\n", chunked + "1;a=\"\r\n", chunked + "1\r\nab", chunked + "1\r\na\n",
      chunked + "0\r\nno field\r\n", chunked + "0\r\n\n" + host + "\r\n", chunked + "0\r\nA: b\n",
      chunked + "0\r\nA: b\r\n\n", chunked + "0\n"};
  return samples;
}

TEST_P(RequestParserPieces, RefusesAtOnceWhatCanBeReadInTwoWays) {
  for (const auto& bytes : hostile()) {
    const auto parsed = receive(bytes, GetParam());
    EXPECT_EQ(parsed.last, Reading::malformed) << bytes;
    EXPECT_TRUE(parsed.requests.empty()) << bytes;
  }
}

TEST_P(RequestParserPieces, TakesWhatIsUnusualAndClear) {
  for (const std::string bytes :
       {"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:h\r\nA:\r\nB: \xE9\r\n\r\n",
        // NOLINTNEXTLINE(bugprone-suspicious-missing-comma): one request in two lines
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: CHUNKED\r\n\r\n"
        "1 ;a=\"b\"\r\nx\r\n0\r\n\r\n"}) {
    EXPECT_EQ(receive(bytes, GetParam()).requests.size(), 1U) << bytes;
  }
}

TEST(RequestParserContinue, IsAwaitedBetweenHeadAndBodyAlone) {
  RequestParser parser(kLimits);
  EXPECT_EQ(
      parser.feed("POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n"),
      Reading::more);
  EXPECT_FALSE(parser.awaits_continue());
  EXPECT_EQ(parser.feed("\r\n"), Reading::more);
  EXPECT_TRUE(parser.awaits_continue());
  EXPECT_EQ(parser.feed("a"), Reading::more);
  EXPECT_FALSE(parser.awaits_continue());
  EXPECT_EQ(parser.feed("b"), Reading::complete);
  EXPECT_EQ(parser.take().body, "ab");
}

TEST(RequestParserContinue, IsNotAwaitedByHttp10) {
  RequestParser parser(kLimits);
  parser.feed("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_FALSE(parser.awaits_continue());
}

}  // namespace
}  // namespace skewguard::net
