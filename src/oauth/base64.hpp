#pragma once

#include <optional>
#include <string_view>

#include "base/secret_text.hpp"

namespace skewguard::oauth {

/// RFC 4648 section 4, with padding.
SecretText base64_encode(std::string_view bytes);

/// RFC 4648 section 5, without padding (RFC 7515 section 2). Empty if `text` is anything else.
std::optional<SecretText> base64url_decode(std::string_view text);

}  // namespace skewguard::oauth
