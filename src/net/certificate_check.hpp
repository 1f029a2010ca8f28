#pragma once

#include <openssl/x509.h>

#include <optional>
#include <string>

#include "skewguard/time.hpp"
#include "skewguard/transport.hpp"

/// Why a server's certificate is not accepted. Beast-free and socket-free.
namespace skewguard::net {

/// Which host the certificate must be valid for, and when.
struct CertificateDemand {
  std::string host;  ///< name or numeric address, as in the URL
  std::uint16_t port = 0;
  WallTime wall{};  ///< the local wall clock: certificates know no other
};

/// Verifies what `context` was set up with (chain, trust, host) at demand.wall. Empty if it is
/// valid; otherwise `tls_time` if only the certificate's dates are wrong, or `tls_untrusted`. No
/// failure is ignored here; others decide what a wrong clock means.
std::optional<TransportFailure> check_certificate(X509_STORE_CTX* context,
                                                  const CertificateDemand& demand);

/// "CN = a.example, issued by CN = An Authority, valid until 2027-01-01T00:00:00Z"; visible ASCII.
std::string about(const X509* certificate);

/// X509_V_ERR_* codes that are only about the certificate's dates.
bool is_time_error(int x509_error) noexcept;

/// A certificate's time as wall time, clamped to what WallTime can represent (years 1677..2262).
std::optional<WallTime> wall_time(const ASN1_TIME* time);

}  // namespace skewguard::net
