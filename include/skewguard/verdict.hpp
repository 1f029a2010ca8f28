#pragma once

#include <string_view>

#include "skewguard/export.hpp"

namespace SKEWGUARD_API skewguard {

/// The cause of a rejection, according to the evidence. Names and meanings will not change
/// (docs/guide/verdicts.md).
enum class Verdict {
  ok,
  token_expired,
  issuer_clock_ahead,
  issuer_clock_behind,
  token_not_yet_active,
  local_clock_behind,
  local_clock_ahead,
  token_revoked,
  token_rejected,
  token_contended,
  credentials_rejected,
  unknown_client,
  missing_permission,
  gateway_refused,
  no_user_context,
  login_rate_limited,
  api_rate_limited,
  auth_backend_unavailable,
  tls_clock,
  tls_untrusted,
  network,
  timeout,
  protocol,
  unknown,
};
/// The name as it stands above.
std::string_view to_string(Verdict verdict) noexcept;

/// What follows a rejection.
enum class Action {
  none,               ///< nothing is to be done: the answer is not a rejection
  refresh_and_retry,  ///< ask for a new token, send the request with it
  wait_and_retry,     ///< send the same token again, after a wait
  give_up,            ///< the caller gets the answer, or the error
};
/// The name as it stands above.
std::string_view to_string(Action action) noexcept;

}  // namespace skewguard
