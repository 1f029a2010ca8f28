#pragma once

#include <string_view>

namespace skewguard::oauth {

/// Whether these words of an API, beside `status`, say that the access token has expired, is
/// invalid, or was revoked: "The access token expired", "TokenExpiredError", "jwt expired". Other
/// things expire too (a page token, a CSRF token, a license), so whole words are read, and whose
/// token it is. A 400 is about the request as a rule: there "token" alone must be the access token,
/// and not some parameter. Linear in the text.
bool names_bad_token(std::string_view text, int status);

}  // namespace skewguard::oauth
