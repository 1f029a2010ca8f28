#include "runtime/real_transport.hpp"

#include <utility>

#include "net/asio_transport.hpp"

namespace skewguard::runtime {

net::TlsOptions tls_options(const ClientOptions& options) {
  net::TlsOptions tls;
  if (!options.ca_file.empty()) tls.ca_file = options.ca_file;
  if (!options.client_cert_file.empty()) {
    tls.client_identity = {options.client_cert_file, options.client_key_file};
  }
  return tls;
}

std::unique_ptr<Transport> real_transport(const ClientOptions& options, ClockSource& clock,
                                          const boost::asio::any_io_executor& executor, Log log) {
  return std::make_unique<net::AsioTransport>(executor, clock, tls_options(options),
                                              net::PoolOptions{}, net::Edges{}, options.proxy,
                                              std::move(log));
}

}  // namespace skewguard::runtime
