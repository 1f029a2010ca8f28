#pragma once

#include <string_view>

#include "skewguard/export.hpp"

namespace SKEWGUARD_API skewguard {

/// What was wrong, told from evidence. Names and meanings are a promise (docs/guide/verdicts.md).
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

/// What the guard does about a rejection.
enum class Action { none, refresh_and_retry, wait_and_retry, give_up };
std::string_view to_string(Action action) noexcept;

}  // namespace skewguard
