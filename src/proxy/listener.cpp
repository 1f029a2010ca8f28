#include "proxy/listener.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <chrono>
#include <cstring>
#include <tuple>
#include <utility>

#include "net/connector.hpp"
#include "net/open_socket.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::proxy {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

/// Another address may do, unless this machine has nothing left to listen with.
Error cannot_listen(const ListenAddress& address, const error_code& why) {
  const bool exhausted = net::out_of_resources(why);
  return {exhausted ? ErrorKind::unavailable : ErrorKind::config,
          "cannot listen on " + address.text() + ": " + why.message(),
          exhausted ? kCheckLimits : "choose another address with --listen"};
}

/// Removes the socket of a sidecar that was killed.
void remove_if_dead(const std::string& path) {
  struct stat found{};
  if (::lstat(path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return;
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (connected != 0 && errno == ECONNREFUSED) ::unlink(path.c_str());
  ::close(fd);
}

bool peer_allowed(ClientSocket& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return false;
  }
  return same_user(peer.uid, ::geteuid());
}

}  // namespace

Listener::~Listener() {
  close();
}

Result<void> Listener::open(const ListenAddress& address) {
  error_code why;
  if (address.unix_socket()) {
    remove_if_dead(address.path);
    const asio::local::stream_protocol::endpoint endpoint(address.path);
    why = bind(endpoint.protocol(), endpoint);
  } else {
    const asio::ip::tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
    why = bind(endpoint.protocol(), endpoint);
  }
  if (why) return cannot_listen(address, why);
  address_ = address;
  if (address.unix_socket()) return {};
  asio::ip::tcp::endpoint bound;
  const auto local = acceptor_.local_endpoint(why);
  std::memcpy(bound.data(), local.data(), local.size());
  address_.port = bound.port();
  return {};
}

error_code Listener::bind(const Protocol& protocol, const Protocol::endpoint& endpoint) {
  constexpr mode_t kOwnerOnly = 0600;
  error_code why;
  net::open_socket(acceptor_, protocol, why);
  if (why) return why;
  if (protocol.family() == AF_UNIX) {
    // Before bind(): the file gets this mode from the start.
    if (::fchmod(acceptor_.native_handle(), kOwnerOnly) != 0) {
      return {errno, boost::system::system_category()};
    }
  } else if (acceptor_.set_option(asio::socket_base::reuse_address(true), why) ||
             acceptor_.set_option(asio::ip::tcp::no_delay(true), why)) {  // what it accepts has it
    return why;
  }
  if (acceptor_.bind(endpoint, why)) return why;
  return acceptor_.listen(asio::socket_base::max_listen_connections, why);
}

void Listener::accept(Chooser choose, Handler handler) {
  choose_ = std::move(choose);
  handler_ = std::move(handler);
  accept_next();
}

void Listener::accept_next() {
  const auto executor = choose_().get_executor();
  acceptor_.async_accept(
      executor, [self = shared_from_this()](error_code why, ClientSocket client) {
        if (!self->acceptor_.is_open() || why == asio::error::operation_aborted) return;
        if (why) return self->accept_later();
        const bool allowed = !self->address_.unix_socket() || peer_allowed(client);
        if (allowed) self->handler_(std::move(client));
        self->accept_next();
      });
}

/// Out of descriptors, say: asking again at once would spin.
void Listener::accept_later() {
  pause_.expires_after(std::chrono::milliseconds{100});
  pause_.async_wait([self = shared_from_this()](error_code why) {
    if (!why && self->acceptor_.is_open()) self->accept_next();
  });
}

void Listener::close() {
  if (!acceptor_.is_open()) return;
  error_code ignored;
  std::ignore = acceptor_.close(ignored);
  pause_.cancel();
  if (address_.unix_socket()) ::unlink(address_.path.c_str());
}

}  // namespace skewguard::proxy
