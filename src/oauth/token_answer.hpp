#pragma once

#include "oauth/dialect.hpp"
#include "skewguard/http.hpp"
#include "skewguard/result.hpp"

namespace skewguard::oauth {

/// A token answer is a few kilobytes; a longer one is refused unread.
inline constexpr std::size_t kMaxTokenAnswerBytes = std::size_t{1024} * 1024;

/// Reads a 2xx of a token endpoint (RFC 6749 section 5.1), whatever its Content-Type says. Unknown
/// fields are ignored; a missing token_type counts as Bearer. An `expires_in` that makes no sense
/// is an error, unless the token is a JWT whose own claims tell its life. The error (kind protocol)
/// names the field that is wrong, or what came instead, and never shows the token.
Result<TokenAnswer> token_answer(const Exchange& exchange);

}  // namespace skewguard::oauth
