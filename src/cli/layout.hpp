#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text wrapped to the width of the terminal.
namespace skewguard::cli {

/// The width for a file or a pipe: lines are not wrapped, so that whole sentences can be searched
/// for.
inline constexpr std::size_t kUnbroken = std::size_t{1} << 20U;

/// Where standard output goes.
struct Screen {
  std::size_t columns = kUnbroken;
  bool terminal = false;  ///< rather than a file or a pipe
  bool color = false;
};

/// `text` in a color (a parameter of SGR, ECMA-48 section 8.3.117), if the terminal has colors.
std::string colored(std::string_view text, std::string_view sgr, const Screen& screen);
inline constexpr std::string_view kRed = "31", kGreen = "32", kYellow = "33", kFaint = "2",
                                  kBold = "1";

/// The number of columns of `text` (UTF-8), one per character.
std::size_t columns_of(std::string_view text) noexcept;

/// Wraps `text` at spaces into lines of at most `width` columns, without a newline at the end. The
/// first line is assumed to start at column `indent`; the others are indented to it. Words longer
/// than a line are not split.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

/// `left`, and `right` wrapped in a column beside it, or below it if `left` is too long or `width`
/// too small. Ends with a newline.
std::string entry(std::string_view left, std::string_view right, std::size_t width);

}  // namespace skewguard::cli
