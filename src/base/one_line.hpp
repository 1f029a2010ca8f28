#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace skewguard {

/// A stranger's text as it may stand on a terminal or in a log, on one line: UTF-8 in which nothing
/// steers what shows it. Controls and line breaks (C0, C1, U+2028, U+2029) become blanks; what
/// turns the direction of writing or hides text, and bytes that are not UTF-8, become '?'.
std::string one_line(std::string_view text);

/// The same, blanks at the ends left out and others joined, and at most `most` characters of it:
/// "..." where it was longer.
std::string quotable(std::string_view text, std::size_t most);

}  // namespace skewguard
