#include "proxy/listener.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/system/error_code.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include "net/connector.hpp"
#include "proxy/endpoint.hpp"
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
  const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.open()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.c_str(), path.size());
  const int connected =
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  if (connected != 0 && errno == ECONNREFUSED) ::unlink(path.c_str());
}

bool peer_allowed(const Descriptor& socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return false;
  }
  return same_user(peer.uid, ::geteuid());
}

bool turn_on(const Descriptor& socket, int level, int option) {
  constexpr int kOn = 1;
  return ::setsockopt(socket.get(), level, option, &kOn, sizeof kOn) == 0;
}

/// A Unix socket's file has its mode before it is there.
bool prepare(const Descriptor& socket, bool unix_socket) {
  constexpr mode_t kOwnerOnly = 0600;
  if (unix_socket) return ::fchmod(socket.get(), kOwnerOnly) == 0;
  return turn_on(socket, SOL_SOCKET, SO_REUSEADDR) &&
         turn_on(socket, IPPROTO_TCP, TCP_NODELAY);  // what it accepts has it
}

}  // namespace

Result<void> Listener::open(const ListenAddress& address) {
  if (address.unix_socket()) remove_if_dead(address.path);
  const auto endpoint = endpoint_of(address);
  const int family = endpoint.protocol().family();
  Descriptor socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket.open() || !prepare(socket, address.unix_socket()) ||
      ::bind(socket.get(), endpoint.data(), static_cast<socklen_t>(endpoint.size())) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0)
    return cannot_listen(address, {errno, boost::system::system_category()});
  socket_ = std::move(socket);
  address_ = address;
  if (address.unix_socket()) return {};
  asio::ip::tcp::endpoint bound;
  auto size = static_cast<socklen_t>(bound.capacity());
  if (::getsockname(socket_.get(), bound.data(), &size) == 0) address_.port = bound.port();
  return {};
}

void Listener::accept(EventLoop& loop, Handler handler) {
  handler_ = std::move(handler);
  loop_ = &loop;
  pause_.emplace(loop);
  if (!loop.watch(*this, socket_.get(), EPOLLIN))
    throw std::system_error(errno, std::system_category(), "epoll_ctl");
}

void Listener::ready() {
  Descriptor client(::accept4(socket_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!client.open()) return errno == EAGAIN || errno == ECONNABORTED ? void() : pause();
  if (!address_.unix_socket() || peer_allowed(client)) handler_(std::move(client));
}

/// Out of descriptors, say: asking again at once would spin.
void Listener::pause() {
  loop_->change(socket_.get(), 0);
  pause_->arm(std::chrono::milliseconds{100}, [this] { resume(); });
}

void Listener::resume() {
  if (!loop_->change(socket_.get(), EPOLLIN)) pause();
}

void Listener::close() {
  if (!socket_.open()) return;
  pause_.reset();
  if (loop_ != nullptr) loop_->forget(socket_.get());
  socket_.close();
  if (address_.unix_socket()) ::unlink(address_.path.c_str());
}

}  // namespace skewguard::proxy
