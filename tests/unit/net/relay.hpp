#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace skewguard::net::testing_server {

/// A proxy on any free port of 127.0.0.1: it accepts every CONNECT, and relays bytes to that port
/// of 127.0.0.1 and back, whatever the name.
class Relay {
 public:
  explicit Relay(boost::asio::io_context& io);
  Relay(const Relay&) = delete;
  Relay& operator=(const Relay&) = delete;
  ~Relay();

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] const std::vector<std::string>& heads() const;  ///< of the CONNECTs, in order

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace skewguard::net::testing_server
