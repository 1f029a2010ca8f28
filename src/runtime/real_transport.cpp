#include "runtime/real_transport.hpp"

#include "net/asio_transport.hpp"

namespace skewguard::runtime {

std::unique_ptr<Transport> real_transport(const ClientOptions& options, ClockSource& clock,
                                          const boost::asio::any_io_executor& executor) {
  net::TlsOptions tls;
  if (!options.ca_file.empty()) tls.ca_file = options.ca_file;
  if (!options.client_cert_file.empty()) {
    tls.client_identity = {options.client_cert_file, options.client_key_file};
  }
  return std::make_unique<net::AsioTransport>(executor, clock, tls, net::PoolOptions{},
                                              net::Edges{}, options.proxy);
}

}  // namespace skewguard::runtime
