#include "store/digest.hpp"

#include <openssl/sha.h>

#include <array>
#include <charconv>

namespace skewguard::store {
namespace {
constexpr std::string_view kHexDigits = "0123456789abcdef";
}

std::string sha256_hex(std::string_view text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::string hex;
  hex.reserve(2 * digest.size());
  for (const unsigned char byte : digest) {
    hex += kHexDigits[byte >> 4U];
    hex += kHexDigits[byte & 15U];
  }
  return hex;
}

std::uint64_t id_of_text(std::string_view text) {
  const std::string hex = sha256_hex(text);
  std::uint64_t id = 0;
  std::from_chars(hex.data(), hex.data() + 16, id, 16);
  return id == 0 ? 1 : id;
}

std::string hex_digits(std::uint64_t number) {
  std::string hex(16, '0');
  for (auto digit = hex.rbegin(); digit != hex.rend(); ++digit, number >>= 4U)
    *digit = kHexDigits[number & 15U];
  return hex;
}

bool only_hex_digits(std::string_view text) {
  return text.find_first_not_of(kHexDigits) == std::string_view::npos;
}

}  // namespace skewguard::store
