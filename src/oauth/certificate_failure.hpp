#pragma once

#include <string>

#include "skewguard/transport.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::oauth {

/// A certificate that fails on its time alone, with whose fault that is as far as it is known.
struct CertificateFailure {
  Verdict verdict = Verdict::tls_untrusted;  ///< or tls_clock
  std::string text;                          ///< a sentence without its end
  std::string remedy;                        ///< likewise; in lower case
};
/// What is to be done about a chain that is bad at `when`, the right time, and by whom.
std::string renewal(const TransportFailure& failure, const std::string& host, WallTime when);

/// Of a `tls_time`. `host`: the origin that has the certificate.
CertificateFailure why_out_of_time(const TransportFailure& failure, const std::string& host,
                                   WallTime local);

}  // namespace skewguard::oauth
