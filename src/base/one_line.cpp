#include "base/one_line.hpp"

#include <algorithm>
#include <array>

#include "base/utf8.hpp"

namespace skewguard {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

constexpr std::array<Range, 3> kBlanks{{{0x00, 0x20}, {0x7F, 0xA0}, {0x2028, 0x2029}}};
/// Unicode's Bidi_Control, and invisible characters: the rest of U+206x, annotations, tags.
constexpr std::array<Range, 6> kHidden{{{0x061C, 0x061C},
                                        {0x200E, 0x200F},
                                        {0x202A, 0x202E},
                                        {0x2060, 0x206F},
                                        {0xFFF9, 0xFFFB},
                                        {0xE0000, 0xE0FFF}}};

template <std::size_t N>
bool within(const std::array<Range, N>& ranges, char32_t c) noexcept {
  return std::ranges::any_of(ranges, [c](Range r) { return r.first <= c && c <= r.last; });
}

/// Calls `take` with each character of `text`, replaced if it is not safe to show.
template <typename Take>
void each_harmless(std::string_view text, Take take) {
  while (!text.empty()) {
    const auto character = first_utf8_character(text);
    const std::size_t size = character ? character->size : 1;
    if (character && within(kBlanks, character->code)) {
      take(std::string_view(" "));
    } else if (!character || within(kHidden, character->code)) {
      take(std::string_view("?"));
    } else {
      take(text.substr(0, size));
    }
    text.remove_prefix(size);
  }
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  each_harmless(text, [&](std::string_view shown) { out.append(shown); });
  return out;
}

std::string quotable(std::string_view text, std::size_t max) {
  std::string out;
  std::size_t characters = 0;
  bool blank = false;  // precedes the next word
  each_harmless(text, [&](std::string_view shown) {
    if (shown == " ") {
      blank = !out.empty();
    } else if (characters <= max) {
      characters += blank ? 2 : 1;
      if (characters <= max) out.append(blank ? " " : "").append(shown);
      blank = false;
    }
  });
  return characters > max ? out + "..." : out;
}

}  // namespace skewguard
