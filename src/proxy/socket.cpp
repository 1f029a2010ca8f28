#include "proxy/socket.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace skewguard::proxy {
namespace {

constexpr std::uint32_t kReading = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET;
/// After these a read that leaves room in the buffer may not have been the last.
constexpr std::uint32_t kMore = EPOLLRDHUP | EPOLLPRI | EPOLLHUP | EPOLLERR;

/// On a Unix socket a read ends where descriptors were sent along, or another process wrote.
bool reads_by_pieces(const Descriptor& socket) {
  int family = AF_UNSPEC;
  socklen_t size = sizeof family;
  ::getsockopt(socket.get(), SOL_SOCKET, SO_DOMAIN, &family, &size);
  return family == AF_UNIX;
}

/// The result of `call()`, which no signal has interrupted.
ssize_t uninterrupted(auto call) {
  while (true) {
    const ssize_t result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace

/// Where it cannot be watched it has failed, which the first read tells.
Socket::Socket(EventLoop& loop, Descriptor descriptor, User& user)
    : loop_(loop),
      descriptor_(std::move(descriptor)),
      user_(user),
      by_pieces_(reads_by_pieces(descriptor_)) {
  if (loop_.watch(*this, descriptor_.get(), kReading)) return;
  seen_ = EPOLLERR;
  descriptor_.close();
}

bool Socket::readable() const noexcept {
  return (seen_ & (EPOLLIN | kMore)) != 0;
}

bool Socket::gone() const noexcept {
  return (seen_ & (EPOLLHUP | EPOLLERR)) != 0;
}

Socket::Moved Socket::read(relay::Buffer& into) {
  const auto got = read(into.space());
  into.added(got.size);
  return got.moved;
}

Socket::Transfer Socket::read(std::span<char> into) {
  if (!readable()) return {};
  const auto size =
      uninterrupted([&] { return ::recv(descriptor_.get(), into.data(), into.size(), 0); });
  if (size > 0) {
    const auto got = static_cast<std::size_t>(size);
    // What comes later is told anew.
    if (got < into.size() && !by_pieces_ && (seen_ & kMore) == 0) nothing_left();
    return {Moved::some, got};
  }
  if (size == 0) return {Moved::end, 0};
  if (errno != EAGAIN) return {Moved::failed, 0};
  nothing_left();
  return {};
}

Socket::Moved Socket::write(relay::Buffer& from) {
  const auto done = write(from.bytes());
  from.remove(done.size);
  return done.moved;
}

Socket::Transfer Socket::write(std::string_view bytes) {
  if (full_ && (seen_ & (EPOLLOUT | EPOLLERR | EPOLLHUP)) == 0) return {};
  const auto size = uninterrupted(
      [&] { return ::send(descriptor_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); });
  full_ = false;
  if (size >= 0) return {Moved::some, static_cast<std::size_t>(size)};
  if (errno != EAGAIN) return {Moved::failed, 0};
  full_ = true;
  seen_ &= ~std::uint32_t{EPOLLOUT};
  if (!watches_writing_ && !loop_.change(descriptor_.get(), kReading | EPOLLOUT))
    return {Moved::failed, 0};  // nobody would tell when there is room again
  watches_writing_ = true;
  return {};
}

bool Socket::unread() {
  if (!readable()) return false;
  char byte = 0;
  if (::recv(descriptor_.get(), &byte, 1, MSG_PEEK) >= 0 || errno != EAGAIN) return true;
  nothing_left();
  return false;
}

void Socket::nothing_left() noexcept {
  seen_ &= ~std::uint32_t{EPOLLIN | EPOLLPRI | EPOLLRDHUP};
}

void Socket::again() {
  if (descriptor_.open()) loop_.again(descriptor_.get());
}

void Socket::finish() noexcept {
  ::shutdown(descriptor_.get(), SHUT_WR);
}

void Socket::close() noexcept {
  if (!descriptor_.open()) return;
  loop_.forget(descriptor_.get());
  descriptor_.close();
}

void Socket::reset() noexcept {
  const linger at_once{1, 0};
  ::setsockopt(descriptor_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  close();
}

}  // namespace skewguard::proxy
