#pragma once

#include <gtest/gtest.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string>
#include <utility>

#include "emulator/hosted.hpp"
#include "fixture.hpp"

namespace skewguard::emulator {

namespace asio = boost::asio;
using asio::ip::tcp;

/// Stands still at the fixture's start.
class StillClock : public ClockSource {
 public:
  Now now() override { return at(Duration{0}); }
};

struct Answer {
  std::string head;
  std::string body;
  [[nodiscard]] int status() const { return std::stoi(head.substr(9, 3)); }
};

inline std::uint16_t port_of(const std::string& url) {
  return static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
}

/// A connection that sends bytes as they are and reads one answer at a time.
class Wire {
 public:
  explicit Wire(const std::string& url) {
    socket_.connect({asio::ip::make_address("127.0.0.1"), port_of(url)});
  }
  void send(const std::string& bytes) { asio::write(socket_, asio::buffer(bytes)); }
  Answer read(bool has_body = true) { return read_from(socket_, has_body); }
  Answer ask(const std::string& bytes) { return send(bytes), read(); }
  bool closed() {
    boost::system::error_code why;
    char byte = 0;
    asio::read(socket_, asio::buffer(&byte, 1), why);
    return why == asio::error::eof;
  }
  /// Everything that still arrives, and how it ended.
  std::pair<std::string, boost::system::error_code> rest() {
    boost::system::error_code why;
    asio::read(socket_, asio::dynamic_buffer(buffer_), why);
    return {std::exchange(buffer_, {}), why};
  }
  /// Whether there are unread bytes.
  bool silent() { return socket_.available() == 0; }
  tcp::socket& socket() { return socket_; }

  template <typename Stream>
  Answer read_from(Stream& stream, bool has_body) {
    Answer answer;
    const auto length = asio::read_until(stream, asio::dynamic_buffer(buffer_), "\r\n\r\n");
    answer.head = take(length);
    const auto field = answer.head.find("Content-Length: ");
    if (!has_body || field == std::string::npos) return answer;
    const auto size = static_cast<std::size_t>(std::stoul(answer.head.substr(field + 16)));
    if (buffer_.size() < size) {
      asio::read(stream, asio::dynamic_buffer(buffer_),
                 asio::transfer_exactly(size - buffer_.size()));
    }
    answer.body = take(size);
    return answer;
  }

 private:
  std::string take(std::size_t n) {
    auto out = buffer_.substr(0, n);
    buffer_.erase(0, n);
    return out;
  }

  asio::io_context io_;
  tcp::socket socket_{io_};
  std::string buffer_;
};

inline std::string post(const std::string& path, const std::string& body,
                        const std::string& fields = "") {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\n" + fields +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

inline std::string token_bytes() {
  return post("/oauth/token", "grant_type=client_credentials",
              "Content-Type: application/x-www-form-urlencoded\r\nAuthorization: " +
                  std::string(kDemo) + "\r\n");
}

inline std::string get(const std::string& path, const std::string& token,
                       const std::string& method = "GET") {
  return method + " " + path + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + token +
         "\r\n\r\n";
}

class EmulatorServer : public testing::Test {
 protected:
  void start(const Options& options = {}) {
    auto started = Hosted::start(options, clock_, 1);
    ASSERT_TRUE(started) << started.error().message;
    emulator_ = *std::move(started);
  }
  std::string token() {
    return json::parse(Wire(emulator_->login_url()).ask(token_bytes()).body).at("access_token");
  }

  void fault(const std::string& body) {
    EXPECT_EQ(Wire(emulator_->login_url()).ask(post("/emulator/fault", body)).status(), 200);
  }

  StillClock clock_;
  std::unique_ptr<Hosted> emulator_;
};

}  // namespace skewguard::emulator
