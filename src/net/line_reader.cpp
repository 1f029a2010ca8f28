#include "net/line_reader.hpp"

#include <algorithm>

namespace skewguard::net {
namespace {

/// RFC 9110 section 5.5: visible characters, blanks, and bytes of other character sets.
constexpr bool fits_in_line(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
}

}  // namespace

LineReader::Found LineReader::take(std::string_view& bytes) {
  if (whole_) text_.resize(0);
  whole_ = false;
  const auto end = bytes.find('\n');
  const auto wanted = end == std::string_view::npos ? bytes.size() : end + 1;
  const auto part = bytes.substr(0, std::min(wanted, limit_ - size_));
  bytes.remove_prefix(part.size());
  size_ += part.size();
  whole_ = part.ends_with('\n');
  auto text = part.substr(0, part.size() - (whole_ ? 1 : 0));
  if (after_cr_ && !text.empty()) return Found::bad_byte;
  if (!text.empty()) after_cr_ = text.ends_with('\r');
  if (text.ends_with('\r')) text.remove_suffix(1);
  const auto* const bad = std::ranges::find_if_not(text, fits_in_line);
  text_.append(text.substr(0, static_cast<std::size_t>(bad - text.begin())));
  if (bad != text.end()) return Found::bad_byte;
  if (!whole_) return part.size() < wanted ? Found::over : Found::more;
  bare_lf_ = !after_cr_;
  after_cr_ = false;
  return Found::line;
}

}  // namespace skewguard::net
