#pragma once

#include "oauth/dialect.hpp"
#include "skewguard/http.hpp"
#include "skewguard/result.hpp"

namespace skewguard::oauth {

/// A token answer has a few kilobytes; a longer one is rejected unread.
inline constexpr std::size_t kMaxTokenAnswerBytes = std::size_t{256} * 1024;

/// Reads a 2xx of a token endpoint (RFC 6749 section 5.1), whatever its Content-Type: a JSON
/// object, a nested one, or a form. Unknown fields are ignored. A missing token_type counts as
/// Bearer, and so does any type that is not another scheme. An `expires_in` that is not a number is
/// an error, unless the token is a JWT whose claims give its lifetime; an impossible one is
/// ignored. The error (kind protocol) names the field that is wrong, or what came instead, and
/// never shows the token.
Result<TokenAnswer> token_answer(const clocks::Answer& from);

}  // namespace skewguard::oauth
