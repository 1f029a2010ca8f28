#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace skewguard {

/// Untrusted text, made safe for one line on a terminal or in a log: UTF-8 without control
/// characters. Control characters and line breaks (C0, C1, U+2028, U+2029) become spaces;
/// characters that change the writing direction or hide text, and bytes that are not UTF-8, become
/// '?'.
std::string one_line(std::string_view text);

/// The same, trimmed, with runs of spaces collapsed, and truncated to `max` characters plus "...".
std::string quotable(std::string_view text, std::size_t max);

}  // namespace skewguard
