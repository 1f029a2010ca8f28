#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "emulator/message.hpp"
#include "net/stream.hpp"

namespace skewguard {
class ClockSource;
}

namespace skewguard::emulator {

class CloudEmulator;

/// One connection to a host.
class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;
  virtual void close() = 0;
};

/// Shared by all sessions. Outlives the Server, but does nothing once `stopped`.
struct Hub {
  Hub(boost::asio::io_context& io_context, ClockSource& clock_source, CloudEmulator& the_cloud)
      : io(io_context), clocks(clock_source), cloud(the_cloud) {}
  boost::asio::io_context& io;
  ClockSource& clocks;
  CloudEmulator& cloud;
  bool stopped = false;
  std::optional<net::TlsContext> tls{};
  std::function<void()> quit{};
  std::vector<std::weak_ptr<Session>> sessions{};
};

/// Reads requests from connection `number` of `host`, lets the emulator answer them, and writes the
/// answers one by one. Keeps itself alive until the connection ends.
std::shared_ptr<Session> start_session(std::shared_ptr<Hub> hub, Host host, std::uint64_t number,
                                       boost::asio::ip::tcp::socket socket);

}  // namespace skewguard::emulator
