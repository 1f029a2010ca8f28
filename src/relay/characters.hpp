#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>

/// Which bytes may stand where (RFC 9110 section 5.6, RFC 3986).
namespace skewguard::relay {

namespace detail {

inline constexpr std::uint8_t kToken = 1;
inline constexpr std::uint8_t kTarget = 2;
inline constexpr std::uint8_t kHost = 4;

constexpr std::array<std::uint8_t, 256> make_classes() noexcept {
  std::array<std::uint8_t, 256> classes{};
  for (unsigned c = 0x21; c < 0x7f; ++c)
    if (c != '#') classes[c] |= kTarget;
  for (unsigned c = '0'; c <= '9'; ++c) classes[c] |= kToken | kHost;
  for (unsigned c = 'a'; c <= 'z'; ++c) classes[c] |= kToken | kHost;
  for (unsigned c = 'A'; c <= 'Z'; ++c) classes[c] |= kToken | kHost;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~"))
    classes[static_cast<unsigned char>(c)] |= kToken;
  for (const char c : std::string_view("-._")) classes[static_cast<unsigned char>(c)] |= kHost;
  return classes;
}
inline constexpr std::array<std::uint8_t, 256> kClasses = make_classes();

constexpr bool is(char c, std::uint8_t kind) noexcept {
  return (kClasses[static_cast<unsigned char>(c)] & kind) != 0;
}

}  // namespace detail

/// tchar.
constexpr bool token_character(char c) noexcept {
  return detail::is(c, detail::kToken);
}
/// Visible ASCII except '#', which would begin a fragment.
constexpr bool target_character(char c) noexcept {
  return detail::is(c, detail::kTarget);
}
/// Letters, digits and "-._": what names of hosts consist of.
constexpr bool host_character(char c) noexcept {
  return detail::is(c, detail::kHost);
}
constexpr bool digit(char c) noexcept {
  return c >= '0' && c <= '9';
}
/// 0..15, or -1.
constexpr int hex_value(char c) noexcept {
  if (digit(c)) return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/// Whether `text` is free of control characters other than tab. Bytes over 127 may occur
/// (obs-text).
inline bool field_text(std::string_view text) noexcept {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighs = kOnes * 0x80U;
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= sizeof(std::uint64_t);
       at += sizeof(std::uint64_t), left -= sizeof(std::uint64_t)) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, at, sizeof(eight));
    const std::uint64_t low = (eight - kOnes * 0x20U) & ~eight & kHighs;  // a byte under 0x20
    const std::uint64_t del = eight ^ (kOnes * 0x7fU);
    if ((low | ((del - kOnes) & ~del & kHighs)) != 0) break;  // looked at closely below
  }
  for (; left > 0; ++at, --left) {
    const auto c = static_cast<unsigned char>(*at);
    if ((c < 0x20 && c != '\t') || c == 0x7f) return false;
  }
  return true;
}

}  // namespace skewguard::relay
