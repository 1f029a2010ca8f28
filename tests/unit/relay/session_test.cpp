#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "session_bench.hpp"

namespace skewguard::relay::testing {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr std::string_view kGet = "GET /api/v2/x HTTP/1.1\r\nHost: localhost\r\n\r\n";
constexpr std::string_view kGetSent =
    "GET /api/v2/x HTTP/1.1\r\nHost: api.test\r\nAuthorization: Bearer token1\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr std::string_view kOkGiven =
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nSkewguard-Verdict: ok\r\nSkewguard-Attempts: 1\r\n"
    "\r\nok";
constexpr std::string_view kRefused = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nbad";

std::string post(std::string_view fields, std::string_view body) {
  return "POST /api/v2/x HTTP/1.1\r\nHost: localhost\r\n" + std::string(fields) + "\r\n" +
         std::string(body);
}

std::string sized_post(std::string_view body) {
  return post("Content-Length: " + std::to_string(body.size()) + "\r\n", body);
}

/// Up to the point where the request has been sent.
void send(SessionBench& bench, std::string_view request, bool reused = false) {
  bench.client(request);
  EXPECT_EQ(bench.did(), "acquire after 0\n");
  bench.ready(1, reused);
  (void)bench.to_upstream();
}

TEST(Session, RelaysARequestAndItsAnswer) {
  SessionBench bench;
  bench.client(kGet);
  EXPECT_EQ(bench.did(), "acquire after 0\n");
  bench.ready();
  EXPECT_EQ(bench.to_upstream(), kGetSent);
  bench.upstream(kOk);
  EXPECT_EQ(bench.did(), "release\ndone 200 x1\n");
  EXPECT_EQ(bench.to_client(), kOkGiven);
  EXPECT_TRUE(bench.session.at_rest(bench.work));
}

TEST(Session, GivesTheSameHoweverBytesArrive) {
  SessionBench bench;
  const std::string request = post("Transfer-Encoding: chunked\r\n", "3\r\nabc\r\n0\r\n\r\n");
  for (const char c : request) bench.client({&c, 1});
  bench.ready();
  EXPECT_THAT(bench.to_upstream(), HasSubstr("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
  std::string given;
  for (const char c : kOk) {
    bench.upstream({&c, 1});
    given += bench.to_client();
  }
  EXPECT_EQ(given, kOkGiven);
  EXPECT_EQ(bench.did(), "acquire after 0\nrelease\ndone 200 x1\n");
}

TEST(Session, ServesPipelinedRequestsOneAfterTheOther) {
  SessionBench bench;
  bench.client(sized_post("body") + std::string(kGet));
  bench.ready();
  EXPECT_THAT(bench.to_upstream(), ::testing::EndsWith("\r\n\r\nbody"));
  bench.upstream(kOk);
  EXPECT_EQ(bench.did(), "acquire after 0\nrelease\ndone 200 x1\n");
  EXPECT_EQ(bench.to_client(), kOkGiven);
  EXPECT_EQ(bench.did(), "acquire after 0\n") << "once the first answer has left";
  bench.ready();
  EXPECT_EQ(bench.to_upstream(), kGetSent);
  bench.upstream(kOk);
  EXPECT_EQ(bench.to_client(), kOkGiven);
}

TEST(Session, EndsTheConnectionWhereTheClientAsksForIt) {
  SessionBench bench;
  send(bench, "GET /api/v2/x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  bench.upstream(kOk);
  EXPECT_THAT(bench.to_client(), HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(bench.did(), "release\ndone 200 x1\nclose\n");
}

TEST(Session, EndsTheConnectionOfAnOldClientWithTheBody) {
  SessionBench bench;
  send(bench, "GET /api/v2/x HTTP/1.0\r\nHost: localhost\r\n\r\n");
  bench.upstream("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
  EXPECT_THAT(bench.to_client(), ::testing::EndsWith("Connection: close\r\n\r\nok"));
  EXPECT_EQ(bench.did(), "release\ndone 200 x1\nclose\n");
}

TEST(Session, WhileDrainingEndsEachConnectionWithItsAnswer) {
  SessionBench bench;
  bench.rules.draining = true;
  send(bench, kGet);
  bench.upstream(kOk);
  EXPECT_THAT(bench.to_client(), HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(bench.did(), "release\ndone 200 x1\nclose\n");
}

TEST(Session, DoesNotReuseAConnectionThatIsNotClean) {
  for (const auto* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                             "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
                             "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 OK\r\n",
                             "HTTP/1.1 204 No Content\r\n\r\nbody",
                             "HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\n",
                             "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    SessionBench bench;
    send(bench, kGet);
    bench.upstream(answer);
    EXPECT_THAT(bench.did(), StartsWith("drop\ndone ")) << answer;
  }
}

TEST(Session, ReadsAnAnswerUntilTheConnectionEnds) {
  SessionBench bench;
  send(bench, kGet);
  bench.upstream("HTTP/1.1 200 OK\r\n\r\npart");
  EXPECT_EQ(bench.did(), "");
  bench.step(event::UpstreamEnded{});
  EXPECT_THAT(bench.to_client(), ::testing::EndsWith("\r\n\r\n4\r\npart\r\n0\r\n\r\n"));
  EXPECT_EQ(bench.did(), "drop\ndone 200 x1\n");
}

TEST(Session, DoesNotTakeAConnectionThatFailedForTheEndOfAnAnswer) {
  SessionBench bench;
  send(bench, kGet);
  bench.upstream("HTTP/1.1 200 OK\r\n\r\npart");
  bench.step(event::UpstreamEnded{.broken = true});
  EXPECT_THAT(bench.to_client(), ::testing::EndsWith("\r\n\r\n4\r\npart\r\n"));
  EXPECT_THAT(bench.did(), ::testing::HasSubstr("cut by api"));
}

TEST(Session, JudgesARejectionWhoseConnectionFailedAndPassesItsStatus) {
  SessionBench bench;
  send(bench, kGet);
  bench.upstream("HTTP/1.1 401 No\r\n\r\nab");
  bench.step(event::UpstreamEnded{.broken = true});
  EXPECT_EQ(bench.did(), "judge\n");
  bench.step(event::Judged{"token_expired"});
  EXPECT_EQ(bench.did(), "drop\nfail 401 api.answer.cut\n");
}

TEST(Session, PassesInterimAnswersButNot100) {
  SessionBench bench;
  send(bench, kGet);
  bench.upstream("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
  EXPECT_EQ(bench.to_client(), "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
  bench.upstream(kOk);
  EXPECT_EQ(bench.to_client(), kOkGiven);
}

TEST(Session, PassesAtMostSixteenInterimAnswers) {
  SessionBench bench;
  const std::string interim = "HTTP/1.1 102 Processing\r\n\r\n";
  send(bench, kGet);
  for (int n = 0; n < 16; ++n) {
    bench.upstream(interim);
    EXPECT_EQ(bench.to_client(), interim);
  }
  for (int n = 0; n < 100; ++n) bench.upstream(interim);
  EXPECT_EQ(bench.to_client(), "");
  bench.upstream(kOk);
  EXPECT_EQ(bench.to_client(), kOkGiven);
  EXPECT_EQ(bench.did(), "release\ndone 200 x1\n");
  send(bench, kGet);
  bench.upstream(interim);
  EXPECT_EQ(bench.to_client(), interim) << "the next request has sixteen of its own";
}

TEST(Session, InvitesAClientThatWaitsToContinue) {
  SessionBench bench;
  bench.client(post("Content-Length: 2\r\nExpect: 100-continue\r\n", ""));
  EXPECT_EQ(bench.to_client(), "") << "not before the request can be sent";
  bench.ready();
  EXPECT_EQ(bench.to_client(), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(bench.to_upstream(), Not(HasSubstr("Expect")));
  bench.client("ok");
  EXPECT_EQ(bench.to_upstream(), "ok");
}

TEST(Session, DoesNotInviteAClientThatHasBegun) {
  SessionBench bench;
  bench.client(post("Content-Length: 2\r\nExpect: 100-continue\r\n", "o"));
  bench.ready();
  EXPECT_EQ(bench.to_client(), "");
}

TEST(Session, SendsAgainWithAnotherTokenAfterACurableRejection) {
  SessionBench bench;
  send(bench, sized_post("body"));
  bench.upstream(kRefused);
  EXPECT_EQ(bench.did(), "judge\n");
  EXPECT_EQ(bench.session.error_body(), "bad");
  bench.step(event::Judged{"token_expired", true, 1});
  EXPECT_EQ(bench.did(), "release\nacquire after 1\n");
  bench.ready(2);
  EXPECT_EQ(bench.to_upstream(),
            "POST /api/v2/x HTTP/1.1\r\nHost: api.test\r\nContent-Length: 4\r\n"
            "Authorization: Bearer token2\r\n\r\nbody");
  bench.upstream(kOk);
  EXPECT_EQ(bench.did(), "judge for good\n");
  bench.step(event::Judged{"token_expired"});
  EXPECT_THAT(bench.to_client(),
              HasSubstr("Skewguard-Verdict: token_expired\r\nSkewguard-Attempts: 2\r\n"));
  EXPECT_EQ(bench.did(), "release\ndone 200 x2\n");
}

/// Up to the point where the request has been sent a second time.
void send_twice(SessionBench& bench) {
  send(bench, kGet);
  bench.upstream(kRefused);
  bench.step(event::Judged{"token_expired", true, 1});
  EXPECT_EQ(bench.did(), "judge\nrelease\nacquire after 1\n");
  bench.ready(2);
  (void)bench.to_upstream();
}

TEST(Session, HasEveryAnswerJudgedAfterARetry) {
  for (const int status : {200, 204, 302, 400, 403, 404, 429, 500}) {
    SessionBench bench;
    send_twice(bench);
    bench.upstream("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n\r\n");
    const bool curable = status == 400 || status == 403;
    EXPECT_EQ(bench.did(), curable ? "judge\n" : "judge for good\n");
    EXPECT_EQ(bench.to_client(), "") << "nothing before the judgement";
    bench.step(event::Judged{"clock_ahead"});
    EXPECT_THAT(bench.to_client(), HasSubstr("Skewguard-Verdict: clock_ahead\r\n"));
    EXPECT_EQ(bench.did(), "release\ndone " + std::to_string(status) + " x2\n");
    send(bench, kGet);
    bench.upstream(kOk);
    EXPECT_EQ(bench.did(), "release\ndone 200 x1\n") << "only of that request";
    EXPECT_EQ(bench.to_client(), kOkGiven);
  }
}

TEST(Session, HasAGoodAnswerJudgedByItsHeadAndStreamsItsBody) {
  SessionBench bench;
  send_twice(bench);
  const std::string body(1000 * 1000, 'b');
  bench.upstream("HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: ");
  EXPECT_EQ(bench.to_client(), "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
  bench.upstream("1000000\r\n\r\n");
  EXPECT_EQ(bench.did(), "judge for good\n") << "before a byte of its body has come";
  EXPECT_FALSE(bench.session.reads_upstream(bench.work));
  bench.step(event::Judged{"token_expired", true, 2});
  EXPECT_EQ(bench.did(), "") << "a good answer is not retried";
  bench.upstream(body.substr(0, 1000));
  EXPECT_TRUE(bench.to_client().ends_with("\r\n\r\n" + body.substr(0, 1000)));
  EXPECT_EQ(bench.session.error_body(), "");
  bench.upstream(body.substr(1000));
  EXPECT_TRUE(bench.to_client().ends_with(body.substr(1000)));
  EXPECT_EQ(bench.did(), "release\ndone 200 x2\n");
}

TEST(Session, RetriesAsOftenAsTheEngineWants) {
  SessionBench bench;
  send_twice(bench);
  bench.upstream("HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n");
  bench.step(event::Judged{"auth_backend_unavailable", true, 1});
  bench.ready(2);
  bench.upstream(kOk);
  EXPECT_EQ(bench.did(), "judge\nrelease\nacquire after 1\njudge for good\n");
}

TEST(Session, PassesAGoodAnswerWhoseJudgementTakesTooLong) {
  SessionBench bench;
  send_twice(bench);
  bench.upstream(kOk);
  bench.pass(seconds{12});
  EXPECT_EQ(bench.did(), "judge for good\nabandon\nrelease\ndone 200 x2\n");
  EXPECT_THAT(bench.to_client(), HasSubstr("Skewguard-Verdict: unknown\r\n"));
}

TEST(Session, NeverGoesBackToARejectedToken) {
  SessionBench bench;
  send_twice(bench);
  bench.step(event::UpstreamEnded{true});
  EXPECT_EQ(bench.did(), "drop\nacquire after 1 fresh\n");
}

TEST(Session, SendsAChunkedBodyAgain) {
  SessionBench bench;
  send(bench, post("Transfer-Encoding: chunked\r\n", "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"));
  bench.upstream(kRefused);
  bench.step(event::Judged{"token_expired", true, 1});
  bench.ready(2);
  EXPECT_THAT(bench.to_upstream(), ::testing::EndsWith("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"));
}

TEST(Session, GivesARejectionThatCannotBeCuredWithItsVerdict) {
  SessionBench bench;
  send(bench, kGet);
  bench.upstream(kRefused);
  bench.step(event::Judged{"token_revoked"});
  EXPECT_EQ(bench.to_client(),
            "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\nSkewguard-Verdict: token_revoked\r\n"
            "Skewguard-Attempts: 1\r\n\r\nbad");
  EXPECT_EQ(bench.did(), "judge\nrelease\ndone 401 x1\n");
}

TEST(Session, DoesNotRepeatAnEffectAfterAnotherStatus) {
  const std::string denied = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
  SessionBench post_bench;
  send(post_bench, sized_post("body"));
  post_bench.upstream(denied);
  post_bench.step(event::Judged{"token_rejected", true, 1});
  EXPECT_EQ(post_bench.did(), "judge for good\nrelease\ndone 403 x1\n");
  SessionBench get_bench;
  send(get_bench, kGet);
  get_bench.upstream(denied);
  get_bench.step(event::Judged{"token_rejected", true, 1});
  EXPECT_EQ(get_bench.did(), "judge\nrelease\nacquire after 1\n");
  SessionBench timeout_bench;
  send(timeout_bench, sized_post("body"));
  timeout_bench.upstream("HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n");
  timeout_bench.step(event::Judged{"auth_backend_unavailable", true, 0});
  EXPECT_EQ(timeout_bench.did(), "judge\nrelease\nacquire after 0\n");
}

TEST(Session, PassesOtherErrorsWithoutAskingAnybody) {
  for (const int status : {404, 409, 422, 500, 502, 503}) {
    SessionBench bench;
    send(bench, kGet);
    bench.upstream("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 0\r\n\r\n");
    EXPECT_EQ(bench.did(), "release\ndone " + std::to_string(status) + " x1\n");
  }
}

TEST(Session, CannotSendABodyAgainThatIsTooLargeToBeHeld) {
  SessionBench bench;
  bench.rules.max_replay_body = 4;
  send(bench, sized_post("12345"));
  bench.upstream(kRefused);
  EXPECT_EQ(bench.did(), "judge for good\n");
  bench.step(event::Judged{"token_expired", true, 1});
  EXPECT_THAT(bench.to_client(), HasSubstr("401"));
  EXPECT_EQ(bench.did(), "release\ndone 401 x1\n");
}

TEST(Session, HoldsABodyUpToTheLimit) {
  for (const auto& request :
       {sized_post("1234"), post("Transfer-Encoding: chunked\r\n", "4\r\n1234\r\n0\r\n\r\n")}) {
    SessionBench bench;
    bench.rules.max_replay_body = 4;
    send(bench, request);
    bench.upstream(kRefused);
    EXPECT_EQ(bench.did(), "judge\n");
  }
  SessionBench over;
  over.rules.max_replay_body = 4;
  over.client(post("Transfer-Encoding: chunked\r\n", "5\r\n12345\r\n0\r\n\r\n"));
  over.ready();
  EXPECT_THAT(over.to_upstream(), ::testing::EndsWith("\r\n\r\n4\r\n1234\r\n1\r\n5\r\n0\r\n\r\n"));
  over.upstream(kRefused);
  EXPECT_EQ(over.did(), "acquire after 0\njudge for good\n");
}

TEST(Session, ReturnsTheMemoryOfABody) {
  SessionBench bench(2 * kMaxHead, 6);
  for (int n = 0; n < 3; ++n) {
    send(bench, sized_post("body"));
    EXPECT_EQ(bench.replay.left(), 2U);
    bench.upstream(kOk);
    EXPECT_EQ(bench.replay.left(), 6U);
    EXPECT_EQ(bench.to_client(), kOkGiven);
    EXPECT_EQ(bench.did(), "release\ndone 200 x1\n");
  }
}

TEST(Session, StreamsABodyIfTheBudgetIsSpent) {
  SessionBench bench(2 * kMaxHead, 3);
  bench.client(sized_post("body"));
  bench.ready();
  EXPECT_THAT(bench.to_upstream(), ::testing::EndsWith("\r\n\r\nbody"));
  bench.upstream(kOk);
  EXPECT_EQ(bench.to_client(), kOkGiven);
}

TEST(Session, ReadsNoFurtherAheadThanItsBuffers) {
  SessionBench bench;
  send(bench, kGet);
  const std::string body(1000 * 1000, 'x');
  bench.upstream("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + body);
  EXPECT_FALSE(bench.session.reads_upstream(bench.work));
  EXPECT_LE(bench.work.client_out.size(), 2 * kMaxHead);
  const std::string given = bench.to_client();
  EXPECT_TRUE(given.ends_with(body));
  EXPECT_EQ(bench.did(), "release\ndone 200 x1\n");
}

TEST(Session, ReadsAsLongAsThereIsRoom) {
  SessionBench bench;
  send(bench, kGet);
  for (Buffer* buffer : {&bench.work.client_in, &bench.work.upstream_in})
    buffer->added(buffer->space().size() - 1);
  EXPECT_TRUE(bench.session.reads_client(bench.work));
  EXPECT_TRUE(bench.session.reads_upstream(bench.work));
  bench.work.client_in.added(1);
  bench.work.upstream_in.added(1);
  EXPECT_FALSE(bench.session.reads_client(bench.work));
  EXPECT_FALSE(bench.session.reads_upstream(bench.work));
}

TEST(Session, StreamsALargeUpload) {
  SessionBench bench;
  bench.rules.max_replay_body = 1000;
  const std::string body(1000 * 1000, 'y');
  bench.client(sized_post(body));
  EXPECT_FALSE(bench.session.reads_client(bench.work));
  bench.ready();
  const std::string sent = bench.to_upstream();
  EXPECT_TRUE(sent.ends_with("\r\n\r\n" + body));
  EXPECT_EQ(bench.replay.left(), 4096U * 1024);
}

TEST(Session, GivesAnEarlyAnswerToAClientThatStillSends) {
  SessionBench bench;
  bench.rules.max_replay_body = 10;
  bench.client(post("Content-Length: 1000000\r\n", "begin"));
  bench.ready();
  (void)bench.to_upstream();
  bench.upstream("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_THAT(bench.to_client(), ::testing::EndsWith("Connection: close\r\n\r\nno"));
  EXPECT_EQ(bench.did(), "acquire after 0\ndrop\ndone 413 x1\nclose later\n");
}

TEST(Session, ReadsAnEarlyAnswerAfterAFailedWrite) {
  SessionBench bench;
  bench.rules.max_replay_body = 10;
  bench.client(post("Content-Length: 100\r\n", "begin"));
  bench.ready();
  bench.step(event::UpstreamWriteFailed{});
  bench.client("more that nobody wants");
  bench.upstream("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno");
  EXPECT_THAT(bench.to_client(), HasSubstr("HTTP/1.1 413 Too Large\r\n"));
  EXPECT_EQ(bench.did(), "acquire after 0\ndrop\ndone 413 x1\nclose later\n");
}

TEST(Session, SendsAnIdempotentRequestAgainIfAnOldConnectionWasClosed) {
  SessionBench bench;
  send(bench, kGet, true);
  bench.step(event::UpstreamEnded{});
  EXPECT_EQ(bench.did(), "drop\nacquire after 0 fresh\n");
  bench.ready();
  EXPECT_EQ(bench.to_upstream(), kGetSent);
  bench.step(event::UpstreamEnded{});
  EXPECT_EQ(bench.did(), "drop\nfail 502 api.connection.lost\n") << "it was a new one";
}

TEST(Session, DoesNotSendAPostAgainOnceAByteOfItHasLeft) {
  SessionBench bench;
  send(bench, sized_post("body"), true);
  bench.step(event::UpstreamEnded{});
  EXPECT_EQ(bench.did(), "drop\nfail 502 api.connection.lost\n");
}

TEST(Session, SendsAPostAgainIfNothingOfItHasLeft) {
  SessionBench bench;
  send(bench, sized_post("body"), true);
  bench.step(event::UpstreamEnded{true});
  EXPECT_EQ(bench.did(), "drop\nacquire after 0 fresh\n");
  bench.ready();
  EXPECT_THAT(bench.to_upstream(), ::testing::EndsWith("\r\n\r\nbody"));
  bench.upstream(kOk);
  EXPECT_EQ(bench.did(), "release\ndone 200 x1\n");
}

TEST(Session, GivesUpAfterTwoResends) {
  SessionBench bench;
  send(bench, kGet);
  for (int n = 0; n < 2; ++n) {
    bench.step(event::UpstreamEnded{true});
    EXPECT_EQ(bench.did(), "drop\nacquire after 0 fresh\n");
    bench.ready();
  }
  bench.step(event::UpstreamEnded{true});
  EXPECT_EQ(bench.did(), "drop\nfail 502 api.connection.lost\n");
}

TEST(Session, DoesNotSendAgainAfterPartOfAnAnswer) {
  SessionBench bench;
  send(bench, kGet, true);
  bench.upstream("HTTP/1.1 2");
  bench.step(event::UpstreamEnded{});
  EXPECT_EQ(bench.did(), "drop\nfail 502 api.connection.lost\n");
}

TEST(Session, CutsTheClientsConnectionIfTheAnswerIsCut) {
  for (const auto* answer : {"HTTP/1.1 200 OK\r\nContent-Length: 8193\r\n\r\nab",
                             "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"}) {
    SessionBench bench;
    send(bench, kGet);
    bench.upstream(answer);
    bench.step(event::UpstreamEnded{});
    EXPECT_EQ(bench.did(), "drop\ncut by api\n");
  }
  SessionBench malformed;
  send(malformed, kGet);
  malformed.upstream("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n");
  EXPECT_EQ(malformed.did(), "drop\ncut by api\n");
}

TEST(Session, AwaitsAShortBodyBeforeItPassesTheHead) {
  SessionBench bench;
  send(bench, kGet);
  const std::string body(8192, 'b');
  bench.upstream("HTTP/1.1 200 OK\r\nContent-Length: 8192\r\n\r\n" + body.substr(1));
  EXPECT_EQ(bench.to_client(), "");
  bench.upstream("b");
  EXPECT_THAT(bench.to_client(), ::testing::EndsWith("\r\n\r\n" + body));
  EXPECT_EQ(bench.did(), "release\ndone 200 x1\n");
}

TEST(Session, AnswersForAnApiThatCutsAShortBody) {
  SessionBench bench;
  send(bench, kGet);
  bench.upstream("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab");
  bench.step(event::UpstreamEnded{});
  EXPECT_EQ(bench.did(), "drop\nfail 502 api.connection.lost\n");
}

TEST(Session, AnswersForAnApiThatIsNotUnderstood) {
  for (const auto* answer : {"SSH-2.0", "HTTP/1.1 200 OK\r\nA : 1\r\n\r\n",
                             "HTTP/1.1 401 No\r\nTransfer-Encoding: chunked\r\n\r\nx"}) {
    SessionBench bench;
    send(bench, kGet);
    bench.upstream(answer);
    EXPECT_EQ(bench.did(), "drop\nfail 502 api.answer.malformed\n");
    bench.page(502, "{}");
    EXPECT_THAT(bench.to_client(), StartsWith("HTTP/1.1 502 Reason\r\nX-Own: 1\r\n"));
  }
}

TEST(Session, JudgesARejectionThatIsCutAndPassesItsStatus) {
  SessionBench bench;
  send(bench, kGet);
  bench.upstream("HTTP/1.1 401 No\r\nContent-Length: 5\r\n\r\nab");
  bench.step(event::UpstreamEnded{});
  EXPECT_EQ(bench.did(), "judge\n");
  bench.step(event::Judged{"token_expired"});
  EXPECT_EQ(bench.did(), "drop\nfail 401 api.answer.cut\n");
}

TEST(Session, PassesTheStatusOfAnErrorThatStallsOrIsCut) {
  for (const bool cut : {false, true}) {
    SessionBench bench;
    send(bench, sized_post("body"));
    bench.upstream("HTTP/1.1 409 Conflict\r\nContent-Length: 5\r\n\r\nab");
    bench.pass(seconds{59});
    EXPECT_EQ(bench.did(), "");
    cut ? bench.step(event::UpstreamEnded{}) : bench.pass(seconds{1});
    EXPECT_EQ(bench.did(), "drop\nfail 409 api.answer.cut\n");
    bench.page(409, "{}");
    EXPECT_EQ(bench.did(), "done 409 x1\n");
  }
}

TEST(Session, CuresARejectionThatStalls) {
  SessionBench bench;
  send(bench, kGet);
  bench.upstream("HTTP/1.1 401 No\r\nContent-Length: 5\r\n\r\nab");
  bench.pass(seconds{60});
  EXPECT_EQ(bench.did(), "judge\n");
  bench.step(event::Judged{"token_expired", true, 1});
  EXPECT_EQ(bench.did(), "drop\nacquire after 1\n");
  bench.ready(2);
  bench.upstream(kOk);
  bench.step(event::Judged{"token_expired"});
  EXPECT_THAT(bench.to_client(), ::testing::EndsWith("ok"));
}

TEST(Session, PassesALargeErrorWhole) {
  SessionBench bench;
  send(bench, kGet);
  const std::string body(100 * 1000, 'e');
  bench.upstream("HTTP/1.1 401 No\r\nContent-Length: 100000\r\n\r\n" + body);
  EXPECT_EQ(bench.did(), "judge\n");
  EXPECT_EQ(bench.session.error_body().size(), 64U * 1024);
  bench.step(event::Judged{"token_expired"});
  bench.upstream("");
  EXPECT_TRUE(bench.to_client().ends_with("\r\n\r\n" + body));
  EXPECT_EQ(bench.did(), "release\ndone 401 x1\n");
}

TEST(Session, SaysThatNothingWasSentIfThereIsNoToken) {
  SessionBench bench;
  bench.client(sized_post("body"));
  bench.step(event::UpstreamDenied{{503, "token.unavailable", "There is no token.", true}});
  EXPECT_EQ(bench.did(), "acquire after 0\nfail 503 token.unavailable retry\n");
  bench.page(503, "{}");
  EXPECT_EQ(bench.to_client(), "HTTP/1.1 503 Reason\r\nX-Own: 1\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(bench.did(), "done 503 x0\n");
}

TEST(Session, NeverSaysSoOnceSomethingWasSent) {
  SessionBench bench;
  send(bench, kGet);
  bench.upstream(kRefused);
  bench.step(event::Judged{"token_expired", true, 1});
  (void)bench.did();
  bench.step(event::UpstreamDenied{{503, "token.unavailable", "There is no token.", true}});
  EXPECT_EQ(bench.did(), "fail 502 token.unavailable\n");
}

TEST(Session, HoldsARequestForTwelveSeconds) {
  SessionBench bench;
  bench.client(kGet);
  (void)bench.did();
  bench.pass(seconds{12} - Duration{1});
  EXPECT_EQ(bench.did(), "");
  bench.pass(Duration{1});
  EXPECT_EQ(bench.did(), "abandon\nfail 503 hold.timeout retry\n");
}

TEST(Session, HoldsARequestAnewOnlyAfterAnAnswer) {
  SessionBench unsent;
  send(unsent, kGet);
  unsent.pass(seconds{7});
  unsent.step(event::UpstreamEnded{true});
  EXPECT_EQ(unsent.did(), "drop\nacquire after 0 fresh\n");
  unsent.pass(seconds{5});
  EXPECT_EQ(unsent.did(), "abandon\nfail 503 hold.timeout retry\n");
  SessionBench rejected;
  send(rejected, kGet);
  rejected.pass(seconds{7});
  rejected.upstream(kRefused);
  rejected.step(event::Judged{"token_expired", true, 1});
  EXPECT_EQ(rejected.did(), "judge\nrelease\nacquire after 1\n");
  rejected.pass(seconds{12} - Duration{1});
  EXPECT_EQ(rejected.did(), "");
  rejected.pass(Duration{1});
  EXPECT_EQ(rejected.did(), "abandon\nfail 502 hold.timeout\n");
}

TEST(Session, PassesARejectionWhoseJudgementTakesTooLong) {
  SessionBench bench;
  send(bench, kGet);
  bench.upstream(kRefused);
  bench.pass(seconds{12});
  EXPECT_EQ(bench.did(), "judge\nabandon\nrelease\ndone 401 x1\n");
  EXPECT_THAT(bench.to_client(), HasSubstr("Skewguard-Verdict: unknown\r\n"));
}

TEST(Session, WaitsAMinuteForTheAnswer) {
  SessionBench bench;
  send(bench, kGet);
  bench.pass(seconds{59});
  EXPECT_EQ(bench.did(), "");
  bench.pass(seconds{1});
  EXPECT_EQ(bench.did(), "drop\nfail 504 api.timeout\n");
}

TEST(Session, CutsAnAnswerThatMakesNoProgress) {
  SessionBench bench;
  send(bench, kGet);
  bench.upstream("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\nab");
  bench.pass(seconds{59});
  bench.upstream("c");
  bench.pass(seconds{59});
  EXPECT_EQ(bench.did(), "");
  bench.pass(seconds{1});
  EXPECT_EQ(bench.did(), "drop\ncut by stalled\n");
}

TEST(Session, DoesNotWaitForeverForARequest) {
  SessionBench idle;
  idle.pass(seconds{65} - Duration{1});
  EXPECT_EQ(idle.did(), "");
  idle.pass(Duration{1});
  EXPECT_EQ(idle.did(), "close\n");

  SessionBench slow;
  slow.rules.idle = seconds{1};
  send(slow, kGet);
  slow.upstream(kOk);
  EXPECT_EQ(slow.did(), "release\ndone 200 x1\n");
  slow.pass(seconds{59});
  EXPECT_EQ(slow.did(), "") << "the client has its answer still to read";
  slow.pass(seconds{1});
  EXPECT_EQ(slow.did(), "cut by stalled\n");

  SessionBench head;
  head.client("G");
  head.now += seconds{40};
  head.client("E");
  head.pass(seconds{19});
  EXPECT_EQ(head.did(), "");
  head.pass(seconds{1});
  EXPECT_EQ(head.did(), "fail 408 request.timeout\n") << "bytes that trickle in win no time";
  head.page(408, "");
  EXPECT_THAT(head.to_client(), HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(head.did(), "done 408 x0\nclose later\n");

  SessionBench body;
  send(body, post("Content-Length: 5\r\n", "ab"));
  body.pass(seconds{60});
  EXPECT_EQ(body.did(), "drop\nfail 408 request.timeout\n");
}

TEST(Session, NoticesThatAClientHasLeft) {
  SessionBench waiting;
  waiting.client(kGet);
  waiting.step(event::ClientGone{});
  EXPECT_EQ(waiting.did(), "acquire after 0\nabandon\ncut by client\n");
  EXPECT_EQ(waiting.to_upstream(), "");
  SessionBench sent;
  send(sent, kGet);
  sent.step(event::ClientGone{});
  EXPECT_EQ(sent.did(), "drop\ncut by client\n");
  SessionBench judging;
  send(judging, kGet);
  judging.upstream(kRefused);
  judging.step(event::ClientGone{});
  EXPECT_EQ(judging.did(), "judge\nabandon\ndrop\ncut by client\n");
  SessionBench retrying;
  send(retrying, kGet);
  retrying.upstream(kRefused);
  retrying.step(event::Judged{"token_expired", true, 1});
  EXPECT_FALSE(retrying.session.reads_upstream(retrying.work));
  retrying.step(event::ClientGone{});
  EXPECT_EQ(retrying.did(), "judge\nrelease\nacquire after 1\nabandon\ncut by client\n");
}

TEST(Session, EndsWithWhatAnswerThereIs) {
  SessionBench resting;
  resting.step(event::Stop{});
  EXPECT_EQ(resting.did(), "close\n");

  SessionBench waiting;
  waiting.client(kGet);
  waiting.step(event::Stop{});
  EXPECT_EQ(waiting.did(), "acquire after 0\nabandon\nfail 503 stopping retry\n");
  waiting.page(503, "later");
  EXPECT_THAT(waiting.to_client(), HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(waiting.did(), "done 503 x0\nclose\n");

  SessionBench body;
  body.client("POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nab");
  body.step(event::Stop{});
  EXPECT_EQ(body.did(), "fail 503 stopping retry\n");

  SessionBench own;
  own.client("GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(own.did(), StartsWith("serve "));
  own.step(event::Stop{});
  EXPECT_EQ(own.did(), "abandon\nfail 503 stopping retry\n");
}

TEST(Session, DoesNotInviteARetryOfARequestThatWasSentWhenItEnds) {
  SessionBench sent;
  send(sent, kGet);
  sent.step(event::Stop{});
  EXPECT_EQ(sent.did(), "drop\nfail 504 api.timeout\n");

  SessionBench retrying;
  send(retrying, kGet);
  retrying.upstream(kRefused);
  retrying.step(event::Judged{"token_expired", true, 1});
  EXPECT_EQ(retrying.did(), "judge\nrelease\nacquire after 1\n");
  retrying.step(event::Stop{});
  EXPECT_EQ(retrying.did(), "abandon\nfail 502 stopping\n");

  SessionBench judging;
  send(judging, kGet);
  judging.upstream(kRefused);
  judging.step(event::Stop{});
  EXPECT_THAT(judging.to_client(), StartsWith("HTTP/1.1 401 "));
  EXPECT_EQ(judging.did(), "judge\nabandon\nrelease\ndone 401 x1\nclose\n");

  SessionBench failed;
  send(failed, sized_post("body"));
  failed.step(event::UpstreamEnded{});
  EXPECT_EQ(failed.did(), "drop\nfail 502 api.connection.lost\n");
  failed.step(event::Stop{});
  EXPECT_EQ(failed.did(), "abandon\nfail 502 stopping\n");
}

TEST(Session, CutsTheAnswerUnderWayWhenItEnds) {
  SessionBench bench;
  send(bench, "GET /api/v2/x HTTP/1.0\r\nHost: localhost\r\n\r\n");
  bench.upstream("HTTP/1.1 200 OK\r\n\r\npart");
  EXPECT_THAT(bench.to_client(), ::testing::EndsWith("part"));
  bench.step(event::Stop{});
  EXPECT_EQ(bench.did(), "drop\ncut by stopping\n")
      << "its end would look like the end of the answer";

  SessionBench unread;
  send(unread, kGet);
  unread.upstream(kOk);
  unread.step(event::Stop{});
  EXPECT_EQ(unread.did(), "release\ndone 200 x1\ncut by stopping\n");
}

TEST(Session, ServesAClientThatOnlySendsNoMore) {
  SessionBench bench;
  bench.client(sized_post("body"));
  bench.step(event::ClientEnded{});
  EXPECT_EQ(bench.to_client(), "HTTP/1.1 100 Continue\r\n\r\n")
      << "a client that has left resets the connection when something comes";
  bench.ready();
  EXPECT_THAT(bench.to_upstream(), ::testing::EndsWith("body"));
  bench.upstream(kOk);
  EXPECT_THAT(bench.to_client(), HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(bench.did(), "acquire after 0\nrelease\ndone 200 x1\nclose\n");
}

TEST(Session, EndsQuietlyWithAClientThatHasNothingToAsk) {
  SessionBench bench;
  bench.step(event::ClientEnded{});
  EXPECT_EQ(bench.did(), "close\n");
  SessionBench half;
  half.client("GET /api");
  half.step(event::ClientEnded{});
  EXPECT_EQ(half.did(), "close\n");
  SessionBench two;
  two.client(std::string(kGet) + std::string(kGet));
  two.step(event::ClientEnded{});
  two.ready();
  (void)two.to_client();
  two.upstream(kOk);
  EXPECT_EQ(two.to_client(), kOkGiven) << "the second came before the end";
  two.ready();
  two.upstream(kOk);
  EXPECT_THAT(two.to_client(), HasSubstr("Connection: close"));
}

TEST(Session, RefusesARequestThatWillNeverBeComplete) {
  SessionBench bench;
  bench.client(post("Content-Length: 5\r\n", "ab"));
  bench.step(event::ClientEnded{});
  EXPECT_EQ(bench.did(), "acquire after 0\nabandon\nfail 400 bad.request\n");
  SessionBench large;
  large.rules.max_replay_body = 1;
  large.client(post("Content-Length: 5\r\n", ""));
  large.step(event::ClientEnded{});
  EXPECT_EQ(large.did(), "acquire after 0\nabandon\nfail 400 bad.request\n");
  SessionBench sent;
  send(sent, post("Content-Length: 5\r\n", "ab"));
  sent.step(event::ClientEnded{});
  EXPECT_EQ(sent.did(), "drop\nfail 400 bad.request\n");
}

TEST(Session, GivesAnEarlyAnswerWholeToAClientThatStopsSendingThen) {
  for (const auto* status : {"200 OK", "413 Too Large"}) {
    SessionBench bench;
    bench.rules.max_replay_body = 10;
    const std::string body(200 * 1000, 'y');
    send(bench, post("Content-Length: 1000000\r\n", "begin"));
    bench.upstream("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 200000\r\n\r\n" +
                   body.substr(0, 1000));
    std::string given = bench.to_client();
    bench.step(event::ClientEnded{});
    EXPECT_EQ(bench.did(), "");
    bench.upstream(body.substr(1000));
    given += bench.to_client();
    EXPECT_TRUE(given.ends_with("\r\n\r\n" + body)) << given.substr(0, 100);
    EXPECT_EQ(bench.did(), "drop\ndone " + std::string(status, 3) + " x1\nclose\n");
    EXPECT_EQ(bench.to_upstream(), "");
  }
}

TEST(Session, DoesNotRetryARequestThatWillNeverBeComplete) {
  SessionBench bench;
  send(bench, post("Content-Length: 5\r\n", "ab"));
  bench.upstream("HTTP/1.1 401 No\r\nContent-Length: 3\r\n\r\nb");
  bench.step(event::ClientEnded{});
  bench.upstream("ad");
  EXPECT_EQ(bench.did(), "judge for good\n");
  bench.step(event::Judged{"token_expired"});
  EXPECT_THAT(bench.to_client(), ::testing::EndsWith("\r\n\r\nbad"));
  EXPECT_EQ(bench.did(), "drop\ndone 401 x1\nclose\n");
}

TEST(Session, RefusesMalformedChunks) {
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  SessionBench early;
  early.client(post(chunked, "x"));
  EXPECT_EQ(early.did(), "acquire after 0\nabandon\nfail 400 bad.request\n");
  SessionBench late;
  send(late, post(chunked, "1\r\na\r\n"));
  late.client("x");
  EXPECT_EQ(late.did(), "drop\nfail 400 bad.request\n");
  late.page(400, "{}");
  EXPECT_THAT(late.to_client(), HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(late.did(), "done 400 x1\nclose later\n");
}

TEST(Session, RefusesAMalformedHeadAndEndsTheConnection) {
  SessionBench bench;
  bench.client("GET /api/v2/x HTTP/1.1\nHost: localhost\r\n\r\n");
  EXPECT_EQ(bench.did(), "fail 400 bad.request\n");
  bench.page(400, "{}");
  EXPECT_EQ(bench.to_client(),
            "HTTP/1.1 400 Reason\r\nX-Own: 1\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
  EXPECT_EQ(bench.did(), "done 400 x0\nclose later\n");
}

TEST(Session, DeniesWithoutAskingForAToken) {
  SessionBench bench;
  bench.client("GET /api/v2/x HTTP/1.1\r\nHost: evil.test\r\n\r\n" + std::string(kGet));
  EXPECT_EQ(bench.did(), "fail 403 host.refused\n");
  bench.page(403, "{}");
  EXPECT_THAT(bench.to_client(), Not(HasSubstr("Connection: close")));
  EXPECT_EQ(bench.did(), "done 403 x0\nacquire after 0\n") << "the next request is served";
  SessionBench with_body;
  with_body.client("POST /x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n");
  EXPECT_EQ(with_body.did(), "fail 404 not.found\n");
  with_body.page(404, "{}");
  EXPECT_THAT(with_body.to_client(), HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(with_body.did(), "done 404 x0\nclose later\n");
}

TEST(Session, ServesItsOwnPages) {
  SessionBench bench;
  bench.client("HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(bench.did(), "serve 3\n");
  bench.page(200, "ok");
  EXPECT_EQ(bench.to_client(), "HTTP/1.1 200 Reason\r\nX-Own: 1\r\nContent-Length: 2\r\n\r\n");
  bench.client("GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const std::string body(200 * 1000, 'm');
  bench.page(200, body);
  EXPECT_TRUE(bench.to_client().ends_with("\r\n\r\n" + body));
}

constexpr std::string_view kReadable =
    "Access-Control-Allow-Origin: https://app.test\r\nVary: Origin\r\n"
    "Access-Control-Expose-Headers: *\r\n";

TEST(Session, AnswersABrowserThatAsksForAPage) {
  SessionBench bench;
  bench.rules.admission.origins = {"https://app.test"};
  const std::string asks =
      "OPTIONS /api/v2/x HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.test\r\n"
      "Access-Control-Request-Method: GET\r\n";
  bench.client(asks + "\r\n");
  EXPECT_EQ(bench.did(), "done 204 x0\n") << "nobody else is asked";
  EXPECT_THAT(bench.to_client(),
              StartsWith("HTTP/1.1 204 No Content\r\nAccess-Control-Allow-Origin: "
                         "https://app.test\r\n"));
  bench.client(asks + "Content-Length: 2\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(bench.did(), "");
  bench.client("ab");
  EXPECT_THAT(bench.to_client(), HasSubstr("Connection: close\r\n\r\n"));
  EXPECT_EQ(bench.did(), "done 204 x0\nclose\n");
}

TEST(Session, LetsAPageReadWhateverComes) {
  SessionBench bench;
  bench.rules.admission.origins = {"https://app.test"};
  const std::string asks = " HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.test\r\n\r\n";
  send(bench, "GET /api/v2/x" + asks);
  bench.upstream(kOk);
  EXPECT_THAT(bench.to_client(), HasSubstr(kReadable));
  bench.client("GET /other" + asks);
  bench.page(404, "{}");
  EXPECT_THAT(bench.to_client(), HasSubstr(kReadable));
  bench.client("GET /healthz" + asks);
  bench.page(204, "without a body");
  EXPECT_EQ(bench.to_client(),
            "HTTP/1.1 204 Reason\r\nX-Own: 1\r\n" + std::string(kReadable) + "\r\n");
  (void)bench.did();
  send(bench, kGet);
  bench.upstream(kOk);
  EXPECT_EQ(bench.to_client(), kOkGiven) << "the next one is no page's";
  bench.client("GET /other HTTP/1.1\r\nHost: localhost\r\n\r\n");
  bench.page(404, "{}");
  EXPECT_THAT(bench.to_client(), Not(HasSubstr("Access-Control")));
}

TEST(Session, ReadsTheBodyOfALogin) {
  SessionBench bench;
  bench.client(
      "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(bench.to_client(), "HTTP/1.1 100 Continue\r\n\r\n");
  bench.client("a=b");
  EXPECT_EQ(bench.did(), "");
  bench.client("c");
  EXPECT_EQ(bench.did(), "serve 1\n");
  EXPECT_EQ(bench.session.request_body(), "a=bc");
  SessionBench cut;
  cut.client("POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nab");
  cut.step(event::ClientEnded{});
  EXPECT_EQ(cut.did(), "fail 400 bad.request\n");
  SessionBench large;
  large.client("POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 16385\r\n\r\n" +
               std::string(16385, 'x'));
  EXPECT_EQ(large.did(), "fail 413 body.too.large\n");
}

TEST(Session, ReadsTheBodyOfALoginHoweverManyBodiesAreHeld) {
  SessionBench bench(2 * kMaxHead, 4);
  HeldBody other(bench.replay);
  other.append("full");
  const std::string head = "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: ";
  bench.client(head + "16384\r\n\r\n" + std::string(16384, 'x'));
  EXPECT_EQ(bench.did(), "serve 1\n");
  bench.page(200, "{}");
  (void)bench.to_client();
  (void)bench.did();
  bench.client(head + "16385\r\n\r\n" + std::string(16385, 'x'));
  EXPECT_EQ(bench.did(), "fail 413 body.too.large\n");
}

TEST(Session, SaysWhenARequestBeganWhoseHeadNeverCame) {
  SessionBench bench;
  send(bench, kGet);
  bench.upstream(kOk);
  (void)bench.to_client();
  bench.now += seconds{5};
  bench.client("GET /api");
  const Instant begun = bench.now;
  bench.now += seconds{30};
  bench.client("/v2");
  bench.pass(seconds{30});
  EXPECT_EQ(bench.session.started(), begun);
  EXPECT_EQ(bench.session.requests(), 2U);
  SessionBench malformed;
  malformed.client("GET");
  malformed.now += seconds{1};
  malformed.client("\n");
  EXPECT_EQ(malformed.session.started(), malformed.now - seconds{1});
}

TEST(Session, ForgetsARequestBeforeTheNext) {
  SessionBench bench;
  EXPECT_EQ(bench.session.status(), 0);
  send(bench, sized_post("body"));
  bench.upstream(kRefused);
  bench.step(event::Judged{"token_expired", true, 1});
  bench.ready(2);
  (void)bench.to_upstream();
  bench.upstream(kOk);
  bench.step(event::Judged{"token_expired"});
  (void)bench.to_client();
  (void)bench.did();
  EXPECT_EQ(bench.session.status(), 0);
  bench.client(kGet);
  bench.ready();
  EXPECT_EQ(bench.to_upstream(), kGetSent);
  bench.upstream(kOk);
  EXPECT_EQ(bench.to_client(), kOkGiven);
}

}  // namespace
}  // namespace skewguard::relay::testing
