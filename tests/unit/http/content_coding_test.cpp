#include "http/content_coding.hpp"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <utility>

namespace skewguard::http {
namespace {

constexpr std::size_t kLimit = std::size_t{1024} * 1024;
constexpr int kGzip = 16 + MAX_WBITS, kZlib = MAX_WBITS, kRaw = -MAX_WBITS;

std::string compressed(std::string text, int bits) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(text.data());
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(out.size() - stream.avail_out);
  deflateEnd(&stream);
  return out;
}

Exchange answer(std::string body, std::string coding) {
  Exchange exchange;
  exchange.body = std::move(body);
  exchange.headers = {{"Content-Type", "application/json"},
                      {"Content-Length", "17"},
                      {"content-encoding", std::move(coding)}};
  return exchange;
}

const std::string kText = R"({"access_token":"tok-aaaabbbbccccdddd"})";

TEST(DecodeBody, TakesGzipAndBothFormsOfDeflate) {
  for (const auto& [coding, bits] : {std::pair{"gzip", kGzip},
                                     {"GZIP", kGzip},
                                     {"x-gzip", kGzip},
                                     {" gzip ,", kGzip},
                                     {"deflate", kZlib},
                                     {"deflate", kRaw},
                                     {"identity, gzip", kGzip}}) {
    Exchange exchange = answer(compressed(kText, bits), coding);
    EXPECT_EQ(decode_body(exchange, kLimit), Decoding::decoded) << coding << bits;
    EXPECT_EQ(exchange.body, kText);
    EXPECT_FALSE(exchange.headers.find("Content-Encoding"));
    EXPECT_FALSE(exchange.headers.find("Content-Length"));
    EXPECT_EQ(exchange.headers.find("Content-Type"), "application/json");
  }
}

TEST(DecodeBody, UndoesSeveralCodingsLastFirst) {
  Exchange exchange = answer(compressed(compressed(kText, kZlib), kGzip), "deflate, gzip");
  EXPECT_EQ(decode_body(exchange, kLimit), Decoding::decoded);
  EXPECT_EQ(exchange.body, kText);
  Exchange four = answer(compressed(kText, kGzip), "gzip, gzip, gzip, gzip");
  EXPECT_EQ(decode_body(four, kLimit), Decoding::unknown);
}

TEST(DecodeBody, TakesAllMembersOfAGzipBodyAndNoPadding) {
  Exchange exchange =
      answer(compressed("one ", kGzip) + compressed("two", kGzip) + std::string(8, '\0'), "gzip");
  EXPECT_EQ(decode_body(exchange, kLimit), Decoding::decoded);
  EXPECT_EQ(exchange.body, "one two");
}

TEST(DecodeBody, LeavesAloneWhatIsNotCodedOrNotKnown) {
  for (const auto& [coding, said] : {std::pair{"identity", Decoding::plain},
                                     {"", Decoding::plain},
                                     {"br", Decoding::unknown},
                                     {"gzip, br", Decoding::unknown}}) {
    Exchange exchange = answer(kText, coding);
    EXPECT_EQ(decode_body(exchange, kLimit), said) << coding;
    EXPECT_EQ(exchange.body, kText);
    EXPECT_TRUE(exchange.headers.find("Content-Encoding"));
  }
  Exchange head = answer("", "gzip");  // of HEAD
  EXPECT_EQ(decode_body(head, kLimit), Decoding::plain);
  EXPECT_TRUE(head.headers.find("Content-Encoding"));
}

TEST(DecodeBody, SaysWhatIsTruncatedOrCorruptAndChangesNothing) {
  const std::string whole = compressed(kText, kGzip);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    Exchange exchange = answer(whole.substr(0, size), "gzip");
    EXPECT_EQ(decode_body(exchange, kLimit), Decoding::broken) << size;
    EXPECT_EQ(exchange.body, whole.substr(0, size));
  }
  Exchange corrupt = answer(whole, "gzip");
  corrupt.body[whole.size() - 6] ^= 1;  // of the checksum
  EXPECT_EQ(decode_body(corrupt, kLimit), Decoding::broken);
  Exchange plain = answer(kText, "gzip");
  EXPECT_EQ(decode_body(plain, kLimit), Decoding::broken);
}

/// Of raw deflate: empty stored blocks (RFC 1951 section 3.2.4), the last one marked.
std::string empty_blocks(std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i)
    out += std::string(i + 1 < count ? "\0\0\0\xff\xff" : "\1\0\0\xff\xff", 5);
  return out;
}

TEST(DecodeBody, CountsBlocksThatBringNothing) {
  Exchange most = answer(empty_blocks(kMaxBlocks), "deflate");
  EXPECT_EQ(decode_body(most, kLimit), Decoding::decoded);
  EXPECT_EQ(most.body, "");
  Exchange over = answer(empty_blocks(kMaxBlocks + 1), "deflate");
  EXPECT_EQ(decode_body(over, kLimit), Decoding::too_large);
  std::string members;
  for (std::size_t i = 0; i <= kMaxBlocks; ++i) members += compressed("", kGzip);
  Exchange many = answer(std::move(members), "gzip");
  EXPECT_EQ(decode_body(many, kLimit), Decoding::too_large);
}

TEST(DecodeBody, ReadsNoMoreThanTwiceTheLimit) {
  const std::string padding(100, '\0');
  const std::string text = compressed(kText, kGzip);
  Exchange fits = answer(text + padding, "gzip");
  EXPECT_EQ(decode_body(fits, (text.size() + 100) / 2), Decoding::decoded);
  Exchange over = answer(text + padding, "gzip");
  EXPECT_EQ(decode_body(over, (text.size() + 100) / 2 - 1), Decoding::too_large);
}

TEST(DecodeBody, AllCodingsShareTheLimit) {
  const std::string inner = compressed(kText, kGzip);
  for (const bool enough : {true, false}) {
    Exchange exchange = answer(compressed(inner, kGzip), "gzip, gzip");
    const std::size_t limit = inner.size() + kText.size() - (enough ? 0 : 1);
    EXPECT_EQ(decode_body(exchange, limit), enough ? Decoding::decoded : Decoding::too_large);
  }
}

TEST(DecodeBody, StopsABombAtTheLimit) {
  const std::string most(kLimit, 'a');
  Exchange fits = answer(compressed(most, kGzip), "gzip");
  EXPECT_EQ(decode_body(fits, kLimit), Decoding::decoded);
  EXPECT_EQ(fits.body, most);
  const std::string bomb = compressed(most + "a", kGzip);
  Exchange over = answer(bomb, "gzip");
  EXPECT_EQ(decode_body(over, kLimit), Decoding::too_large);
  EXPECT_EQ(over.body, bomb);
  Exchange twice =
      answer(compressed(compressed(std::string(64 * kLimit, 'a'), kGzip), kGzip), "gzip, gzip");
  EXPECT_EQ(decode_body(twice, kLimit), Decoding::too_large);
}

TEST(AsUtf8, LeavesUtf8AsItIs) {
  for (const char* text : {"", "plain", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
    SecretText held;
    EXPECT_EQ(as_utf8(text, held).data(), text) << "a view of it";
    EXPECT_EQ(as_utf8(text, held), text);
    EXPECT_TRUE(held.empty());
  }
}

TEST(AsUtf8, ReadsAllElseAsIso8859_1) {
  SecretText held;
  EXPECT_EQ(as_utf8("trouv\xE9", held), "trouv\xC3\xA9");
  EXPECT_EQ(as_utf8("\xFC", held), "\xC3\xBC");
  // Overlong forms, surrogates and what is over U+10FFFF are no UTF-8 (RFC 3629).
  for (const char* text : {"\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xC3",
                           "\xE2\x82", "\x80", "\xBF\x80", "\xF8\x90\x80\x80"}) {
    EXPECT_NE(as_utf8(text, held), text);
    EXPECT_FALSE(held.empty());
  }
}

}  // namespace
}  // namespace skewguard::http
