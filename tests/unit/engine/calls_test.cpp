#include "engine/calls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "token_parts.hpp"

namespace skewguard::engine {
namespace {

using guard::action::Finish;
using ::testing::HasSubstr;

class CallsTest : public ::testing::Test {
 protected:
  CallsTest() {
    calls.emplace(Calls::Uses{parts.loop, parts.sender, parts.clocks, all.watch, all.tokens, leases,
                              parts.listeners, parts.options, parts.dialect},
                  1);
  }
  Calls::Id start(Calls::OwnSender sender = {}) {
    Request request;
    request.path = "/api/v2/x";
    const std::size_t before = ended.size();
    const auto id = calls->start(
        request, calls->options_until(parts.machine->now().boot + 30s),
        [this](Finish finish) { ended.push_back(std::move(finish)); }, std::move(sender));
    EXPECT_EQ(ended.size(), before) << "the handler ran within start()";
    parts.machine->run();
    return id;
  }
  /// Keeps what it is to send.
  Calls::OwnSender own() {
    return [this](HttpRequest request, Instant deadline, Transport::Handler handler) {
      own_sent.push_back({std::move(request), {deadline, 0}, std::move(handler)});
    };
  }
  void own_reply(int status) {
    own_sent.back().handler(parts.answer(status));
    parts.machine->run();
  }
  [[nodiscard]] const Error& error() const { return ended.at(0).error.value(); }

  TokenParts all;
  Parts& parts = all.parts;
  Leases leases{{parts.loop, parts.clocks, all.tokens, {}}};
  std::vector<Finish> ended;
  std::vector<HeldTransport::Sent> own_sent;
  std::optional<Calls> calls;
};

TEST_F(CallsTest, SendTheTokenAndEndWithTheAnswer) {
  start();
  all.issue("t1");
  ASSERT_EQ(parts.transport.sent.size(), 2U);
  EXPECT_EQ(parts.transport.sent[1].request.url, "https://api.example.com/api/v2/x");
  EXPECT_EQ(parts.transport.sent[1].request.authorization, Secret{"Bearer t1"});
  all.reply(parts.answer(200));
  ASSERT_EQ(ended.size(), 1U);
  ASSERT_TRUE(ended[0].answer);
  EXPECT_EQ(ended[0].answer->status, 200);
  EXPECT_EQ(ended[0].report.token_requests, 1);
}

TEST_F(CallsTest, TellTheTokenMachineWhatTheyLearn) {
  start();
  all.issue("t1");
  EXPECT_FALSE(all.tokens.tokens().was_accepted(1));
  all.reply(parts.answer(200));
  EXPECT_TRUE(all.tokens.tokens().was_accepted(1));
}

TEST_F(CallsTest, EndWithoutATokenIfThereIsNone) {
  start();
  Exchange refused = parts.answer(401);
  refused.body = R"({"error":"invalid_client"})";
  all.reply(std::move(refused));
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(error().kind, ErrorKind::credentials);
}

TEST_F(CallsTest, SendTheTokenThroughTheCallersOwnStack) {
  start(own());
  all.issue("t1");
  EXPECT_EQ(parts.transport.sent.size(), 1U);
  ASSERT_EQ(own_sent.size(), 1U);
  EXPECT_EQ(own_sent[0].request.authorization, Secret{"Bearer t1"});
  own_reply(204);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(ended[0].answer->status, 204);
  own_reply(500);
  EXPECT_EQ(ended.size(), 1U) << "only its first answer counts";
}

TEST_F(CallsTest, EndAtTheirDeadlineIfTheCallersOwnStackNeverAnswers) {
  start(own());
  all.issue("t1");
  parts.machine->advance(29s);
  EXPECT_TRUE(ended.empty());
  parts.machine->advance(1s);
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(error().kind, ErrorKind::timeout);
  own_reply(200);
  EXPECT_EQ(ended.size(), 1U);
}

TEST_F(CallsTest, EndWithWhatTheCallersOwnStackThrows) {
  start([](const HttpRequest&, Instant, const Transport::Handler&) {
    throw std::runtime_error("no sockets");
  });
  all.issue("t1");
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(error().kind, ErrorKind::unavailable);
  EXPECT_THAT(error().message, HasSubstr("no sockets"));
}

TEST_F(CallsTest, CancelledWhileAnswersAreAwaitedCancelTheirRequest) {
  const auto id = start();
  all.issue("t1");
  calls->cancel(id);
  calls->cancel(12345);
  parts.machine->run();
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(error().kind, ErrorKind::cancelled);
  EXPECT_EQ(parts.transport.cancelled.back(), 2U);
  all.reply(parts.answer(200));
  EXPECT_EQ(ended.size(), 1U);
}

TEST_F(CallsTest, CancelledWhileATokenIsAwaitedLeaveItsRequestAlone) {
  const auto id = start();
  calls->cancel(id);
  parts.machine->run();
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(error().kind, ErrorKind::cancelled);
  all.issue("t1");
  EXPECT_EQ(parts.transport.sent.size(), 1U);
  start();
  ASSERT_EQ(parts.transport.sent.size(), 2U);
  EXPECT_EQ(parts.transport.sent[1].request.authorization, Secret{"Bearer t1"});
}

TEST_F(CallsTest, CancelledInAPauseSendNothingMore) {
  const auto id = start();
  all.issue("t1");
  all.reply(parts.answer(503));
  ASSERT_TRUE(ended.empty()) << "it waits before it tries again";
  calls->cancel(id);
  parts.machine->advance(60s);
  EXPECT_EQ(ended.size(), 1U);
  EXPECT_EQ(parts.transport.sent.size(), 2U);
}

TEST_F(CallsTest, AreCancelledWhenTheirClientEnds) {
  start();
  all.issue("t1");
  calls.reset();
  ASSERT_EQ(ended.size(), 1U);
  EXPECT_EQ(error().kind, ErrorKind::cancelled);
  EXPECT_EQ(parts.transport.cancelled.back(), 2U);
}

TEST_F(CallsTest, TakeTheirOptionsFromTheClients) {
  const Instant deadline = parts.machine->now().boot + 7s;
  const guard::CallOptions first = calls->options_until(deadline);
  EXPECT_EQ(first.deadline, deadline);
  EXPECT_EQ(first.attempts, parts.options.attempts);
  EXPECT_EQ(first.max_wait, parts.options.max_wait);
  EXPECT_FALSE(first.given_token);
  EXPECT_NE(calls->options_until(deadline).seed, first.seed);
}

}  // namespace
}  // namespace skewguard::engine
