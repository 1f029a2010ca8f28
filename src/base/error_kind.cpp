#include "base/error_kind.hpp"

namespace skewguard {

ErrorKind error_kind(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::ok:
    case Verdict::gateway_refused:
    case Verdict::no_user_context:
    case Verdict::protocol:
      return ErrorKind::protocol;
    case Verdict::issuer_clock_ahead:
    case Verdict::issuer_clock_behind:
    case Verdict::local_clock_ahead:
    case Verdict::local_clock_behind:
    case Verdict::tls_clock:
      return ErrorKind::clock;
    case Verdict::missing_permission:
      return ErrorKind::forbidden;
    case Verdict::login_rate_limited:
    case Verdict::api_rate_limited:
      return ErrorKind::throttled;
    case Verdict::auth_backend_unavailable:
    case Verdict::tls_untrusted:
    case Verdict::network:
      return ErrorKind::unavailable;
    case Verdict::timeout:
      return ErrorKind::timeout;
    case Verdict::token_expired:
    case Verdict::token_not_yet_active:
    case Verdict::token_revoked:
    case Verdict::token_rejected:
    case Verdict::token_contended:
    case Verdict::credentials_rejected:
    case Verdict::unknown_client:
    case Verdict::unknown:
      break;
  }
  return ErrorKind::credentials;
}

}  // namespace skewguard
