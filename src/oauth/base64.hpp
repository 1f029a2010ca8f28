#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace skewguard::oauth {

/// RFC 4648 section 4, with padding.
std::string base64_encode(std::string_view bytes);

/// RFC 4648 section 5, without padding (RFC 7515 section 2). Nothing where `text` is anything else.
std::optional<std::string> base64url_decode(std::string_view text);

}  // namespace skewguard::oauth
