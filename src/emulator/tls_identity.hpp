#pragma once

#include <string>

#include "net/options.hpp"
#include "skewguard/result.hpp"
#include "skewguard/time.hpp"

namespace skewguard::emulator {

/// A new CA and a server certificate signed by it, in PEM.
struct TlsIdentity {
  std::string ca;  ///< its own key is gone
  net::ServerIdentity server;
};

/// For localhost, 127.0.0.1, ::1 and `address`. Both certificates are valid from a day before
/// `wall` to 30 days after it: a client's clock may be wrong by less than that.
Result<TlsIdentity> make_tls_identity(const std::string& address, WallTime wall);

}  // namespace skewguard::emulator
