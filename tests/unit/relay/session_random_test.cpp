// Random valid messages, split at random, arrive as they would without the relay: only what the
// rules name is different.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>

#include "session_bench.hpp"

namespace skewguard::relay::testing {
namespace {

constexpr int kMessages = 2000;

/// A message as it is sent, and as it must arrive.
struct Pair {
  std::string sent;
  std::string expected;

  void both(const std::string& text) {
    sent += text;
    expected += text;
  }
};

class Messages {
 public:
  explicit Messages(unsigned seed) : random_(seed) {}

  std::size_t below(std::size_t end) { return random_() % end; }

  std::string word(std::string_view characters, std::size_t most) {
    std::string text;
    for (std::size_t n = 1 + below(most); n > 0; --n) text += characters[below(characters.size())];
    return text;
  }

  /// Fields that pass, and fields that end at the relay.
  void add_fields(Pair& message) {
    for (std::size_t n = below(8); n > 0; --n) {
      const std::string field = "X-" + word("abcXYZ019-_.", 9) + ": " + word("!~aZ09,;=\"\xe4", 20);
      switch (below(4)) {
        case 0: {
          constexpr std::array<const char*, 6> kEnding{
              "Keep-Alive: 5",       "TE: trailers", "Upgrade: h2c",
              "Proxy-Connection: x", "Trailer: X",   "Connection: Named, keep-alive"};
          message.sent += std::string(kEnding.at(below(kEnding.size()))) + "\r\n";
          break;
        }
        case 1:
          message.sent += "Connection: nAmed\r\nNamed: 1\r\n";
          break;
        default:
          message.both(field + "\r\n");
      }
    }
  }

  /// A body, and the fields that frame it. Chunks may be cut anew.
  void add_body(Pair& message, const std::string& more_fields) {
    const std::string body = word("\r\n0123:abc\0;", 300);
    if (below(2) == 0) {
      message.both("Content-Length: " + std::to_string(body.size()) + "\r\n");
      message.expected += more_fields;
      message.both("\r\n" + body);
      return;
    }
    message.both("Transfer-Encoding: chunked\r\n");
    message.expected += more_fields;
    message.both("\r\n");
    const std::size_t cut = below(body.size());
    if (cut > 0) message.sent += chunk(body.substr(0, cut));
    message.sent += chunk(body.substr(cut)) + "0\r\n" + (below(2) == 0 ? "" : "T: x\r\n") + "\r\n";
    message.expected += body;
  }

  std::string chunk(const std::string& data) {
    return std::string(NumberText(data.size(), 16).view()) + (below(3) == 0 ? ";a=\"b\"" : "") +
           "\r\n" + data + "\r\n";
  }

 private:
  std::mt19937 random_;
};

/// A whole message with its chunks, if it has any, put together.
template <typename Reader>
std::string unchunked(const std::string& bytes) {
  Reader reader;
  if (reader.read(bytes) != ReadHead::whole) return "no head in " + bytes;
  std::string text = bytes.substr(0, reader.head().size);
  std::string_view rest = std::string_view(bytes).substr(text.size());
  if (!reader.head().chunked) return text + std::string(rest);
  BodyReader body({Framing::Kind::chunked});
  auto piece = body.take(rest);
  for (; piece.found == BodyReader::Found::data; piece = body.take(rest)) text += piece.data;
  return piece.found == BodyReader::Found::whole ? text + std::string(rest) : "cut " + text;
}

/// In pieces of random sizes.
template <typename Send>
void in_pieces(Messages& messages, std::string_view bytes, Send send) {
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, 1 + messages.below(200));
    send(piece);
    bytes.remove_prefix(piece.size());
  }
}

Pair random_request(Messages& messages, const std::string& token) {
  constexpr std::array<const char*, 6> kMethods{"GET", "POST", "PUT", "PATCH", "DELETE", "ODD"};
  Pair request;
  const std::string target = "/api/v2/" + messages.word("aZ0-_~!$&'()*+,=:@{}|/\"<>[]^`", 30) +
                             "%2Fb%252F?" + messages.word("aZ0.%\\?/;", 20);
  request.both(std::string(kMethods.at(messages.below(kMethods.size()))) + ' ' + target +
               " HTTP/1.1\r\n");
  request.sent += "hOST: localhost:8484\r\n";
  request.expected += "hOST: api.test\r\n";
  messages.add_fields(request);
  messages.add_body(request, "Authorization: Bearer " + token + "\r\n");
  return request;
}

Pair random_answer(Messages& messages, int attempts) {
  constexpr std::array<int, 6> kStatuses{200, 201, 404, 422, 500, 503};
  Pair answer;
  answer.both("HTTP/1.1 " + std::to_string(kStatuses.at(messages.below(kStatuses.size()))) + ' ' +
              messages.word("a b", 8) + "\r\n");
  messages.add_fields(answer);
  messages.add_body(answer, std::string("Skewguard-Verdict: ") +
                                (attempts == 1 ? "ok" : "token_expired") +
                                "\r\nSkewguard-Attempts: " + std::to_string(attempts) + "\r\n");
  return answer;
}

/// The request is sent again after each rejection, the last time with the token of this number.
void reject(SessionBench& bench, int rejections) {
  for (int n = 1; n <= rejections; ++n) {
    (void)bench.to_upstream();
    bench.upstream("HTTP/1.1 401 No\r\nContent-Length: 2\r\n\r\nno");
    ASSERT_EQ(bench.did(), "judge\n");
    bench.step(event::Judged{"token_expired", true, static_cast<std::uint64_t>(n)});
    ASSERT_EQ(bench.did(), "release\nacquire after " + std::to_string(n) + "\n");
    bench.ready(static_cast<std::uint64_t>(n) + 1);
  }
}

/// What the client gets of an answer that comes in pieces, and is judged if there was a rejection.
std::string answered(SessionBench& bench, Messages& messages, const std::string& answer) {
  std::string given;
  std::string did;
  in_pieces(messages, answer, [&](std::string_view piece) {
    bench.upstream(piece);
    given += bench.to_client();
    did += bench.did();
    if (did != "judge for good\n") return;
    EXPECT_EQ(given, "") << "nothing before the judgement";
    bench.step(event::Judged{"token_expired"});
    bench.upstream("");
    given += bench.to_client();
    did = bench.did();
  });
  EXPECT_TRUE(did.starts_with("release\ndone ")) << did << answer;
  return given;
}

TEST(Session, ChangesNothingElseInRandomMessages) {
  Messages messages(15);
  SessionBench bench;
  for (int n = 0; n < kMessages; ++n) {
    const int rejections =
        static_cast<int>(messages.below(3)) * static_cast<int>(messages.below(2));
    const Pair request = random_request(messages, "token" + std::to_string(rejections + 1));
    in_pieces(messages, request.sent, [&](std::string_view piece) { bench.client(piece); });
    ASSERT_EQ(bench.did(), "acquire after 0\n") << request.sent;
    bench.ready();
    reject(bench, rejections);
    ASSERT_EQ(unchunked<RequestReader>(bench.to_upstream()), request.expected);
    const Pair answer = random_answer(messages, rejections + 1);
    const std::string given = answered(bench, messages, answer.sent);
    ASSERT_EQ(unchunked<AnswerReader>(given), answer.expected);
  }
}

}  // namespace
}  // namespace skewguard::relay::testing
