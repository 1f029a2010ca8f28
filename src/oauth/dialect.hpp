#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "clocks/answer.hpp"
#include "oauth/grant.hpp"
#include "skewguard/http.hpp"
#include "skewguard/result.hpp"
#include "skewguard/time.hpp"

namespace skewguard::oauth {

/// Something odd about a token answer that is used anyway.
struct Oddity {
  std::string field;  ///< "token_type", "expires_in", or a claim of a JWT
  std::string text;   ///< "`token_type` is ...", in plain words; never a secret
};
inline constexpr std::string_view kTokenTypeField = "token_type";

/// A successful answer of a token endpoint (RFC 6749 section 5.1).
struct TokenAnswer {
  Secret access_token;
  std::string token_type;              ///< "Bearer", in whatever case
  std::optional<Duration> expires_in;  ///< > 0; absent if no credible field says it
  std::vector<Oddity> oddities;
};

/// The meaning of an answer that is not a plain success, from either host.
struct Refusal {
  enum class Kind {
    none,                ///< 2xx, or an error that is not about the token (404, 500 of the API ...)
    token_refused,       ///< API 401; 400 or 403 that says that the token is invalid or expired
    missing_permission,  ///< 403 of the API's own, or insufficient_scope whatever the status
    gateway_refused,     ///< something in front of the host: any other 403, a 401 that asks for
                         ///< other schemes alone
    no_user_context,     ///< 400, 403 or 404 under /api/v2/users/me that names no permission
    credentials_rejected,  ///< login: wrong secret, disabled client (invalid_client,
                           ///< unauthorized_client)
    unknown_client,        ///< login: 400 invalid_client
    rate_limited,         ///< login: an OAuth error that speaks of a rate limit; 429 of either host
    backend_unavailable,  ///< login 5xx; API 504 authentication.request.timeout
    redirect,             ///< 3xx: never followed
    request_rejected,  ///< login: another OAuth error (invalid_scope, invalid_grant ...): settings
    unusable,          ///< an answer that makes no sense here
  };
  Kind kind = Kind::none;
  std::string error_code;      ///< "bad.credentials", "invalid_client" ...; may be empty
  std::string description;     ///< the server's own words, at most 200 visible characters
  std::string correlation_id;  ///< ININ-Correlation-Id, Genesys-Correlation-Id or contextId
  std::vector<std::string> permissions;  ///< that a 403 names
  std::optional<Duration> retry_after;   ///< >= 0
  /// Who seems to have answered, if that may be something in front of the host: its page title, its
  /// Server, the schemes that it requests. May be empty.
  std::string gateway;
  bool page = false;           ///< HTML or plain text, and no Bearer challenge
  bool no_token_seen = false;  ///< the host says that no token arrived
};

/// How a platform words token requests and errors. Stateless; thread-safe.
class Dialect {
 public:
  virtual ~Dialect() = default;
  /// The token request to `token_url` (RFC 6749 section 4.4.2).
  [[nodiscard]] virtual HttpRequest request(const Grant& grant,
                                            std::string_view token_url) const = 0;
  /// Reads a 2xx of the token endpoint. The error names the field that is wrong; if the answer is
  /// an OAuth error anyway, login_refusal() classifies it.
  [[nodiscard]] virtual Result<TokenAnswer> token(const clocks::Answer& answer) const = 0;
  /// Classifies an answer of the token endpoint without a token, whatever its status.
  [[nodiscard]] virtual Refusal login_refusal(const Exchange& exchange) const = 0;
  /// Classifies any answer of the API host; `path` is that of the request. Kind::none if this error
  /// is not about the token. `managed`: the token has no user (client credentials).
  [[nodiscard]] virtual Refusal api_refusal(const Exchange& exchange, std::string_view path,
                                            bool managed) const = 0;
};

}  // namespace skewguard::oauth
