#pragma once

#include <memory>

#include "skewguard/client.hpp"
#include "skewguard/transport.hpp"

namespace boost::asio {
class io_context;
}

namespace skewguard::runtime {

/// Sockets, TLS and proxies as the options say, on this loop. `clock` and `context` must outlive
/// it.
std::unique_ptr<Transport> real_transport(const ClientOptions& options, ClockSource& clock,
                                          boost::asio::io_context& context);

}  // namespace skewguard::runtime
