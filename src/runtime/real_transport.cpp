#include "runtime/real_transport.hpp"

#include "net/asio_transport.hpp"

namespace skewguard::runtime {

std::unique_ptr<Transport> real_transport(const ClientOptions& options, ClockSource& clock,
                                          boost::asio::io_context& context) {
  net::TlsOptions tls;
  if (!options.ca_file.empty()) tls.ca_file = options.ca_file;
  return std::make_unique<net::AsioTransport>(context, clock, tls);
}

}  // namespace skewguard::runtime
