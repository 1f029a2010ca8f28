#pragma once

#include <string_view>

namespace skewguard::net {

/// Sending it twice has the same effect as once (RFC 9110 section 9.2.2).
bool idempotent(std::string_view method) noexcept;

/// How a connection was lost before any byte of an answer.
struct LostConnection {
  bool pooled = false;           ///< it had carried an answer before, and lay idle
  bool request_written = false;  ///< bytes of the request may have reached the server
  bool resent = false;           ///< this request has been sent anew before
};

/// A connection that closed while it lay idle says nothing about the request: send it once more on
/// a new one, where the server cannot have acted on it or acting twice does no harm (RFC 9110
/// section 9.2.2, RFC 9112 section 9.3.1).
bool may_resend(std::string_view method, const LostConnection& lost) noexcept;

}  // namespace skewguard::net
