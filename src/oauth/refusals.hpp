#pragma once

#include <string>

#include "oauth/answer_body.hpp"
#include "oauth/dialect.hpp"
#include "oauth/visible.hpp"
#include "skewguard/http.hpp"

/// What every dialect reads alike in an answer that is not a plain success.
namespace skewguard::oauth {

/// The id under which the server's people find this answer, from the headers; may be empty.
std::string correlation_id(const Headers& headers);

/// scheme://host[:port] of an answer's Location, or the path if it stays on the host; visible.
std::string redirect_target(const Headers& headers);

/// 300..399 but for 304, which redirects nowhere.
bool is_redirect(int status) noexcept;

/// Sorts an answer of a token endpoint that gave no token, by RFC 6749 section 5.2, the status, and
/// Retry-After: an OAuth error is one whatever the status. `invalid_client` is
/// credentials_rejected: the RFC does not tell why.
Refusal token_endpoint_refusal(const Exchange& exchange);

/// How an API words its errors: what a 403 of its own looks like.
enum class ErrorFormat {
  any_json,    ///< an object or an array
  coded_json,  ///< an object, or the first one of an array, that has a code
};

/// Sorts an answer of a protected resource by RFC 6750 section 3, the status, and what its `body`
/// says (the body of this exchange, read).
Refusal bearer_refusal(const Exchange& exchange, const AnswerBody& body, ErrorFormat format);

}  // namespace skewguard::oauth
