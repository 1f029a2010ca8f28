#include "cli/layout.hpp"

#include <algorithm>

namespace skewguard::cli {

std::string colored(std::string_view text, std::string_view sgr, const Screen& screen) {
  if (!screen.color) return std::string(text);
  return std::string("\x1b[").append(sgr).append("m").append(text).append("\x1b[0m");
}

std::size_t columns_of(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;  // RFC 3629: no continuation byte
  }));
}

std::string wrapped(std::string_view text, std::size_t indent, std::size_t width) {
  std::string out;
  std::size_t column = indent;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    const std::size_t columns = columns_of(word);
    if (column > indent && column + 1 + columns > width) {
      out.append("\n").append(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out.append(" ");
      ++column;
    }
    out.append(word);
    column += columns;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::string entry(std::string_view left, std::string_view right, std::size_t width) {
  constexpr std::size_t kColumn = 30;  // where `right` starts
  constexpr std::size_t kNarrow = 60;  // columns; below there is no room for two of them
  constexpr std::size_t kBelow = 6;
  const std::size_t column = width < kNarrow ? kBelow : kColumn;
  const std::size_t taken = 2 + columns_of(left);
  std::string text = "  " + wrapped(left, 2, width);
  if (right.empty()) return text + "\n";
  if (width < kNarrow || taken + 1 > kColumn) {
    text.append("\n").append(column, ' ');
  } else {
    text.append(kColumn - taken, ' ');
  }
  return text.append(wrapped(right, column, width)).append("\n");
}

}  // namespace skewguard::cli
