#include "net/stream.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <functional>
#include <string>

#include "certificates.hpp"
#include "loop_fixture.hpp"
#include "scripted_server.hpp"

namespace skewguard::net {
namespace {

using std::chrono::days;
using testing_certificates::kNow;
using testing_server::read_request;
using testing_server::ScriptedServer;
using tcp = boost::asio::ip::tcp;

tcp::socket connected_to(const ScriptedServer& server, boost::asio::io_context& io) {
  tcp::socket socket(io);
  socket.connect({boost::asio::ip::address_v4::loopback(), server.port()});
  return socket;
}

/// What the server reads if the request changes in `leaving`.
std::string read_of_a_request_that_changes(Stream& stream, const ScriptedServer& server,
                                           boost::asio::io_context& io) {
  bool ready = false;
  stream.prepare([&](const std::optional<TransportFailure>& failure) {
    EXPECT_FALSE(failure) << failure->detail;
    ready = true;
  });
  testing_loop::run_until(io, [&] { return ready; });
  std::string head = "GET /sooner HTTP/1.1\r\n\r\n";
  stream.write(
      head, {}, [](Stream::ErrorCode error, std::size_t) { EXPECT_FALSE(error); },
      [&] { head.replace(5, 6, "latest"); });
  testing_loop::run_until(io, [&] { return !server.requests().empty(); });
  return server.requests().front();
}

/// Reads what the server says while it does not read the request, which is larger than what the
/// kernel holds for it.
void read_while_writing(Stream& stream, const ScriptedServer& server, boost::asio::io_context& io,
                        bool& has_read) {
  const std::string body(std::size_t{32} << 20, 'x');
  const std::string head =
      "POST / HTTP/1.1\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
  bool written = false;
  stream.write(head, body, [&](Stream::ErrorCode error, std::size_t size) {
    EXPECT_FALSE(error) << error.message();
    EXPECT_GE(size, head.size() + body.size());
    written = true;
  });
  std::array<char, 5> buffer{};
  stream.read_some(buffer, [&](Stream::ErrorCode error, std::size_t size) {
    EXPECT_FALSE(error) << error.message();
    EXPECT_EQ(std::string(buffer.data(), size), "early");
    has_read = true;
  });
  testing_loop::run_until(io, [&] { return has_read; });
  EXPECT_FALSE(written);
  testing_loop::run_until(io, [&] { return written && !server.requests().empty(); });
  EXPECT_EQ(server.requests().front(), head + body);
}

TEST(Stream, ReadsWhileItWrites) {
  boost::asio::io_context io;
  bool has_read = false;
  const ScriptedServer server(
      io, {{testing_server::write("early"), testing_server::until([&] { return has_read; }),
            read_request()}});
  const auto stream = plain_stream(connected_to(server, io));
  read_while_writing(*stream, server, io, has_read);
}

TEST(Stream, NothingHasLeftWhenLeavingIsCalled) {
  boost::asio::io_context io;
  const ScriptedServer server(io, {{read_request()}});
  const auto stream = plain_stream(connected_to(server, io));
  EXPECT_EQ(read_of_a_request_that_changes(*stream, server, io), "GET /latest HTTP/1.1\r\n\r\n");
}

TEST(Stream, GoesOnElsewhere) {
  boost::asio::io_context io;
  const ScriptedServer server(io, {{read_request()}});
  auto stream = plain_stream(connected_to(server, io));
  const Parts parts = stream->release();
  stream.reset();
  EXPECT_EQ(parts.tls, nullptr);
  EXPECT_NE(::fcntl(parts.socket, F_GETFL) & O_NONBLOCK, 0);
  const std::string_view request = "GET / HTTP/1.1\r\n\r\n";
  EXPECT_EQ(::send(parts.socket, request.data(), request.size(), 0), std::ssize(request));
  testing_loop::run_until(io, [&] { return !server.requests().empty(); });
  EXPECT_EQ(server.requests().front(), request);
  EXPECT_EQ(::close(parts.socket), 0);
}

/// A client's TLS stream to a server that plays one script.
class TlsStreamTest : public testing::Test {
 protected:
  TlsStreamTest()
      : authority_(testing_certificates::make(testing_certificates::authority_spec())),
        identity_(testing_certificates::make(
            {.dns = {"localhost"}, .not_before = kNow - days{10}, .not_after = kNow + days{10}},
            &authority_)),
        ca_file_(testing_certificates::pem_file({authority_.certificate})),
        context_(TlsOptions{.ca_file = ca_file_}) {}
  void TearDown() override {
    EXPECT_EQ(std::remove(ca_file_.c_str()), 0);
    EXPECT_EQ(::close(watched_), 0);
  }

  [[nodiscard]] testing_certificates::Identity identity(std::vector<std::string> names) const {
    return testing_certificates::make(
        {.dns = std::move(names), .not_before = kNow - days{10}, .not_after = kNow + days{10}},
        &authority_);
  }

  void start(testing_server::Script script) {
    server_.emplace(io_, std::vector<testing_server::Script>{std::move(script)}, &identity_);
    auto socket = connected_to(*server_, io_);
    watched_ = ::dup(socket.native_handle());
    stream_ = tls_stream(std::move(socket), context_, {"localhost", server_->port(), kNow});
  }
  void shake_hands() {
    bool ready = false;
    stream_->prepare([&](const std::optional<TransportFailure>& failure) {
      EXPECT_FALSE(failure) << failure->detail;
      ready = true;
    });
    testing_loop::run_until(io_, [&] { return ready; });
  }
  /// The number of unread bytes from the server in the socket.
  [[nodiscard]] int lying_there() const {
    int bytes = 0;
    EXPECT_EQ(::ioctl(watched_, FIONREAD, &bytes), 0);
    return bytes;
  }

  testing_certificates::Identity authority_;
  testing_certificates::Identity identity_;
  std::string ca_file_;
  TlsContext context_;
  boost::asio::io_context io_;
  std::optional<ScriptedServer> server_;
  std::shared_ptr<Stream> stream_;
  int watched_ = -1;
};

TEST_F(TlsStreamTest, ReadsWhileItWrites) {
  bool has_read = false;
  start({testing_server::write("early"), testing_server::until([&] { return has_read; }),
         read_request()});
  shake_hands();
  read_while_writing(*stream_, *server_, io_, has_read);
}

TEST_F(TlsStreamTest, AllIsEncryptedWhenLeavingIsCalled) {
  start({read_request()});
  EXPECT_EQ(read_of_a_request_that_changes(*stream_, *server_, io_),
            "GET /sooner HTTP/1.1\r\n\r\n");
}

TEST_F(TlsStreamTest, ALookReadsThreeKibibytesAndGivesTheConnectionUp) {
  start({testing_server::key_updates(4000)});
  shake_hands();
  testing_loop::run_until(io_, [&] { return server_->finished() == 1; });
  const int before = lying_there();
  ASSERT_GT(before, 100'000);
  EXPECT_EQ(stream_->unread(), Stream::Unread::end);
  EXPECT_EQ(before - lying_there(), 3 * 1024);
}

TEST_F(TlsStreamTest, ALookSkipsAFewTickets) {
  start({testing_server::key_updates(80)});
  shake_hands();
  testing_loop::run_until(io_, [&] { return server_->finished() == 1; });
  EXPECT_EQ(stream_->unread(), Stream::Unread::nothing);
  EXPECT_EQ(lying_there(), 0);
}

TEST_F(TlsStreamTest, ALookFindsWhatCameInOneSegmentWithWhatWasRead) {
  start({testing_server::write("answer"), testing_server::write("unasked")});
  shake_hands();
  testing_loop::run_until(io_, [&] { return server_->finished() == 1; });
  std::array<char, 100> buffer{};
  std::size_t read = 0;
  stream_->read_some(buffer, [&](Stream::ErrorCode, std::size_t size) { read = size; });
  testing_loop::run_until(io_, [&] { return read > 0; });
  EXPECT_EQ(std::string_view(buffer.data(), read), "answer");
  EXPECT_EQ(lying_there(), 0);
  EXPECT_EQ(stream_->unread(), Stream::Unread::bytes);
}

TEST_F(TlsStreamTest, ReadingRecordsWithoutContentEnds) {
  start({testing_server::key_updates(4000)});
  shake_hands();
  std::array<char, 100> buffer{};
  Stream::ErrorCode error;
  stream_->read_some(buffer, [&](Stream::ErrorCode failed, std::size_t) { error = failed; });
  testing_loop::run_until(io_, [&] { return error.failed(); });
  ASSERT_TRUE(stream_->fault());
  EXPECT_THAT(stream_->fault()->detail, testing::HasSubstr("without content"));
}

TEST_F(TlsStreamTest, ALongHandshakeDoesNotCount) {
  std::vector<std::string> names{"localhost"};
  for (int i = 0; i < 2000; ++i) names.push_back("a.rather.long.name.example");  // 56 KB
  identity_ = identity(std::move(names));
  start({testing_server::key_updates(10), testing_server::write("x")});
  shake_hands();
  std::array<char, 1> buffer{};
  bool read = false;
  stream_->read_some(buffer, [&](Stream::ErrorCode error, std::size_t) {
    EXPECT_FALSE(error) << error.message();
    read = true;
  });
  testing_loop::run_until(io_, [&] { return read; });
}

TEST_F(TlsStreamTest, RecordsWithoutContentAreCountedAgainAfterContent) {
  testing_server::Script script;
  for (int i = 0; i < 4; ++i) {
    script.push_back(testing_server::key_updates(800));  // 21 KiB
    script.push_back(testing_server::write("x"));
  }
  start(std::move(script));
  shake_hands();
  std::array<char, 1> buffer{};
  int read = 0;
  std::function<void()> more = [&] {
    stream_->read_some(buffer, [&](Stream::ErrorCode error, std::size_t) {
      ASSERT_FALSE(error) << error.message();
      if (++read < 4) more();
    });
  };
  more();
  testing_loop::run_until(io_, [&] { return read == 4; });
}

}  // namespace
}  // namespace skewguard::net
