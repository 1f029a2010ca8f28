#pragma once

#include <string>
#include <string_view>

namespace skewguard::store {

/// SHA-256 in lower-case hex, 64 characters.
std::string sha256_hex(std::string_view text);

}  // namespace skewguard::store
