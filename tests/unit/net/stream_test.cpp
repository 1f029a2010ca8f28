#include "net/stream.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "certificates.hpp"
#include "loop_fixture.hpp"
#include "scripted_server.hpp"

namespace skewguard::net {
namespace {

using std::chrono::days;
using testing_server::read_request;
using testing_server::ScriptedServer;
using tcp = boost::asio::ip::tcp;

tcp::socket connected_to(const ScriptedServer& server, boost::asio::io_context& io) {
  tcp::socket socket(io);
  socket.connect({boost::asio::ip::address_v4::loopback(), server.port()});
  return socket;
}

/// What the server reads where the request changes in the moment of `leaving`.
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

TEST(Stream, NothingHasLeftWhenLeavingIsCalled) {
  boost::asio::io_context io;
  const ScriptedServer server(io, {{read_request()}});
  const auto stream = plain_stream(connected_to(server, io));
  EXPECT_EQ(read_of_a_request_that_changes(*stream, server, io), "GET /latest HTTP/1.1\r\n\r\n");
}

TEST(Stream, AllIsEncryptedWhenLeavingIsCalled) {
  constexpr WallTime kNow{std::chrono::sys_days{std::chrono::year{2026} / 3 / 14}};
  const auto authority = testing_certificates::make({.name = "Test Authority",
                                                     .not_before = kNow - days{1000},
                                                     .not_after = kNow + days{1000},
                                                     .authority = true});
  const auto identity = testing_certificates::make(
      {.dns = {"localhost"}, .not_before = kNow - days{10}, .not_after = kNow + days{10}},
      &authority);
  const auto ca_file = testing_certificates::pem_file({authority.certificate});
  const TlsContext context{TlsOptions{.ca_file = ca_file}};
  EXPECT_EQ(std::remove(ca_file.c_str()), 0);
  boost::asio::io_context io;
  const ScriptedServer server(io, {{read_request()}}, &identity);
  const auto stream =
      tls_stream(connected_to(server, io), context, {"localhost", server.port(), kNow});
  EXPECT_EQ(read_of_a_request_that_changes(*stream, server, io), "GET /sooner HTTP/1.1\r\n\r\n");
}

}  // namespace
}  // namespace skewguard::net
