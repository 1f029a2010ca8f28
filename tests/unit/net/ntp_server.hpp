#pragma once

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "../clocks/sntp_packet.hpp"

namespace skewguard::net::testing_ntp {

using boost::asio::ip::udp;
using clocks::testing::SntpPacket;
using SntpPackets = std::vector<SntpPacket>;

/// A UDP server with answers chosen by the test.
class NtpServer {
 public:
  NtpServer(boost::asio::io_context& io, const char* address = "127.0.0.1", std::uint16_t port = 0)
      : socket_(io, udp::endpoint(boost::asio::ip::make_address(address), port)) {
    receive();
  }
  [[nodiscard]] std::uint16_t port() const { return socket_.local_endpoint().port(); }
  [[nodiscard]] std::string name() const { return "127.0.0.1:" + std::to_string(port()); }
  [[nodiscard]] const udp::endpoint& peer() const { return peer_; }

  /// The packets that answer a request, given its nonce.
  std::function<SntpPackets(std::uint64_t nonce)> answers = [](std::uint64_t) {
    return SntpPackets{};
  };
  std::vector<SntpPacket> requests;

 private:
  void receive() {
    socket_.async_receive_from(boost::asio::buffer(bytes_), peer_,
                               [this](const boost::system::error_code& error, std::size_t size) {
                                 if (error) return;
                                 requests.emplace_back(bytes_.begin(), bytes_.begin() + long(size));
                                 std::uint64_t nonce = 0;
                                 for (std::size_t i = 40; i < 48; ++i)
                                   nonce = nonce << 8U | bytes_.at(i);
                                 for (const SntpPacket& packet : answers(nonce))
                                   socket_.send_to(boost::asio::buffer(packet), peer_);
                                 receive();
                               });
  }
  udp::socket socket_;
  udp::endpoint peer_;
  std::array<std::uint8_t, 100> bytes_{};
};

}  // namespace skewguard::net::testing_ntp
