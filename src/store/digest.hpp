#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace skewguard::store {

/// SHA-256 in lower-case hex, 64 characters.
std::string sha256_hex(std::string_view text);

/// The first 64 bits of the SHA-256 digest; never 0. Identifies the text in every process.
std::uint64_t id_of_text(std::string_view text);

/// 16 lower-case hex digits.
std::string hex_digits(std::uint64_t number);

/// Whether all characters are lower-case hex digits.
bool only_hex_digits(std::string_view text);

}  // namespace skewguard::store
