#pragma once

#include <sys/socket.h>

#include <boost/system/error_code.hpp>
#include <cerrno>
#include <tuple>

namespace skewguard::net {

/// Opens a socket that child programs do not inherit, unlike with Asio's own open().
template <typename Socket, typename Protocol>
void open_socket(Socket& socket, const Protocol& protocol, boost::system::error_code& error) {
  const int fd = ::socket(protocol.family(), protocol.type() | SOCK_CLOEXEC, protocol.protocol());
  if (fd < 0) {
    error.assign(errno, boost::system::system_category());
    return;
  }
  std::ignore = socket.assign(protocol, fd, error);
}

}  // namespace skewguard::net
