#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>

#include "proxy/options.hpp"

namespace skewguard::proxy {

inline boost::asio::generic::stream_protocol::endpoint endpoint_of(const ListenAddress& address) {
  namespace asio = boost::asio;
  if (address.unix_socket()) return asio::local::stream_protocol::endpoint(address.path);
  return asio::ip::tcp::endpoint(asio::ip::make_address(address.host), address.port);
}

}  // namespace skewguard::proxy
