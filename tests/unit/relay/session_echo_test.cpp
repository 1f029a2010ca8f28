// An API that repeats the token it was sent: no client sees it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>

#include "session_bench.hpp"

namespace skewguard::relay::testing {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kEchoed = "Bearer token1";
const std::string kHidden = "Bearer ******";

/// Stands for oauth::Echo, which finds more forms of a token.
void hide(std::span<char> words) {
  const std::string_view text(words.data(), words.size());
  for (std::size_t at = text.find("token1"); at != std::string_view::npos;
       at = text.find("token1", at))
    std::ranges::fill(words.subspan(at, 6), '*');
}

/// After a request was sent with the token.
struct Echoing : SessionBench {
  explicit Echoing(std::size_t replay_budget = 4096) : SessionBench(2 * kMaxHead, replay_budget) {
    rules.hide_tokens = hide;
    client("GET /api/v2/x HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ready();
    (void)to_upstream();
    (void)did();
  }

  /// What the client gets for an answer that comes in two reads.
  std::string answered(std::string_view answer, std::size_t split) {
    upstream(answer.substr(0, split));
    const std::string given = to_client();
    upstream(answer.substr(split));
    const int status = session.status();
    constexpr std::array<int, 5> kJudged{400, 401, 403, 429, 504};
    if (std::ranges::find(kJudged, status) != kJudged.end()) step(event::Judged{"token_rejected"});
    upstream("");
    return given + to_client();
  }
};

std::string answer_with(int status, std::string_view fields, std::string_view body) {
  return "HTTP/1.1 " + std::to_string(status) +
         " Status\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" +
         std::string(fields) + "\r\n" + std::string(body);
}

TEST(SessionEcho, IsHiddenInEveryHead) {
  for (const int status : {200, 204, 304, 400, 401, 403, 500, 504}) {
    Echoing bench;
    const std::string given = bench.answered(
        answer_with(status, "X-Echo: " + kEchoed + "\r\nLocation: /a?" + kEchoed + "\r\n", ""), 9);
    EXPECT_THAT(given, HasSubstr("X-Echo: " + kHidden + "\r\nLocation: /a?" + kHidden + "\r\n"));
    EXPECT_THAT(given, Not(HasSubstr("token1"))) << status;
  }
  Echoing reason;
  EXPECT_THAT(reason.answered("HTTP/1.1 200 " + kEchoed + "\r\nContent-Length: 0\r\n\r\n", 20),
              HasSubstr("HTTP/1.1 200 " + kHidden + "\r\n"));
  Echoing interim;
  interim.upstream("HTTP/1.1 103 Hints\r\nLink: " + kEchoed + "\r\n\r\n");
  EXPECT_EQ(interim.to_client(), "HTTP/1.1 103 Hints\r\nLink: " + kHidden + "\r\n\r\n");
}

TEST(SessionEcho, IsHiddenInErrorsWhereverTheyAreSplit) {
  for (const int status : {400, 401, 429, 500}) {
    const std::string body = R"({"sent":")" + kEchoed + R"(","again":"token1"})";
    const std::string answer = answer_with(status, "X-Echo: " + kEchoed + "\r\n", body);
    for (std::size_t split = 0; split <= answer.size(); ++split) {
      Echoing bench;
      EXPECT_THAT(bench.answered(answer, split),
                  EndsWith("\r\n\r\n{\"sent\":\"" + kHidden + R"(","again":"******"})"))
          << split;
      EXPECT_THAT(bench.did(), EndsWith("done " + std::to_string(status) + " x1\n"));
    }
  }
}

TEST(SessionEcho, IsHiddenAcrossChunks) {
  const std::string body = "<" + kEchoed + ">";
  for (std::size_t cut = 1; cut < body.size(); ++cut) {
    std::string answer = "HTTP/1.1 500 Oops\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const auto& piece : {body.substr(0, cut), body.substr(cut)})
      answer += std::string(NumberText(piece.size(), 16).view()) + "\r\n" + piece + "\r\n";
    answer += "0\r\n\r\n";
    for (const std::size_t split : {answer.size(), answer.size() - 8 - (body.size() - cut)}) {
      Echoing bench;
      EXPECT_THAT(bench.answered(answer, split),
                  EndsWith("\r\n\r\nf\r\n<" + kHidden + ">\r\n0\r\n\r\n"))
          << cut;
    }
  }
}

TEST(SessionEcho, IsHiddenUntilTheConnectionEnds) {
  Echoing bench;
  bench.upstream("HTTP/1.1 422 Bad\r\n\r\nBearer tok");
  EXPECT_EQ(bench.to_client(), "") << "the rest may follow";
  bench.upstream("en1");
  bench.step(event::UpstreamEnded{});
  EXPECT_THAT(bench.to_client(), EndsWith("\r\n\r\nd\r\n" + kHidden + "\r\n0\r\n\r\n"));
}

TEST(SessionEcho, IsHiddenThoughNoMemoryIsLeftForBodies) {
  Echoing bench(0);
  EXPECT_THAT(bench.answered(answer_with(400, "", kEchoed), 50), EndsWith(kHidden));
  EXPECT_EQ(bench.replay.left(), 0U);
}

TEST(SessionEcho, IsNotShownToTheEngineEither) {
  Echoing bench;
  bench.upstream(answer_with(401, "X-Echo: " + kEchoed + "\r\n", kEchoed));
  EXPECT_EQ(bench.did(), "judge\n");
  EXPECT_EQ(bench.session.error_body(), kHidden);
  EXPECT_EQ(bench.work.answer.head().fields.find("X-Echo"), kHidden);
}

TEST(SessionEcho, IsLookedForInTheFirst64KiBOfAnError) {
  constexpr std::size_t kLooked = std::size_t{64} * 1024;
  Echoing bench;
  const std::string before(kLooked - kEchoed.size(), 'e');
  const std::string given = bench.answered(answer_with(500, "", before + kEchoed + kEchoed), 1000);
  EXPECT_TRUE(given.ends_with("\r\n\r\n" + before + kHidden + kEchoed));
  EXPECT_EQ(bench.did(), "release\ndone 500 x1\n");
}

TEST(SessionEcho, InTheBodyOfAGoodAnswerIsTheClientsResource) {
  Echoing bench;
  EXPECT_THAT(bench.answered(answer_with(200, "", kEchoed), 50), EndsWith("\r\n\r\n" + kEchoed));
}

TEST(SessionEcho, IsNotLookedForWithoutARuleForIt) {
  Echoing bench;
  bench.rules.hide_tokens = nullptr;
  EXPECT_THAT(bench.answered(answer_with(400, "X-Echo: token1\r\n", "token1"), 60),
              HasSubstr("X-Echo: token1\r\n"));
}

TEST(Session, GoesOnSendingWhileAnErrorArrives) {
  SessionBench bench;
  bench.client("POST /api/v2/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbo");
  bench.ready();
  (void)bench.to_upstream();
  bench.upstream("HTTP/1.1 422 Bad\r\nContent-Length: 2\r\n\r\n");
  bench.client("dy");
  EXPECT_EQ(bench.to_upstream(), "dy");
  bench.upstream("no");
  EXPECT_THAT(bench.to_client(), EndsWith("\r\n\r\nno"));
  EXPECT_EQ(bench.did(), "acquire after 0\nrelease\ndone 422 x1\n");
}

}  // namespace
}  // namespace skewguard::relay::testing
