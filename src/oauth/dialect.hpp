#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "oauth/grant.hpp"
#include "skewguard/http.hpp"
#include "skewguard/result.hpp"
#include "skewguard/time.hpp"

namespace skewguard::oauth {

/// The good answer of a token endpoint (RFC 6749 section 5.1).
struct TokenAnswer {
  Secret access_token;
  std::string token_type;              ///< as sent; compared without case
  std::optional<Duration> expires_in;  ///< > 0; absent where the answer does not say
};

/// What an answer that is not a plain success says, whichever host's grammar it came in.
struct Refusal {
  enum class Kind {
    none,                ///< 2xx, or an error that is not about the token (404, 500 of the API ...)
    token_refused,       ///< API 401; 400 or 403 with invalid_token in WWW-Authenticate
    missing_permission,  ///< 403, or insufficient_scope whatever the status
    no_user_context,     ///< 400, 403 or 404 under /api/v2/users/me that names no permission
    credentials_rejected,  ///< login: wrong secret, disabled client (401 invalid_client,
                           ///< unauthorized_client)
    unknown_client,        ///< login: 400 invalid_client
    rate_limited,          ///< login: 400 invalid_request "rate limit exceeded"; 429 of either host
    backend_unavailable,   ///< login 5xx; API 504 authentication.request.timeout
    redirect,              ///< 3xx: never followed
    request_rejected,  ///< login: another OAuth error (invalid_scope, invalid_grant ...): settings
    unusable,          ///< an answer that makes no sense here
  };
  Kind kind = Kind::none;
  std::string error_code;      ///< "bad.credentials", "invalid_client" ...; may be empty
  std::string description;     ///< the server's own words, at most 200 visible characters
  std::string correlation_id;  ///< ININ-Correlation-Id, Genesys-Correlation-Id or contextId
  std::vector<std::string> permissions;  ///< that a 403 names
  std::optional<Duration> retry_after;   ///< >= 0
};

/// How one platform words token requests and refusals. Stateless; thread-safe.
class Dialect {
 public:
  virtual ~Dialect() = default;
  /// The token request to `token_url` (RFC 6749 section 4.4.2).
  [[nodiscard]] virtual HttpRequest request(const Grant& grant,
                                            std::string_view token_url) const = 0;
  /// Reads a 2xx of the token endpoint. The error names the field that is wrong.
  [[nodiscard]] virtual Result<TokenAnswer> token(const Exchange& exchange) const = 0;
  /// Sorts an answer of the token endpoint that is not 2xx.
  [[nodiscard]] virtual Refusal login_refusal(const Exchange& exchange) const = 0;
  /// Sorts any answer of the API host; `path` is that of the request. Kind::none where the token
  /// is not what it is about. `managed`: the token has no user (client credentials).
  [[nodiscard]] virtual Refusal api_refusal(const Exchange& exchange, std::string_view path,
                                            bool managed) const = 0;
};

}  // namespace skewguard::oauth
