#include "proxy/socket.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

namespace skewguard::proxy {
namespace {

constexpr std::uint32_t kReading = EPOLLIN | EPOLLRDHUP | EPOLLPRI | EPOLLET;
/// After these a read that leaves room in the buffer may not have been the last.
constexpr std::uint32_t kMore = EPOLLRDHUP | EPOLLPRI | EPOLLHUP | EPOLLERR;

}  // namespace

/// Where it cannot be watched it has failed, which the first read tells.
Socket::Socket(EventLoop& loop, Descriptor descriptor, User& user)
    : loop_(loop), descriptor_(std::move(descriptor)), user_(user) {
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
  const auto size = ::recv(descriptor_.get(), into.data(), into.size(), 0);
  if (size > 0) {
    const auto got = static_cast<std::size_t>(size);
    // What comes later is told anew.
    if (got < into.size() && (seen_ & kMore) == 0) nothing_left();
    return {Moved::some, got};
  }
  if (size == 0) return {Moved::end, 0};
  if (errno != EAGAIN && errno != EINTR) return {Moved::failed, 0};
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
  const auto size = ::send(descriptor_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  full_ = false;
  if (size >= 0) return {Moved::some, static_cast<std::size_t>(size)};
  if (errno != EAGAIN) return {Moved::failed, 0};
  full_ = true;
  seen_ &= ~std::uint32_t{EPOLLOUT};
  if (!std::exchange(watches_writing_, true)) loop_.change(descriptor_.get(), kReading | EPOLLOUT);
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
