#pragma once

#include <string>

#include "skewguard/transport.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::oauth {

/// A certificate that fails only because of its dates, and whose fault that is, if known.
struct CertificateFailure {
  Verdict verdict = Verdict::tls_untrusted;  ///< or tls_clock
  std::string text;                          ///< a sentence without its end
  std::string remedy;                        ///< likewise; in lower case
};
/// What to do, and who must do it, about a chain that is not valid at `when`, the correct time.
std::string renewal(const TransportFailure& failure, const std::string& host, WallTime when);

/// Explains a `tls_time` failure. `host`: the origin of the certificate.
CertificateFailure why_out_of_time(const TransportFailure& failure, const std::string& host,
                                   WallTime local);

}  // namespace skewguard::oauth
