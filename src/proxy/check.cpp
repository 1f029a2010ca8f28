#include "proxy/check.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/endpoint.hpp"

namespace skewguard::proxy {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr std::chrono::seconds kTimeLimit{5};
constexpr std::string_view kRequest =
    "GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

Error not_ready(const ListenAddress& address, const std::string& why) {
  return {ErrorKind::protocol, "the sidecar at " + address.text() + " is not ready: " + why, ""};
}

/// One request on its own connection, whose answer ends with it.
struct Question {
  void ask(const ListenAddress& address) {
    socket.async_connect(endpoint_of(address), [this](error_code error) {
      if (error) return end(error);
      asio::async_write(socket, asio::buffer(kRequest), [this](error_code failed, std::size_t) {
        if (failed) return end(failed);
        asio::async_read(socket, asio::dynamic_buffer(answer, kMostBytes),
                         [this](error_code over, std::size_t) { end(over); });
      });
    });
  }
  void end(error_code error) {
    why = error;
    io.stop();
  }

  static constexpr std::size_t kMostBytes = std::size_t{64} * 1024;
  asio::io_context io{1};
  asio::generic::stream_protocol::socket socket{io};
  std::string answer;
  std::optional<error_code> why;  ///< how it ended; empty = not yet
};

}  // namespace

Result<void> check_ready(const ListenAddress& address) {
  Question question;
  question.ask(address);
  question.io.run_for(kTimeLimit);
  if (!question.why) return not_ready(address, "it does not answer");
  if (*question.why != asio::error::eof) return not_ready(address, question.why->message());
  if (question.answer.starts_with("HTTP/1.1 200 ")) return {};
  const std::size_t body = question.answer.find("\r\n\r\n");
  if (body == std::string::npos) return not_ready(address, "what answers is no sidecar");
  std::string said = question.answer.substr(body + 4);
  while (said.ends_with('\n')) said.pop_back();
  return not_ready(address, said);
}

}  // namespace skewguard::proxy
