#include "oauth/base64.hpp"

#include <array>
#include <cstdint>

namespace skewguard::oauth {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

constexpr std::uint8_t kNotBase64 = 0xff;

/// The six bits of a base64url character.
constexpr std::array<std::uint8_t, 256> url_values() {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNotBase64);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    const char c = i == 62 ? '-' : i == 63 ? '_' : kAlphabet[i];
    values[static_cast<unsigned char>(c)] = static_cast<std::uint8_t>(i);
  }
  return values;
}

}  // namespace

SecretText base64_encode(std::string_view bytes) {
  SecretText out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8U | (k < n ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out.append(k <= n ? kAlphabet[group >> (18U - 6U * k) & 63U] : '=');
    }
  }
  return out;
}

std::optional<SecretText> base64url_decode(std::string_view text) {
  static constexpr auto kValues = url_values();
  if (text.size() % 4 == 1) return std::nullopt;
  SecretText out;
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t group = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::uint8_t value = kValues[static_cast<unsigned char>(c)];
    if (value == kNotBase64) return std::nullopt;
    group = (group << 6U | value) & 0xffffU;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out.append(static_cast<char>(group >> bits & 0xffU));
  }
  return out;
}

}  // namespace skewguard::oauth
