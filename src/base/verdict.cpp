#include "skewguard/verdict.hpp"

namespace skewguard {

std::string_view to_string(Verdict verdict) noexcept {
  switch (verdict) {
    case Verdict::ok:
      return "ok";
    case Verdict::token_expired:
      return "token_expired";
    case Verdict::issuer_clock_ahead:
      return "issuer_clock_ahead";
    case Verdict::issuer_clock_behind:
      return "issuer_clock_behind";
    case Verdict::token_not_yet_active:
      return "token_not_yet_active";
    case Verdict::local_clock_behind:
      return "local_clock_behind";
    case Verdict::local_clock_ahead:
      return "local_clock_ahead";
    case Verdict::token_revoked:
      return "token_revoked";
    case Verdict::token_rejected:
      return "token_rejected";
    case Verdict::token_contended:
      return "token_contended";
    case Verdict::credentials_rejected:
      return "credentials_rejected";
    case Verdict::unknown_client:
      return "unknown_client";
    case Verdict::missing_permission:
      return "missing_permission";
    case Verdict::gateway_refused:
      return "gateway_refused";
    case Verdict::no_user_context:
      return "no_user_context";
    case Verdict::login_rate_limited:
      return "login_rate_limited";
    case Verdict::api_rate_limited:
      return "api_rate_limited";
    case Verdict::auth_backend_unavailable:
      return "auth_backend_unavailable";
    case Verdict::tls_clock:
      return "tls_clock";
    case Verdict::tls_untrusted:
      return "tls_untrusted";
    case Verdict::network:
      return "network";
    case Verdict::timeout:
      return "timeout";
    case Verdict::protocol:
      return "protocol";
    case Verdict::unknown:
      return "unknown";
  }
  return "unknown";
}

std::string_view to_string(Action action) noexcept {
  switch (action) {
    case Action::none:
      return "none";
    case Action::refresh_and_retry:
      return "refresh_and_retry";
    case Action::wait_and_retry:
      return "wait_and_retry";
    case Action::give_up:
      return "give_up";
  }
  return "none";
}

}  // namespace skewguard
