#pragma once

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <memory>
#include <string>

#include "proxy/options.hpp"
#include "proxy/worker.hpp"
#include "skewguard/result.hpp"

namespace skewguard::proxy {

/// One address that clients connect to. For one thread. Held by std::shared_ptr.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  /// Where the next connection is to be served.
  using Chooser = std::function<boost::asio::io_context&()>;
  /// Gets each connection, on its io_context's thread or not.
  using Handler = std::function<void(ClientSocket)>;

  explicit Listener(boost::asio::io_context& io) : acceptor_(io), pause_(io) {}
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// A Unix socket is for this user alone (mode 0600); one that nobody listens on any more is
  /// replaced. Error: `config`, or `unavailable` where this machine is out of sockets.
  Result<void> open(const ListenAddress& address);
  /// With the port that it got.
  [[nodiscard]] const ListenAddress& address() const noexcept { return address_; }

  void accept(Chooser choose, Handler handler);
  void close();

 private:
  using Protocol = boost::asio::generic::stream_protocol;
  using Acceptor =
      boost::asio::basic_socket_acceptor<Protocol, boost::asio::io_context::executor_type>;

  boost::system::error_code bind(const Protocol& protocol, const Protocol::endpoint& endpoint);
  void accept_next();
  void accept_later();

  Acceptor acceptor_;
  boost::asio::steady_timer pause_;
  ListenAddress address_;
  Chooser choose_;
  Handler handler_;
};

/// Whether a program of the user `peer` may use a sidecar that runs as `own`: the same user, or
/// root, who can read our memory anyway.
constexpr bool same_user(unsigned peer, unsigned own) noexcept {
  return peer == own || peer == 0;
}

}  // namespace skewguard::proxy
