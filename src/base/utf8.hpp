#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace skewguard {

struct Utf8Character {
  char32_t code = 0;
  std::size_t size = 1;  ///< bytes
};

/// The first character of `text`, which must not be empty; empty if it is not well-formed UTF-8
/// (RFC 3629).
std::optional<Utf8Character> first_utf8_character(std::string_view text) noexcept;

}  // namespace skewguard
