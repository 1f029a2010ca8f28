#pragma once

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "base/strings.hpp"
#include "cli/conclude.hpp"
#include "skewguard/error.hpp"
#include "skewguard/time.hpp"

/// Reads the values of flags that only one command has. Each function leaves `into` as it is if the
/// flag was not given; the error names the flag.
namespace skewguard::cli {

std::optional<Error> read_duration(const char* flag, const std::optional<std::string>& text,
                                   Duration& into);

template <typename Number>
std::optional<Error> read_number(const char* flag, const std::optional<std::string>& text,
                                 Number& into) {
  if (!text) return std::nullopt;
  const std::string_view digits = trim(*text);
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
  if (error == std::errc{} && end == digits.data() + digits.size()) return std::nullopt;
  return usage_error(std::string(flag) + " is not a number, or out of range",
                     "see the command's --help");
}

}  // namespace skewguard::cli
