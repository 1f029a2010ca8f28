#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text for people, broken at blanks to the width of what shows it.
namespace skewguard::cli {

/// A width that breaks no line: of a file or a pipe, where whole sentences are searched for.
inline constexpr std::size_t kUnbroken = std::size_t{1} << 20U;

/// What standard output is read on.
struct Screen {
  std::size_t columns = kUnbroken;
  bool terminal = false;  ///< rather than a file or a pipe
  bool color = false;
};

/// `text` in one of the terminal's colors (a parameter of SGR, ECMA-48 section 8.3.117), where it
/// has colors.
std::string colored(std::string_view text, std::string_view sgr, const Screen& screen);
inline constexpr std::string_view kRed = "31", kGreen = "32", kYellow = "33", kFaint = "2",
                                  kBold = "1";

/// Columns that `text` takes, as UTF-8: its characters, each one column wide.
std::size_t columns_of(std::string_view text) noexcept;

/// `text` broken at its blanks into lines of at most `width` columns, without a newline at the end.
/// The first line is taken to begin at column `indent`, the others are indented to it. A word that
/// is longer than a line stays whole.
std::string wrapped(std::string_view text, std::size_t indent, std::size_t width);

/// `left`, and `right` in a column beside it, wrapped; on lines of its own below `left` where the
/// one is too long or `width` too small. Ends with a newline.
std::string entry(std::string_view left, std::string_view right, std::size_t width);

}  // namespace skewguard::cli
