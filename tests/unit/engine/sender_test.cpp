#include "engine/sender.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "parts.hpp"

namespace skewguard::engine {
namespace {

using Kind = TransportFailure::Kind;

/// Keeps its questions until the test answers them.
class HeldReferee final : public Referee {
 public:
  void ask(Instant /*deadline*/, Handler handler) override { open.push_back(std::move(handler)); }
  std::vector<Handler> open;
};

class ASender : public ::testing::Test {
 protected:
  Sender::Handler into_got() {
    return [this](clocks::AnswerResult result) { got.push_back(std::move(result)); };
  }
  void send(HttpRequest request = {"GET", "https://api.example.com/x", {}, {}, {}}) {
    parts.sender.send(std::move(request), SendOptions{}, parts.clocks.api(),
                      parts.machine->now().boot + 30s, into_got());
  }
  [[nodiscard]] const TransportFailure& failure() const {
    return std::get<TransportFailure>(got.back());
  }
  static TransportFailure out_of_time() { return {Kind::tls_time, "a certificate", false}; }

  HeldReferee referee;
  Parts parts;
  std::vector<clocks::AnswerResult> got;
};

TEST_F(ASender, HasAnAnswerObservedBeforeItsHandlerRuns) {
  parts.sender.send({"GET", "https://api.example.com/x", {}, {}, {}}, {}, parts.clocks.api(), {},
                    [this](clocks::AnswerResult result) {
                      EXPECT_EQ(parts.observed, std::vector{200});
                      EXPECT_EQ(parts.clocks.now().boot, parts.machine->now().boot) << "in a turn";
                      got.push_back(std::move(result));
                    });
  parts.machine->advance(2s);
  parts.transport.sent.at(0).handler(parts.answer(200));
  EXPECT_EQ(got.size(), 1U);
}

TEST_F(ASender, MakesAFailureOfWhatTheTransportThrows) {
  parts.transport.throws = true;
  send();
  EXPECT_TRUE(got.empty()) << "never from within send()";
  parts.machine->run();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(failure().kind, Kind::reset);
  EXPECT_EQ(failure().detail, "the transport threw: no sockets");
}

TEST_F(ASender, TakesAnAnswerFromElsewhereInATurnOfItsOwn) {
  const auto handler = parts.sender.outside(parts.clocks.api(), {}, into_got());
  handler(parts.answer(204));
  EXPECT_TRUE(got.empty());
  parts.machine->run();
  EXPECT_EQ(got.size(), 1U);
  EXPECT_EQ(parts.observed, std::vector{204});
}

TEST_F(ASender, LooksAtTheLoginHostWithoutCredentials) {
  const Instant deadline = parts.machine->now().boot + 5s;
  parts.sender.look_at_login(deadline, into_got());
  const auto& sent = parts.transport.sent.at(0);
  EXPECT_EQ(sent.request.method, "HEAD");
  EXPECT_EQ(sent.request.url, "https://login.example.com/oauth/token");
  EXPECT_TRUE(sent.request.authorization.empty());
  EXPECT_EQ(sent.options.deadline, deadline);
  sent.handler(parts.answer(405));
  EXPECT_EQ(got.size(), 1U);
}

// Bodies compressed without being asked to --------------------------------------------------------

TEST_F(ASender, TreatsABodyThatDoesNotMatchItsCodingAsNoAnswer) {
  send();
  Exchange exchange = parts.answer(200);
  exchange.headers.add("Content-Encoding", "gzip");
  exchange.body = "no gzip";
  parts.transport.sent.at(0).handler(exchange);
  EXPECT_EQ(failure().kind, Kind::malformed);
  EXPECT_EQ(parts.observed, std::vector{200}) << "its Date counts all the same";
}

TEST_F(ASender, LeavesABodyCodedWhereTheCallerAskedForThat) {
  HttpRequest request{"GET", "https://api.example.com/x", {}, {}, {}};
  request.headers.add("Accept-Encoding", "gzip");
  send(std::move(request));
  Exchange exchange = parts.answer(200);
  exchange.headers.add("Content-Encoding", "gzip");
  exchange.body = "as it came";
  parts.transport.sent.at(0).handler(exchange);
  EXPECT_EQ(std::get<clocks::Answer>(got.at(0)).body, "as it came");
}

// Certificates that fail because of their dates ---------------------------------------------------

TEST_F(ASender, ExplainsACertificateByTheOtherHostsDate) {
  send();
  parts.sender.look_at_login(parts.machine->now().boot + 5s, [](const clocks::AnswerResult&) {});
  parts.machine->step_wall(-48h);
  parts.transport.sent.at(1).handler(parts.answer(405));
  parts.transport.sent.at(0).handler(out_of_time());
  ASSERT_EQ(got.size(), 1U);
  ASSERT_TRUE(failure().time_report);
  EXPECT_EQ(failure().time_report->source, "the Date of https://login.example.com");
  EXPECT_GT(failure().time_report->offset.low, 47h) << "the wall clock is behind";
}

TEST_F(ASender, KnowsNoTimeWithoutAnotherHostsDate) {
  send();
  parts.transport.sent.at(0).handler(out_of_time());
  ASSERT_EQ(got.size(), 1U);
  EXPECT_FALSE(failure().time_report);
}

TEST_F(ASender, HoldsACertificateFailureBackUntilTheRefereeAnswers) {
  Parts with(&referee);
  with.sender.send({"GET", "https://api.example.com/x", {}, {}, {}}, {}, with.clocks.api(),
                   with.machine->now().boot + 30s, into_got());
  with.transport.sent.at(0).handler(out_of_time());
  EXPECT_TRUE(got.empty());
  ASSERT_EQ(referee.open.size(), 1U);
  referee.open.at(0)(TimeReport{{48h, 49h}, "NTP", 2});
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(failure().time_report->source, "NTP");
}

TEST_F(ASender, LeavesOtherFailuresAsTheyAre) {
  Parts with(&referee);
  with.sender.send({"GET", "https://api.example.com/x", {}, {}, {}}, {}, with.clocks.api(),
                   with.machine->now().boot + 30s, into_got());
  with.transport.sent.at(0).handler(TransportFailure{Kind::reset, "it broke", true});
  EXPECT_TRUE(referee.open.empty());
  EXPECT_EQ(failure().detail, "it broke");
}

}  // namespace
}  // namespace skewguard::engine
