#pragma once

#include <string_view>

namespace skewguard::oauth {

/// Whether these words of an API, with `status`, say that the access token has expired, is invalid,
/// or was revoked: "The access token expired", "TokenExpiredError", "jwt expired". Other things
/// expire too (a page token, a CSRF token, a license), so it looks at whole words, and at which
/// token is meant. A 400 is usually about the request: there, the text must name the access token,
/// not just a "token", which may be a parameter. Linear in the text.
bool names_bad_token(std::string_view text, int status);

}  // namespace skewguard::oauth
