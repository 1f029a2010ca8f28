#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace skewguard::net::testing_server {

/// A proxy on 127.0.0.1, any free port: it takes every CONNECT, and carries bytes to that port of
/// 127.0.0.1 and back, whatever name was asked for.
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
