#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "heads.hpp"
#include "relay/framing.hpp"

namespace skewguard::relay::testing {
namespace {

using Kind = Framing::Kind;

AnswerHead answer_head(int status) {
  AnswerHead head;
  head.status = status;
  return head;
}

/// The body, then what is left in brackets; or "malformed"; "..." marks a body that goes on.
std::string body_in(Framing framing, std::string_view bytes, std::size_t step = SIZE_MAX,
                    std::size_t limit = SIZE_MAX) {
  BodyReader reader(framing);
  std::string body;
  std::string_view rest;
  std::size_t given = 0;
  while (true) {
    const auto piece = reader.take(rest, limit);
    if (piece.found == BodyReader::Found::malformed) return "malformed";
    if (piece.found == BodyReader::Found::whole)
      return body + "[" + std::string(rest) + std::string(bytes.substr(given)) + "]";
    body += piece.data;
    if (piece.found == BodyReader::Found::data) continue;
    if (given == bytes.size()) return body + (reader.whole_at_close() ? "|" : "...");
    rest = bytes.substr(given, step);
    given += rest.size();
  }
}

std::string chunks(std::string_view bytes) {
  return body_in({Kind::chunked}, bytes);
}

const std::vector<std::string> kMalformedChunks = {
    "\r\n",
    "g\r\n",
    " 1\r\na\r\n0\r\n\r\n",
    "1 \r\na\r\n0\r\n\r\n",
    "1\na\r\n0\r\n\r\n",
    "1\r\na\n0\r\n\r\n",
    "1\r\nab\r\n0\r\n\r\n",
    "1\r\r\na\r\n0\r\n\r\n",
    "1\r\na\r0\r\n\r\n",
    "+1\r\na\r\n0\r\n\r\n",
    "-1\r\na\r\n0\r\n\r\n",
    "0x1\r\na\r\n0\r\n\r\n",
    "1_0\r\na\r\n0\r\n\r\n",
    "1000000000000000\r\n",
    "0000000000000001\r\na\r\n",
    "1;\r\na\r\n0\r\n\r\n",
    "1 ;x\r\na\r\n0\r\n\r\n",
    "1; x\r\na\r\n0\r\n\r\n",
    "1;x \r\na\r\n0\r\n\r\n",
    "1;x=\r\na\r\n0\r\n\r\n",
    "1;=x\r\na\r\n0\r\n\r\n",
    "1;x=\"a\n\"\r\na\r\n0\r\n\r\n",
    "1;x=\"a\"b\r\na\r\n0\r\n\r\n",
    "1;x=\"\\\r\"\r\na\r\n0\r\n\r\n",
    "1;x\na\r\n0\r\n\r\n",
    "0\r\n\n",
    "0\r\nX : 1\r\n\r\n",
    "0\r\nX\r\n\r\n",
    "0\r\n: 1\r\n\r\n",
    "0\r\nX: 1\n\r\n",
    "0\r\nX: 1\r\n 2\r\n\r\n",
    "0\r\nX: \x01\r\n\r\n",
    "0\r\nX: 1\r\r\n\r\n",
};

const std::vector<std::string> kGoodChunks = {
    "0\r\n\r\nrest",
    "3\r\nabc\r\nA\r\n0123456789\r\n00\r\n\r\nrest",
    "00000000000001a\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n",
    "1;x;y=z;q=\"a \\\" ;\xe4\r\n",
    "1;x;y=z;q=\"a \\\" ;\xe4\";z\r\na\r\n0;end\r\nX:\r\nY-z: \t1\xe4\r\n\r\nrest",
};

TEST(Framing, OfARequestIsItsFields) {
  const auto of = [](std::string_view fields) {
    RequestReader reader;
    const std::string bytes = request_with(fields);
    EXPECT_EQ(reader.read(bytes), ReadHead::whole);
    return request_framing(reader.head());
  };
  EXPECT_EQ(of(""), Framing{});
  EXPECT_EQ(of("Content-Length: 0\r\n"), Framing{});
  EXPECT_EQ(of("Content-Length: 5\r\n"), (Framing{Kind::length, 5}));
  EXPECT_EQ(of("Transfer-Encoding: Chunked\r\n"), Framing{Kind::chunked});
}

TEST(Framing, OfAnAnswerFollowsStatusAndMethodFirst) {
  AnswerHead head = answer_head(200);
  head.content_length = 5;
  EXPECT_EQ(answer_framing(head, "GET"), (Framing{Kind::length, 5}));
  EXPECT_EQ(answer_framing(head, "HEAD"), Framing{});
  for (const int status : {100, 103, 199, 204, 304}) {
    head.status = status;
    EXPECT_EQ(answer_framing(head, "GET"), Framing{}) << status;
  }
  AnswerHead chunked = answer_head(200);
  chunked.chunked = true;
  EXPECT_EQ(answer_framing(chunked, "GET"), Framing{Kind::chunked});
  EXPECT_EQ(answer_framing(chunked, "head"), Framing{Kind::chunked}) << "methods have a case";
  EXPECT_EQ(answer_framing(answer_head(205), "GET"), Framing{Kind::until_close});
}

TEST(Framing, ForAClientIsWhatItsVersionHas) {
  for (const int version : {10, 11}) {
    EXPECT_EQ(client_framing({}, version), Kind::none);
    EXPECT_EQ(client_framing({Kind::length, 1}, version), Kind::length);
  }
  EXPECT_EQ(client_framing({Kind::chunked}, 11), Kind::chunked);
  EXPECT_EQ(client_framing({Kind::until_close}, 11), Kind::chunked);
  EXPECT_EQ(client_framing({Kind::chunked}, 10), Kind::until_close);
  EXPECT_EQ(client_framing({Kind::until_close}, 10), Kind::until_close);
}

TEST(BodyReader, EndsWhereTheFramingSays) {
  EXPECT_EQ(body_in({}, "rest"), "[rest]");
  EXPECT_EQ(body_in({Kind::length, 0}, "rest"), "[rest]");
  EXPECT_EQ(body_in({Kind::length, 3}, "abcrest"), "abc[rest]");
  EXPECT_EQ(body_in({Kind::length, 3}, "ab"), "ab...");
  EXPECT_EQ(body_in({Kind::until_close}, "abc"), "abc|");
}

TEST(BodyReader, TakesChunksApart) {
  EXPECT_EQ(chunks(kGoodChunks[0]), "[rest]");
  EXPECT_EQ(chunks(kGoodChunks[1]), "abc0123456789[rest]");
  EXPECT_EQ(chunks(kGoodChunks[2]), "abcdefghijklmnopqrstuvwxyz[]");
  EXPECT_EQ(chunks(kGoodChunks[4]), "a[rest]");
  EXPECT_EQ(chunks("fffffffffffffff\r\nab"), "ab...");
}

TEST(BodyReader, RefusesChunksThatOthersMightReadDifferently) {
  for (const auto& bytes : kMalformedChunks) EXPECT_EQ(chunks(bytes), "malformed") << bytes;
}

TEST(BodyReader, IsNotWholeBeforeTheLastByteOfTheChunks) {
  const std::string& bytes = kGoodChunks[4];
  const std::size_t size = bytes.size() - std::string_view("rest").size();
  for (std::size_t end = 0; end < size; ++end)
    EXPECT_TRUE(chunks(bytes.substr(0, end)).ends_with("...")) << end;
  EXPECT_TRUE(chunks(bytes.substr(0, size)).ends_with("[]"));
}

TEST(BodyReader, FindsTheSameHoweverTheBytesArrive) {
  auto all = kMalformedChunks;
  all.insert(all.end(), kGoodChunks.begin(), kGoodChunks.end());
  for (const auto& bytes : all) {
    for (const std::size_t step : {1U, 2U, 3U, 5U, 8U})
      EXPECT_EQ(body_in({Kind::chunked}, bytes, step), chunks(bytes)) << bytes << " by " << step;
  }
}

TEST(BodyReader, GivesNoMoreDataAtOnceThanIsWanted) {
  EXPECT_EQ(body_in({Kind::chunked}, kGoodChunks[1], SIZE_MAX, 2), chunks(kGoodChunks[1]));
  BodyReader reader({Kind::length, 5});
  std::string_view bytes = "abcde";
  EXPECT_EQ(reader.take(bytes, 2).data, "ab");
  EXPECT_EQ(reader.take(bytes, 0).found, BodyReader::Found::more);
  EXPECT_EQ(bytes, "cde");
}

TEST(BodyReader, LimitsExtensionsAndTrailersTogether) {
  const auto with = [](std::size_t extras) {  // ";x" before, "a:" and its line end behind
    return "1;" + std::string(extras - 5, 'x') + "\r\na\r\n0\r\na:\r\n\r\n";
  };
  EXPECT_EQ(chunks("1;x\r\na\r\n0\r\na:\r\n\r\n"), "a[]");
  EXPECT_EQ(chunks(with(kMaxChunkExtras + 1)), "a[]");
  EXPECT_EQ(chunks(with(kMaxChunkExtras + 2)), "malformed");
}

TEST(Chunks, AreWrittenSoThatTheyCanBeRead) {
  std::string memory(64, '\0');
  Buffer out(memory);
  ASSERT_TRUE(append_chunk(out, "0123456789abcdef"));
  ASSERT_TRUE(append_chunk(out, "x"));
  ASSERT_TRUE(out.append({kLastChunk}));
  EXPECT_EQ(out.bytes(), "10\r\n0123456789abcdef\r\n1\r\nx\r\n0\r\n\r\n");
  EXPECT_EQ(chunks(out.bytes()), "0123456789abcdefx[]");
}

TEST(Chunks, AreWrittenWholeOrNotAtAll) {
  std::string memory(7, '\0');
  Buffer out(memory);
  EXPECT_FALSE(append_chunk(out, "abc"));
  EXPECT_TRUE(out.empty());
  EXPECT_TRUE(append_chunk(out, "ab"));
  EXPECT_EQ(out.room(), 0U);
}

}  // namespace
}  // namespace skewguard::relay::testing
