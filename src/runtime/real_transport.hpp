#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <memory>

#include "base/log.hpp"
#include "net/options.hpp"
#include "skewguard/client.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::runtime {

/// The files that TLS needs, as the options name them.
net::TlsOptions tls_options(const ClientOptions& options);

/// Sockets, TLS and proxies according to the options, on this loop, which runs one function at a
/// time. `clock` must outlive it.
std::unique_ptr<Transport> real_transport(const ClientOptions& options, ClockSource& clock,
                                          const boost::asio::any_io_executor& executor,
                                          Log log = {});

}  // namespace skewguard::runtime
