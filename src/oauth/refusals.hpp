#pragma once

#include <string>

#include "oauth/answer_body.hpp"
#include "oauth/dialect.hpp"
#include "oauth/visible.hpp"
#include "skewguard/http.hpp"

/// What all dialects read in the same way in an answer that is not a plain success.
namespace skewguard::oauth {

/// The id under which the server's operators can find this answer, from the headers; may be empty.
std::string correlation_id(const Headers& headers);

/// scheme://host[:port] of an answer's Location, or the path if it stays on the host; visible.
std::string redirect_target(const Headers& headers);

/// 300..399 but for 304, which redirects nowhere.
bool is_redirect(int status) noexcept;

/// Classifies an answer of a token endpoint without a token by RFC 6749 section 5.2, the status,
/// and Retry-After: an OAuth error counts whatever the status. `invalid_client` is
/// credentials_rejected: the RFC does not say why.
Refusal token_endpoint_refusal(const Exchange& exchange);

/// How an API formats its errors: what its own 403 looks like.
enum class ErrorFormat {
  any_json,    ///< an object or an array
  coded_json,  ///< an object, or the first one of an array, that has a code
};

/// Classifies an answer of a protected resource by RFC 6750 section 3, the status, and the content
/// of its `body`.
Refusal bearer_refusal(const Exchange& exchange, const AnswerBody& body, ErrorFormat format);

}  // namespace skewguard::oauth
