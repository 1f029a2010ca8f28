#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "net/loop.hpp"
#include "net/timers.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::net {

/// How an attempt to connect ended, as a kind of failure. `refused` is the most specific (the host
/// exists), so it stands for all addresses of a name if any gives it.
TransportFailure::Kind connect_kind(const boost::system::error_code& error) noexcept;
/// This machine is out of open files or memory.
bool out_of_resources(const boost::system::error_code& error) noexcept;

/// Connects to the first address that answers: tries one after another, the next one as soon as one
/// has failed, or in parallel if there is no answer for 250 ms (RFC 8305 section 5). Not
/// thread-safe.
class Connector : public std::enable_shared_from_this<Connector> {
 public:
  static constexpr Duration kAttemptDelay = std::chrono::milliseconds{250};

  struct Failure {
    TransportFailure::Kind kind = TransportFailure::Kind::unreachable;
    bool out_of_resources = false;  ///< for one of the attempts
    std::string detail;             ///< each address with what became of it
  };
  using Answer = std::variant<boost::asio::ip::tcp::socket, Failure>;
  using Handler = std::function<void(Answer)>;

  Connector(Loop io, Timers& timers) : io_(std::move(io)), timer_(timers.make()) {}

  /// `addresses`: numeric. `handler` runs on the loop, never from within this call, and not at all
  /// after cancel().
  void start(std::vector<std::string> addresses, std::uint16_t port, Handler handler);
  void cancel();

 private:
  using Socket = boost::asio::ip::tcp::socket;
  void attempt_next();
  void attempt(const std::string& address);
  void ended(const std::shared_ptr<Socket>& socket, const std::string& address,
             const boost::system::error_code& error);
  void finish(Answer answer);

  Loop io_;
  std::unique_ptr<Timer> timer_;
  std::vector<std::string> addresses_;
  std::uint16_t port_ = 0;
  std::size_t next_ = 0;
  std::vector<std::shared_ptr<Socket>> under_way_;
  Failure failure_;
  Handler handler_;
};

}  // namespace skewguard::net
