#include "net/round_trip.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/error.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "loop_fixture.hpp"

namespace skewguard::net {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
namespace failed = boost::asio::error;

/// A connection whose reads and writes end when the test says so.
class FakeStream final : public Stream {
 public:
  using Stream::write;
  void prepare(ReadyHandler handler) override { handler(std::nullopt); }
  Unread unread() override { return Unread::nothing; }
  void write(std::string_view head, std::string_view body, Handler handler,
             const std::function<void()>& leaving) override {
    leaving();
    request = std::string(head) + std::string(body);
    write_ = std::move(handler);
  }
  void read_some(std::span<char> buffer, Handler handler) override {
    EXPECT_FALSE(read_) << "one read at a time";
    buffer_ = buffer;
    read_ = std::move(handler);
  }
  [[nodiscard]] std::optional<TransportFailure> fault() const override { return tls_failure; }
  void finish() override {}
  /// As a socket does: what was under way goes, and what it kept alive with it.
  void close() override {
    write_ = nullptr;
    read_ = nullptr;
  }
  void reset() override { close(); }
  Parts release() override { return {}; }

  void write_ends(ErrorCode error, std::size_t size) {
    std::exchange(write_, nullptr)(error, size);
  }
  void request_is_written() { write_ends({}, request.size()); }
  void comes(std::string_view bytes) {
    ASSERT_TRUE(read_) << "nothing reads";
    ASSERT_LE(bytes.size(), buffer_.size());
    std::ranges::copy(bytes, buffer_.begin());
    std::exchange(read_, nullptr)({}, bytes.size());
  }
  void read_ends(ErrorCode error) {
    ASSERT_TRUE(read_) << "nothing reads";
    std::exchange(read_, nullptr)(error, 0);
  }
  [[nodiscard]] bool is_read() const { return static_cast<bool>(read_); }

  std::string request;
  std::optional<TransportFailure> tls_failure;

 private:
  Handler write_;
  Handler read_;
  std::span<char> buffer_;
};

class RoundTripTest : public testing::Test {
 protected:
  void TearDown() override { stream_->close(); }  // the owner of a round trip does

  void start(RoundTrip::Options options = {}, HttpRequest request = {}) {
    options.deadline = clock_.boot() + seconds{10};
    options.body_limit = 1000;
    const auto url = http::parse_url("http://api.example/upload").value();
    request.method = "POST";
    request.url = url.text();
    request.body = Secret("a body");
    trip_ = std::make_shared<RoundTrip>(dialer_, Connection{stream_, 1}, std::move(options));
    trip_->start(std::make_shared<const HttpRequest>(std::move(request)), url,
                 [this](RoundTrip::Ending ending) { ending_ = std::move(ending); });
  }
  void start_pooled() { start({.pooled = true}); }

  [[nodiscard]] bool ended() const { return ending_.has_value(); }
  template <typename Kind>
  [[nodiscard]] const Kind& ending() const {
    return std::get<Kind>(ending_.value());
  }
  [[nodiscard]] const RoundTrip::Answered& answered() const {
    return ending<RoundTrip::Answered>();
  }

  boost::asio::io_context io_;
  testing_loop::FakeClock clock_;
  std::shared_ptr<testing_loop::ManualTimers> timers_ =
      std::make_shared<testing_loop::ManualTimers>();
  Dialer dialer_{io_, clock_, {}, {}, {.timers = timers_, .lookup = {}}, ProxyRule{}};
  std::shared_ptr<FakeStream> stream_ = std::make_shared<FakeStream>();
  std::shared_ptr<RoundTrip> trip_;
  std::optional<RoundTrip::Ending> ending_;
};

constexpr std::string_view kTooLarge =
    "HTTP/1.1 413 Content Too Large\r\nContent-Length: 4\r\n\r\nstop";
constexpr std::string_view kCreated = "HTTP/1.1 201 Created\r\nContent-Length: 4\r\n\r\nmade";

TEST_F(RoundTripTest, RefusalDuringTheWriteWins) {
  start();
  stream_->comes(kTooLarge);
  ASSERT_TRUE(ended());
  EXPECT_EQ(answered().exchange.status, 413);
  EXPECT_EQ(answered().exchange.body, "stop");
  EXPECT_FALSE(answered().reusable) << "the rest of the request would pass for another one";
  EXPECT_TRUE(trip_->request_sent());
}

TEST_F(RoundTripTest, RefusalMayComeInPiecesAroundTheEndOfTheWrite) {
  start();
  stream_->comes("HTTP/1.1 401 X\r\nContent-");
  stream_->comes("Length: 4\r\n\r\nst");
  stream_->request_is_written();
  EXPECT_FALSE(ended());
  stream_->comes("op");
  ASSERT_TRUE(ended());
  EXPECT_EQ(answered().exchange.status, 401);
  EXPECT_TRUE(answered().reusable) << "the request was written after all";
}

TEST_F(RoundTripTest, RefusalIsReceivedWithItsOwnHead) {
  start();
  clock_.advance(seconds{2});
  stream_->comes(kTooLarge.substr(0, kTooLarge.size() - 1));
  clock_.advance(seconds{2});
  stream_->comes("p");
  ASSERT_TRUE(ended());
  EXPECT_EQ(answered().exchange.received.boot - answered().exchange.sent.boot, seconds{2});
}

TEST_F(RoundTripTest, ServerMayCloseAfterItsRefusal) {
  start();
  stream_->comes("HTTP/1.1 503 X\r\nConnection: close\r\n\r\nlater");
  EXPECT_FALSE(ended());
  stream_->read_ends(failed::eof);
  ASSERT_TRUE(ended());
  EXPECT_EQ(answered().exchange.status, 503);
  EXPECT_EQ(answered().exchange.body, "later");
}

TEST_F(RoundTripTest, RefusalThatArrivedBeforeTheWriteFailedIsDelivered) {
  for (const auto error : {failed::broken_pipe, failed::connection_reset}) {
    start();
    stream_->write_ends(error, 3);
    ASSERT_FALSE(ended()) << "the answer may lie in the socket";
    stream_->comes(kTooLarge);
    ASSERT_TRUE(ended());
    EXPECT_EQ(answered().exchange.status, 413);
    EXPECT_FALSE(answered().reusable);
    ending_.reset();
  }
}

TEST_F(RoundTripTest, NewConnectionsRefusalCountsEvenIfNothingWasWritten) {
  start();
  stream_->write_ends(failed::connection_reset, 0);
  ASSERT_FALSE(ended());
  stream_->comes(kTooLarge);
  ASSERT_TRUE(ended());
  EXPECT_EQ(answered().exchange.status, 413);
}

TEST_F(RoundTripTest, IdleConnectionThatTookNothingIsLost) {
  start_pooled();
  stream_->write_ends(failed::connection_reset, 0);
  ASSERT_TRUE(ended());
  EXPECT_EQ(ending<RoundTrip::Lost>().why, make_error_code(failed::connection_reset).message());
  EXPECT_FALSE(trip_->request_sent());
}

TEST_F(RoundTripTest, EndOfConnectionDuringTheWriteIsALossAfterSending) {
  start_pooled();
  stream_->read_ends(failed::eof);
  ASSERT_TRUE(ended());
  EXPECT_EQ(ending<RoundTrip::Lost>().why, "the server closed it");
  EXPECT_TRUE(trip_->request_sent()) << "nobody knows: a POST must not be sent again";
}

TEST_F(RoundTripTest, FailedWriteAndNoAnswerIsALossForTheReasonOfTheWrite) {
  start();
  stream_->write_ends(failed::connection_reset, 3);
  stream_->read_ends(failed::eof);
  ASSERT_TRUE(ended());
  EXPECT_EQ(ending<RoundTrip::Lost>().why, make_error_code(failed::connection_reset).message());
}

TEST_F(RoundTripTest, MachineThatCannotSendWaitsForNoAnswer) {
  start();
  const auto cannot_send = boost::system::errc::make_error_code(boost::system::errc::io_error);
  stream_->write_ends(cannot_send, 3);
  ASSERT_TRUE(ended()) << "the server waits for the rest of the request";
  EXPECT_EQ(ending<RoundTrip::Lost>().why, cannot_send.message());
  EXPECT_TRUE(trip_->request_sent());
}

TEST_F(RoundTripTest, MachineThatCannotSendTheRestStillReadsAnAnswerThatHasBegun) {
  start();
  stream_->comes("HTTP/1.1 413 X\r\n");
  stream_->write_ends(boost::system::errc::make_error_code(boost::system::errc::io_error), 3);
  ASSERT_FALSE(ended());
  stream_->comes("Content-Length: 0\r\n\r\n");
  ASSERT_TRUE(ended());
  EXPECT_EQ(answered().exchange.status, 413);
}

TEST_F(RoundTripTest, EndAfterAResetIsNotTheEndOfABody) {
  start();
  stream_->comes("HTTP/1.1 413 X\r\n\r\nsto");
  stream_->write_ends(failed::connection_reset, 3);
  stream_->read_ends(failed::eof);
  ASSERT_TRUE(ended());
  EXPECT_EQ(ending<RoundTrip::Unusable>().kind, TransportFailure::Kind::truncated);
}

TEST_F(RoundTripTest, EndAfterABrokenPipeIsTheEndOfABody) {
  start();
  stream_->comes("HTTP/1.1 413 X\r\n\r\nstop");
  stream_->write_ends(failed::broken_pipe, 3);  // the server had closed before
  stream_->read_ends(failed::eof);
  ASSERT_TRUE(ended());
  EXPECT_EQ(answered().exchange.body, "stop");
}

TEST_F(RoundTripTest, RefusalOfANewConnectionByTlsIsSaidInItsWords) {
  start();
  stream_->tls_failure =
      TransportFailure{.kind = TransportFailure::Kind::tls_failed, .detail = "no certificate"};
  stream_->write_ends(failed::connection_aborted, 0);
  ASSERT_TRUE(ended());
  EXPECT_EQ(ending<TransportFailure>().detail, "no certificate");
}

TEST_F(RoundTripTest, SuccessWaitsUntilTheRequestIsWritten) {
  start();
  stream_->comes(kCreated);
  EXPECT_FALSE(ended()) << "the server may still act on the rest";
  EXPECT_FALSE(stream_->is_read());
  stream_->request_is_written();
  ASSERT_TRUE(ended());
  EXPECT_EQ(answered().exchange.status, 201);
  EXPECT_EQ(answered().exchange.body, "made");
  EXPECT_TRUE(answered().reusable);
}

TEST_F(RoundTripTest, RedirectDuringTheWriteWins) {
  start();
  stream_->comes("HTTP/1.1 300 Multiple Choices\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(ended());
  EXPECT_EQ(answered().exchange.status, 300);
}

TEST_F(RoundTripTest, SuccessStandsIfTheRestOfTheRequestIsNotTaken) {
  start();
  stream_->comes(kCreated);
  stream_->write_ends(failed::broken_pipe, 3);
  ASSERT_TRUE(ended());
  EXPECT_EQ(answered().exchange.status, 201);
  EXPECT_FALSE(answered().reusable);
}

TEST_F(RoundTripTest, SuccessWithoutAnEndOfTheWriteEndsAtTheDeadline) {
  start();
  stream_->comes(kCreated);
  clock_.advance(seconds{10});
  timers_->fire();
  ASSERT_TRUE(ended());
  EXPECT_EQ(ending<RoundTrip::Unusable>().kind, TransportFailure::Kind::timeout);
  EXPECT_THAT(ending<RoundTrip::Unusable>().why, HasSubstr("the answer was there"));
}

TEST_F(RoundTripTest, SilenceDuringTheWriteEndsAtTheDeadline) {
  start();
  clock_.advance(seconds{10});
  timers_->fire();
  ASSERT_TRUE(ended());
  EXPECT_EQ(ending<RoundTrip::Unusable>().why, "the request was being sent");
}

TEST_F(RoundTripTest, WriteThatEndsAfterTheDeadlineIsTooLate) {
  start();
  clock_.advance(seconds{10});
  stream_->request_is_written();
  ASSERT_TRUE(ended());
  EXPECT_EQ(ending<RoundTrip::Unusable>().kind, TransportFailure::Kind::timeout);
}

TEST_F(RoundTripTest, InterimAnswersDoNotEndTheWrite) {
  HttpRequest request;
  request.headers.add("Expect", "100-continue");
  start({}, std::move(request));
  EXPECT_THAT(stream_->request, HasSubstr("\r\nExpect: 100-continue\r\n"));
  stream_->comes("HTTP/1.1 100 Continue\r\n\r\n");
  stream_->comes("HTTP/1.1 102 Processing\r\n\r\n");
  EXPECT_FALSE(ended());
  stream_->request_is_written();
  EXPECT_FALSE(ended());
  stream_->comes(kCreated);
  ASSERT_TRUE(ended());
  EXPECT_EQ(answered().exchange.status, 201);
  EXPECT_TRUE(answered().reusable);
}

TEST_F(RoundTripTest, RefusalAfterAnInterimAnswerWinsToo) {
  start();
  stream_->comes("HTTP/1.1 100 Continue\r\n\r\n");
  stream_->comes("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(ended());
  EXPECT_EQ(answered().exchange.status, 417);
}

/// Notes what it gets.
class NotingSink final : public BodySink {
 public:
  void begin(const AnswerHead& head) override { status = head.status; }
  void take(std::string_view piece, std::function<void()> next) override {
    body += piece;
    next();
  }
  int status = 0;
  std::string body;
};

TEST_F(RoundTripTest, SinkGetsARefusalDuringTheWrite) {
  const auto sink = std::make_shared<NotingSink>();
  start({.sink = sink});
  stream_->comes("HTTP/1.1 413 X\r\nContent-Length: 4\r\n\r\nst");
  EXPECT_EQ(sink->status, 413);
  EXPECT_EQ(sink->body, "st");
  stream_->comes("op");
  ASSERT_TRUE(ended());
  EXPECT_EQ(sink->body, "stop");
  EXPECT_FALSE(answered().reusable);
}

TEST_F(RoundTripTest, NothingIsToldAfterItWasCancelledDuringTheWrite) {
  start();
  trip_->cancel();
  stream_->comes(kTooLarge);
  stream_->request_is_written();
  EXPECT_FALSE(ended());
}

}  // namespace
}  // namespace skewguard::net
