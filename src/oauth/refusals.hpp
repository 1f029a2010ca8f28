#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "oauth/dialect.hpp"
#include "skewguard/http.hpp"

/// What every dialect reads alike in an answer that is not a plain success.
namespace skewguard::oauth {

/// A stranger's words as they may stand in a message or a log, on one line (base/one_line.hpp): at
/// most `most` characters, "..." where there were more.
std::string visible(std::string_view text, std::size_t most = 200);

/// The id under which the server's people find this answer, from the headers; may be empty.
std::string correlation_id(const Headers& headers);

/// scheme://host[:port] of an answer's Location, or the path if it stays on the host; visible.
std::string redirect_target(const Headers& headers);

/// 300..399 but for 304, which redirects nowhere.
bool is_redirect(int status) noexcept;

/// `error` and its description in the body of a token endpoint (RFC 6749 section 5.2; some say
/// `description`). Nothing where the body is no JSON object with a string `error`.
struct OAuthError {
  std::string error;
  std::string description;
};
std::optional<OAuthError> oauth_error(std::string_view body);

/// Sorts an answer of a token endpoint that is not 2xx, by RFC 6749 section 5.2, the status, and
/// Retry-After. `invalid_client` is credentials_rejected: the RFC does not tell why.
Refusal token_endpoint_refusal(const Exchange& exchange);

/// Sorts an answer of a protected resource by RFC 6750 section 3 and the status.
Refusal bearer_refusal(const Exchange& exchange);

}  // namespace skewguard::oauth
