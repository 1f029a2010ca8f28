#include "net/answer_parser.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

namespace skewguard::net {
namespace {

using Outcome = AnswerParser::Outcome;
using testing::HasSubstr;

constexpr std::size_t kNoLimit = std::size_t{1} << 30;

/// The result of parsing bytes that arrive in pieces of `piece` bytes, possibly followed by the end
/// of the connection.
struct Parsed {
  Outcome outcome = Outcome::more;
  int status = 0;
  Headers headers;
  std::string body;
  bool reusable = false;
  std::string why;
};

enum class Then { stays_open, ends };

Parsed parse(const std::string& bytes, std::size_t piece, Then then,
             const std::string& method = "GET", std::size_t limit = kNoLimit) {
  AnswerParser parser(method, limit);
  Parsed parsed;
  for (std::size_t i = 0; i < bytes.size() && parsed.outcome == Outcome::more; i += piece) {
    parsed.outcome = parser.feed(std::string_view(bytes).substr(i, piece));
  }
  if (parsed.outcome == Outcome::more && then == Then::ends) parsed.outcome = parser.end();
  parsed.why = parser.why();
  if (parsed.outcome == Outcome::complete) {
    parsed.reusable = parser.reusable();
    Exchange exchange;
    parser.take(exchange);
    parsed.status = exchange.status;
    parsed.headers = exchange.headers;
    parsed.body = exchange.body;
  }
  return parsed;
}

/// Each sample is read 1, 2, 3, 7 bytes at a time and all at once.
const std::vector<std::size_t> kPieces{1, 2, 3, 7, kNoLimit};

struct Sample {
  std::string name;
  std::string bytes;
  Then then = Then::stays_open;
  Outcome outcome = Outcome::complete;
  int status = 200;
  std::string body{};
  bool reusable = true;
  std::string method = "GET";
};

std::vector<Sample> good() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  return {
      {"content length", ok + "Content-Length: 5\r\n\r\nhello", {}, {}, 200, "hello"},
      {"length of zero", ok + "Content-Length: 0\r\n\r\n"},
      {"chunked",
       ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
       {},
       {},
       200,
       "hello world"},
      {"chunked and empty", ok + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Then::stays_open,
       Outcome::complete, 200, ""},
      {"chunked in capitals",
       ok + "TRANSFER-ENCODING: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
       {},
       {},
       200,
       "x"},
      {"until close", ok + "\r\nto the end", Then::ends, {}, 200, "to the end", false},
      {"until close, empty", ok + "\r\n", Then::ends, {}, 200, "", false},
      {"204 has no body", "HTTP/1.1 204 No Content\r\n\r\n", {}, {}, 204},
      {"304 has no body whatever its length",
       "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
       {},
       {},
       304},
      {"an answer to HEAD has no body",
       ok + "Content-Length: 9\r\n\r\n",
       {},
       {},
       200,
       "",
       true,
       "HEAD"},
      {"100 is skipped",
       "HTTP/1.1 100 Continue\r\n\r\n" + ok + "Content-Length: 2\r\n\r\nok",
       {},
       {},
       200,
       "ok"},
      {"103 with fields is skipped",
       "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\r\n" +
           ok + "Content-Length: 0\r\n\r\n"},
      {"no reason", "HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", {}, {}, 404},
      {"equal lengths twice",
       ok + "Content-Length: 2\r\nContent-Length: 2\r\n\r\nok",
       {},
       {},
       200,
       "ok"},
      {"connection close",
       ok + "Connection: close\r\nContent-Length: 2\r\n\r\nok",
       {},
       {},
       200,
       "ok",
       false},
      {"HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", {}, {}, 200, "ok", false},
      {"status 599", "HTTP/1.1 599 x\r\nContent-Length: 0\r\n\r\n", {}, {}, 599},
      {"status 999", "HTTP/1.1 999 x\r\nContent-Length: 0\r\n\r\n", {}, {}, 999},
  };
}

/// Not as RFC 9112 requires, but unambiguous.
std::vector<Sample> harmless() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  return {
      {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 2\n\nok", {}, {}, 200, "ok"},
      {"bare LF in one line", ok + "Content-Length: 2\n\r\nok", {}, {}, 200, "ok"},
      {"no reason, and no blank before it",
       "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n",
       {},
       {},
       404},
      {"bare LF and no reason", "HTTP/1.1 200\nContent-Length: 2\n\nok", {}, {}, 200, "ok"},
      {"a folded length", ok + "Content-Length:\r\n 2\r\n\r\nok", {}, {}, 200, "ok"},
      {"blanks behind a chunk's size",
       ok + "Transfer-Encoding: chunked\r\n\r\n2 \t\r\nok\r\n0\r\n\r\n",
       {},
       {},
       200,
       "ok"},
      {"a quoted extension",
       ok + "Transfer-Encoding: chunked\r\n\r\n2;a=\"b\\\"c;\"\r\nok\r\n0\r\n\r\n",
       {},
       {},
       200,
       "ok"},
      {"a trailer with bare LF",
       ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: y\n\n",
       {},
       {},
       200,
       ""},
      {"bytes of other character sets",
       "HTTP/1.1 200 \xD6K\r\nX: J\xF6rg\r\nContent-Length: 2\r\n\r\nok",
       {},
       {},
       200,
       "ok"},
  };
}

std::vector<Sample> bad() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const auto malformed = Outcome::malformed;
  const auto truncated = Outcome::truncated;
  return {
      {"two lengths", ok + "Content-Length: 2\r\nContent-Length: 3\r\n\r\nok!", {}, malformed},
      {"two lengths in one field", ok + "Content-Length: 2, 3\r\n\r\nok!", {}, malformed},
      {"length and coding",
       ok + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
       {},
       malformed},
      {"coding and length",
       ok + "Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n",
       {},
       malformed},
      {"unknown coding and length",
       ok + "Transfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\n",
       {},
       malformed},
      {"negative length", ok + "Content-Length: -1\r\n\r\n", {}, malformed},
      {"signed length", ok + "Content-Length: +1\r\n\r\nx", {}, malformed},
      {"length with letters", ok + "Content-Length: 0x1\r\n\r\n", {}, malformed},
      {"length over 64 bits", ok + "Content-Length: 18446744073709551616\r\n\r\n", {}, malformed},
      {"gzip coding", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {}, malformed},
      {"chunked twice", ok + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", {}, malformed},
      {"coding in HTTP/1.0",
       "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
       {},
       malformed},
      {"a chunk without size", ok + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", {}, malformed},
      {"a chunk longer than it says",
       ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n",
       {},
       malformed},
      {"another protocol", "SSH-2.0-OpenSSH_9.2\r\n", {}, malformed},
      {"a blank line first", "\r\n" + ok + "\r\n", {}, malformed},
      {"HTTP/2", "HTTP/2 200\r\n\r\n", {}, malformed},
      {"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", {}, malformed},
      {"a status under 100", "HTTP/1.1 099 x\r\n\r\n", {}, malformed},
      {"101 unasked", "HTTP/1.1 101 Switching Protocols\r\n\r\n", {}, malformed},
      {"a field without colon", ok + "Nonsense\r\n\r\n", {}, malformed},
      {"a space before the colon", ok + "Content-Length : 0\r\n\r\n", {}, malformed},
      {"a control byte in a value", ok + std::string("X: a\0b\r\n\r\n", 10), {}, malformed},
      {"cut in the status line", "HTTP/1.1 2", Then::ends, truncated},
      {"cut in the fields", ok + "Content-Len", Then::ends, truncated},
      {"cut in the body", ok + "Content-Length: 5\r\n\r\nhell", Then::ends, truncated},
      {"cut before the body", ok + "Content-Length: 5\r\n\r\n", Then::ends, truncated},
      {"cut in a chunk", ok + "Transfer-Encoding: chunked\r\n\r\n5\r\nhell", Then::ends, truncated},
      {"cut before the last chunk", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", Then::ends,
       truncated},
      {"cut after an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", Then::ends, truncated},
  };
}

/// Rejected before the end: nothing that follows could make it an answer.
std::vector<Sample> never_an_answer() {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const auto malformed = Outcome::malformed;
  return {
      {"a CR that no LF follows", ok + "A: b\rC: d", {}, malformed},
      {"CR for line ends", "HTTP/1.1 200 OK\rA", {}, malformed},
      {"a status line that runs on", "HTTP/1.1 2000 OK\r\n", {}, malformed},
      {"a tab behind the status", "HTTP/1.1 200\tOK\r\n", {}, malformed},
      {"HTTP/1.2", "HTTP/1.2 200 OK\r\n", {}, malformed},
      {"a first field that begins with a blank", ok + " A: b\r\n", {}, malformed},
      {"a field without a name", ok + ": b\r\n", {}, malformed},
      {"the coding twice, in two fields",
       ok + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
       {},
       malformed},
      {"an empty length", ok + "Content-Length:\r\n\r\n", {}, malformed},
      {"an open quote in an extension",
       ok + "Transfer-Encoding: chunked\r\n\r\n7;e=\"\r\n",
       {},
       malformed},
      {"no chunk at all", ok + "Transfer-Encoding: chunked\r\n\r\n{", {}, malformed},
      {"a chunk's line with bare LF", ok + "Transfer-Encoding: chunked\r\n\r\n2\n", {}, malformed},
      {"a chunk's size and something else",
       ok + "Transfer-Encoding: chunked\r\n\r\n2 x",
       {},
       malformed},
      {"bare LF behind a chunk", ok + "Transfer-Encoding: chunked\r\n\r\n1\r\nx\n", {}, malformed},
      {"a trailer that is not a field",
       ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nnonsense\r\n",
       {},
       malformed},
  };
}

std::vector<Sample> both(std::vector<Sample> first, const std::vector<Sample>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

TEST(AnswerParser, ReadsEachFormOfAnswerHoweverItIsCut) {
  for (const auto& sample : both(good(), harmless())) {
    for (const auto piece : kPieces) {
      SCOPED_TRACE(sample.name + ", pieces of " + std::to_string(piece));
      const auto parsed = parse(sample.bytes, piece, sample.then, sample.method);
      ASSERT_EQ(parsed.outcome, Outcome::complete) << parsed.why;
      EXPECT_EQ(parsed.status, sample.status);
      EXPECT_EQ(parsed.body, sample.body);
      EXPECT_EQ(parsed.reusable, sample.reusable);
    }
  }
}

TEST(AnswerParser, RefusesWhatIsNoAnswerHoweverItIsCut) {
  for (const auto& sample : both(bad(), never_an_answer())) {
    for (const auto piece : kPieces) {
      SCOPED_TRACE(sample.name + ", pieces of " + std::to_string(piece));
      const auto parsed = parse(sample.bytes, piece, sample.then, sample.method);
      EXPECT_EQ(parsed.outcome, sample.outcome);
      EXPECT_FALSE(parsed.why.empty());
    }
  }
}

TEST(AnswerParser, SaysWhatIsWrongWithTheLengths) {
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string coding = "Transfer-Encoding: chunked\r\n";
  const auto why = [&](const std::string& fields) {
    return parse(ok + fields + "\r\n", kNoLimit, Then::stays_open).why;
  };
  EXPECT_THAT(why(coding + coding), HasSubstr("Transfer-Encoding occurs 2 times"));
  EXPECT_THAT(why(coding + "Content-Length: 2\r\n"),
              HasSubstr("both Content-Length and Transfer-Encoding"));
  EXPECT_THAT(why("Content-Length: 2\r\nContent-Length: 3\r\n"), HasSubstr("different values"));
}

TEST(AnswerParser, FieldsThatContradictEachOtherSayNothingOfABodyThatNeverComes) {
  const std::string odd = "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const auto& [method, status] :
       {std::pair{"HEAD", "200 OK"}, {"GET", "204 -"}, {"GET", "304 -"}}) {
    const auto parsed =
        parse("HTTP/1.1 " + std::string(status) + "\r\n" + odd, kNoLimit, Then::stays_open, method);
    EXPECT_EQ(parsed.outcome, Outcome::complete) << status;
    EXPECT_FALSE(parsed.reusable) << "the next answer may begin elsewhere";
  }
}

TEST(AnswerParser, SaysWhereALineOfChunksEndsWithLfAlone) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const auto why = [&](const std::string& body) {
    return parse(head + body, kNoLimit, Then::stays_open).why;
  };
  EXPECT_EQ(why("1\nx"), "the line before a chunk ends with a bare LF, not CRLF");
  EXPECT_EQ(why("1\r\nx\n"), "a chunk ends with a bare LF, not CRLF");
  EXPECT_EQ(why("1\r\nxy\r\n"), "a chunk is longer than it says");
}

TEST(AnswerParser, SaysWhenAServerSpeaksTls) {
  const std::string alert("\x15\x03\x03\0\2\2\x0A", 7);
  EXPECT_THAT(parse(alert, kNoLimit, Then::stays_open).why, HasSubstr("https://"));
}

TEST(AnswerParser, JoinsTheLinesOfAFieldWithASpace) {
  const auto parsed = parse("HTTP/1.1 200 OK\r\nX: a\r\n\t b \r\n \r\nContent-Length: 0\r\n\r\n", 1,
                            Then::stays_open);
  ASSERT_EQ(parsed.outcome, Outcome::complete) << parsed.why;
  EXPECT_THAT(parsed.headers.all("X"), testing::ElementsAre("a b"));
}

TEST(AnswerParser, TheExtensionsOfAllChunksTogetherHaveALimit) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string chunk = "1;" + std::string(1000, 'x') + "\r\ny\r\n";
  std::string bytes = head;
  for (int i = 0; i < 33; ++i) bytes += chunk;  // each is 987 bytes over the plainest line
  for (const auto piece : {std::size_t{100}, kNoLimit}) {
    EXPECT_EQ(parse(bytes + "0\r\n\r\n", piece, Then::stays_open).outcome, Outcome::complete);
    EXPECT_EQ(parse(bytes + chunk + "0\r\n\r\n", piece, Then::stays_open).outcome,
              Outcome::too_large);
  }
}

TEST(AnswerParser, EveryProperPrefixOfAnAnswerWithALengthIsTruncated) {
  const std::string whole = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
  for (std::size_t size = 1; size < whole.size(); ++size) {
    EXPECT_EQ(parse(whole.substr(0, size), kNoLimit, Then::ends).outcome, Outcome::truncated)
        << size;
  }
}

std::string head_of(std::size_t size) {
  const std::string start = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
  return start + std::string(size - start.size() - 4, 'x') + "\r\n\r\n";
}

TEST(AnswerParser, AHeadAtTheLimitPassesAndOneByteMoreDoesNot) {
  for (const auto piece : {std::size_t{1000}, kNoLimit}) {
    EXPECT_EQ(parse(head_of(32768), piece, Then::stays_open).outcome, Outcome::complete);
    EXPECT_EQ(parse(head_of(32769), piece, Then::stays_open).outcome, Outcome::too_large);
  }
}

TEST(AnswerParser, AHeadThatNeverEndsIsRefusedAtTheLimit) {
  AnswerParser parser("GET", kNoLimit);
  auto outcome = parser.feed("HTTP/1.1 200 OK\r\n");
  std::size_t fed = 17;
  while (outcome == Outcome::more && fed < 100'000) {
    outcome = parser.feed("X: y\r\n");
    fed += 6;
  }
  EXPECT_EQ(outcome, Outcome::too_large);
  EXPECT_LE(fed, 32768U + 6U);
}

TEST(AnswerParser, ABodyAtTheLimitPassesAndOneByteMoreDoesNot) {
  const auto length = [](int size) {
    return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(size) + "\r\n\r\n" +
           std::string(static_cast<std::size_t>(size), 'x');
  };
  const auto chunked = [](const std::string& second) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\n123456\r\n" + second +
           "0\r\n\r\n";
  };
  const std::string close = "HTTP/1.1 200 OK\r\n\r\n";
  for (const auto piece : kPieces) {
    const auto outcome = [&](const std::string& bytes) {
      return parse(bytes, piece, Then::ends, "GET", 10).outcome;
    };
    EXPECT_EQ(outcome(length(10)), Outcome::complete);
    EXPECT_EQ(outcome(length(11)), Outcome::too_large);
    EXPECT_EQ(outcome(chunked("4\r\n7890\r\n")), Outcome::complete);
    EXPECT_EQ(outcome(chunked("5\r\n78901\r\n")), Outcome::too_large);
    EXPECT_EQ(outcome(close + "1234567890"), Outcome::complete);
    EXPECT_EQ(outcome(close + "12345678901"), Outcome::too_large);
  }
}

TEST(AnswerParser, ALengthOverTheLimitIsRefusedBeforeAnyOfTheBodyCame) {
  const auto parsed =
      parse("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n", kNoLimit, Then::stays_open, "GET", 10);
  EXPECT_EQ(parsed.outcome, Outcome::too_large);
  EXPECT_THAT(parsed.why, HasSubstr("10 bytes"));
}

TEST(AnswerParser, TheHeadOfABodyOverTheLimitCanBeTaken) {
  const std::string head = "HTTP/1.1 200 OK\r\nDate: today\r\n";
  for (const auto* rest : {"Content-Length: 11\r\n\r\n", "\r\n12345678901"}) {
    AnswerParser parser("GET", 10);
    ASSERT_EQ(parser.feed(head + rest), Outcome::too_large);
    ASSERT_TRUE(parser.head_done());
    Exchange exchange;
    parser.take(exchange);
    EXPECT_EQ(exchange.status, 200);
    EXPECT_EQ(exchange.headers.count("Date"), 1U);
  }
  AnswerParser parser("GET", 10);
  ASSERT_EQ(parser.feed(head_of(32769)), Outcome::too_large);
  EXPECT_FALSE(parser.head_done());
}

TEST(AnswerParser, ALargeBodyIsWholeHoweverItsEndIsSaid) {
  std::string body;
  for (int i = 0; body.size() < 3'000'000; ++i) body += std::to_string(i) + ' ';
  const std::string ok = "HTTP/1.1 200 OK\r\n";
  const std::string half = body.substr(0, 0x100000);
  const std::string rest = body.substr(half.size());
  std::ostringstream size;
  size << std::hex << rest.size();
  const std::string chunks =
      "100000\r\n" + half + "\r\n" + size.str() + "\r\n" + rest + "\r\n0\r\n\r\n";
  for (const auto& bytes :
       {ok + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body,
        ok + "Transfer-Encoding: chunked\r\n\r\n" + chunks, ok + "\r\n" + body}) {
    for (const auto piece : {std::size_t{16'384}, kNoLimit}) {
      const auto parsed = parse(bytes, piece, Then::ends);
      ASSERT_EQ(parsed.outcome, Outcome::complete) << parsed.why;
      EXPECT_TRUE(parsed.body == body);
    }
  }
}

TEST(AnswerParser, AChunkSizeThatWouldOverflowIsRefused) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  EXPECT_NE(parse(head + "FFFFFFFFFFFFFFFFF\r\n", kNoLimit, Then::stays_open).outcome,
            Outcome::more);
  EXPECT_EQ(parse(head + "FFFFFFFFFFFFFFFF\r\n", kNoLimit, Then::stays_open).outcome,
            Outcome::too_large);
}

TEST(AnswerParser, AChunkLineOrTrailerThatNeverEndsIsRefused) {
  const std::string head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::string much(40'000, 'x');
  EXPECT_EQ(parse(head + "1;" + much, 4096, Then::stays_open).outcome, Outcome::too_large);
  EXPECT_EQ(parse(head + "0\r\nX: " + much, 4096, Then::stays_open).outcome, Outcome::too_large);
}

TEST(AnswerParser, TrailerFieldsDoNotPassForHeaderFields) {
  const auto parsed = parse(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nDate: one\r\n\r\n"
      "1\r\nx\r\n0\r\nDate: two\r\nAge: 5\r\n\r\n",
      3, Then::stays_open);
  ASSERT_EQ(parsed.outcome, Outcome::complete) << parsed.why;
  EXPECT_EQ(parsed.headers.count("Date"), 1U);
  EXPECT_EQ(parsed.headers.count("Age"), 0U);
}

TEST(AnswerParser, AnInterimAnswersFieldsAreNotTheFinalOnes) {
  const auto parsed = parse(
      "HTTP/1.1 103 Early Hints\r\nDate: early\r\n\r\n"
      "HTTP/1.1 200 OK\r\nDate: final\r\nContent-Length: 0\r\n\r\n",
      kNoLimit, Then::stays_open);
  ASSERT_EQ(parsed.outcome, Outcome::complete);
  EXPECT_THAT(parsed.headers.all("Date"), testing::ElementsAre("final"));
}

TEST(AnswerParser, KeepsFieldsInOrderWithBothOfTwoEqualNames) {
  const auto parsed = parse(
      "HTTP/1.1 401 Unauthorized\r\nDate: a\r\nSet-Cookie: b\r\ndate: c\r\nContent-Length: "
      "0\r\n\r\n",
      kNoLimit, Then::stays_open);
  ASSERT_EQ(parsed.outcome, Outcome::complete);
  EXPECT_EQ(parsed.headers.fields(),
            (std::vector<HeaderField>{
                {"Date", "a"}, {"Set-Cookie", "b"}, {"date", "c"}, {"Content-Length", "0"}}));
}

TEST(AnswerParser, EndlessInterimAnswersAreRefused) {
  std::string bytes;
  for (int i = 0; i < 16; ++i) bytes += "HTTP/1.1 100 Continue\r\n\r\n";
  const std::string final = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  EXPECT_EQ(parse(bytes + final, kNoLimit, Then::stays_open).outcome, Outcome::complete);
  EXPECT_EQ(
      parse(bytes + "HTTP/1.1 100 Continue\r\n\r\n" + final, kNoLimit, Then::stays_open).outcome,
      Outcome::malformed);
}

TEST(AnswerParser, AConnectionWithBytesBeyondTheAnswerIsNotUsedAgain) {
  for (const std::string method : {"GET", "HEAD"}) {
    const auto parsed = parse("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 408 x\r\n\r\n",
                              kNoLimit, Then::stays_open, method);
    ASSERT_EQ(parsed.outcome, Outcome::complete);
    EXPECT_FALSE(parsed.reusable);
  }
}

TEST(AnswerParser, ReportsWhenTheFinalHeadIsWhole) {
  AnswerParser parser("GET", kNoLimit);
  EXPECT_FALSE(parser.begun());
  parser.feed("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_TRUE(parser.begun());
  EXPECT_FALSE(parser.head_done());
  parser.feed("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r");
  EXPECT_FALSE(parser.head_done());
  parser.feed("\n");
  EXPECT_TRUE(parser.head_done());
}

}  // namespace
}  // namespace skewguard::net
