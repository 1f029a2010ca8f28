#pragma once

#include "oauth/dialect.hpp"
#include "skewguard/http.hpp"
#include "skewguard/result.hpp"

namespace skewguard::oauth {

/// A token answer is a few kilobytes; a longer one is refused unread.
inline constexpr std::size_t kMaxTokenAnswerBytes = std::size_t{256} * 1024;

/// Reads a 2xx of a token endpoint (RFC 6749 section 5.1), whatever its Content-Type says: a JSON
/// object, one inside it, or a form. Unknown fields are ignored. A missing token_type counts as
/// Bearer, and so does any but those of other schemes. An `expires_in` that is no number is an
/// error, unless the token is a JWT whose own claims tell its life; one that no token can live for
/// is not believed. The error (kind protocol) names the field that is wrong, or what came instead,
/// and never shows the token.
Result<TokenAnswer> token_answer(const clocks::Answer& from);

}  // namespace skewguard::oauth
