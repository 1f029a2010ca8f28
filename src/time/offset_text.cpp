#include "time/offset_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace skewguard::time {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

/// As many decimal places of a second, or of a millisecond, as a width justifies.
struct Figures {
  bool in_ms = false;
  int places = 1;
};

Figures figures(Duration largest, Duration width) {
  const bool small = largest < seconds{1} && width < milliseconds{100};
  if (small) return {.in_ms = true, .places = width < milliseconds{10} ? 2 : 1};
  if (width >= seconds{1} || largest >= std::chrono::hours{24}) return {.places = 1};
  if (width >= milliseconds{100}) return {.places = 2};
  return {.places = width >= milliseconds{1} ? 3 : 4};
}

std::string number(Duration offset, Figures as, bool sign) {
  double value = static_cast<double>(offset.count()) / (as.in_ms ? 1e6 : 1e9);
  if (std::abs(value) < 0.5 * std::pow(10, -as.places)) value = 0;  // and not "-0.0"
  std::array<char, 40> digits{};                                    // at most "-9223372036.8548"
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value,
                                 std::chars_format::fixed, as.places);
  const std::string text(digits.data(), end.ptr);
  return sign && value >= 0 ? "+" + text : text;
}

const char* unit(Figures as) {
  return as.in_ms ? " ms" : " s";
}

Duration largest(const OffsetBound& bound) {
  return std::max(std::max(bound.low, -bound.low), std::max(bound.high, -bound.high));
}

}  // namespace

std::string offset_text(Duration offset, Duration width) {
  const Figures as = figures(std::max(offset, -offset), width);
  return number(offset, as, true) + unit(as);
}

std::string bounds_text(const OffsetBound& bound) {
  const Figures as = figures(largest(bound), bound.width());
  return number(bound.low, as, true) + " to " + number(bound.high, as, true) + unit(as);
}

std::string size_range_text(const OffsetBound& bound) {
  const Figures as = figures(largest(bound), bound.width());
  return number(bound.low, as, false) + " to " + number(bound.high, as, false) + unit(as);
}

std::string hours_hint(const OffsetBound& bound) {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  constexpr Duration kHalf = minutes{30};
  constexpr Duration kNear = seconds{10};
  const Duration size = std::max(bound.middle(), -bound.middle());
  const auto halves = (size + kHalf / 2) / kHalf;
  const Duration off = size - halves * kHalf;
  if (halves == 0 || size > hours{15} || bound.width() > 2 * kNear || off > kNear || off < -kNear)
    return "";
  return std::string("; ") + (halves % 2 == 0 ? "whole" : "half") +
         " hours point to a time zone, daylight saving, or a hardware clock that keeps local time";
}

}  // namespace skewguard::time
