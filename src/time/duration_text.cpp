#include "time/duration_text.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace skewguard::time {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kSecond = 1'000'000'000;  // in ns, as all units here
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kYear = 365 * kDay + kDay / 4;
constexpr std::int64_t kLongest = 100 * kYear;

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
constexpr std::array<Unit, 8> kUnits{{{"", kSecond},
                                      {"ns", 1},
                                      {"us", 1'000},
                                      {"ms", 1'000'000},
                                      {"s", kSecond},
                                      {"m", kMinute},
                                      {"h", kHour},
                                      {"d", kDay}}};

/// Removes the leading digits from `text` and returns them.
std::string_view take_digits(std::string_view& text) noexcept {
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  const std::string_view digits = text.substr(0, end);
  text.remove_prefix(end);
  return digits;
}

/// The number, or empty if it exceeds `max`.
std::optional<std::int64_t> number(std::string_view digits, std::int64_t max) noexcept {
  std::int64_t value = 0;
  for (const char digit : digits) {
    const std::int64_t d = digit - '0';
    if (value > (max - d) / 10) return std::nullopt;
    value = value * 10 + d;
  }
  return value;
}

/// The decimal places as billionths; digits after the ninth are ignored.
std::int64_t billionths(std::string_view digits) noexcept {
  std::int64_t value = 0;
  for (std::size_t i = 0; i < 9; ++i)
    value = value * 10 + (i < digits.size() ? digits[i] - '0' : 0);
  return value;
}

/// `part` billionths of a unit, rounded down.
constexpr std::int64_t part_of(const Unit& unit, std::int64_t part) noexcept {
  return unit.ns >= kSecond ? part * (unit.ns / kSecond) : part / (kSecond / unit.ns);
}

std::string with_unit(std::uint64_t count, std::string_view unit) {
  return std::to_string(count).append(" ").append(unit);
}

std::string tenths_of(std::uint64_t tenths, std::string_view unit) {
  return std::to_string(tenths / 10).append(".").append(with_unit(tenths % 10, unit));
}

constexpr std::uint64_t rounded(std::uint64_t value, std::uint64_t unit) noexcept {
  return value / unit + (value % unit >= unit - unit / 2 ? 1 : 0);
}

/// "2 h 5 min", or "2 h" if the smaller part is 0.
std::string in_two(std::uint64_t count, std::uint64_t per_great, std::string_view great,
                   std::string_view small) {
  std::string text = with_unit(count / per_great, great);
  if (count % per_great != 0) text.append(" ").append(with_unit(count % per_great, small));
  return text;
}

/// Each step handles durations that, once rounded, have at most four digits in its unit.
std::string human_magnitude(std::uint64_t ns) {
  if (ns == 0) return "0 s";
  if (ns < 1000) return with_unit(ns, "ns");
  constexpr std::array<Unit, 3> kDecimal{{{"us", 1'000}, {"ms", 1'000'000}, {"s", kSecond}}};
  for (const auto& unit : kDecimal) {
    const std::uint64_t tenths = rounded(ns, static_cast<std::uint64_t>(unit.ns) / 10);
    if (tenths < 10'000) return tenths_of(tenths, unit.name);
  }
  if (const auto s = rounded(ns, kSecond); s < 3600) return in_two(s, 60, "min", "s");
  if (const auto min = rounded(ns, kMinute); min < 24 * 60) return in_two(min, 60, "h", "min");
  if (const auto h = rounded(ns, kHour); h < 1000 * 24) return in_two(h, 24, "d", "h");
  return tenths_of(rounded(ns, kYear / 10), "years");
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const std::string_view whole = take_digits(text);
  if (whole.empty()) return std::nullopt;
  std::string_view places;
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    places = take_digits(text);
    if (places.empty()) return std::nullopt;
  }
  const auto* const unit = std::ranges::find(kUnits, text, &Unit::name);
  if (unit == kUnits.end()) return std::nullopt;
  const auto count = number(whole, kLongest / unit->ns);
  if (!count) return std::nullopt;
  const std::int64_t ns = *count * unit->ns + part_of(*unit, billionths(places));
  if (ns > kLongest) return std::nullopt;
  return Duration{negative ? -ns : ns};
}

std::string setting_text(Duration duration) {
  constexpr std::array<Unit, 6> kWhole{
      {{"h", kHour}, {"m", kMinute}, {"s", kSecond}, {"ms", 1'000'000}, {"us", 1'000}, {"ns", 1}}};
  if (duration == Duration{0}) return "0s";
  const auto* const unit = std::ranges::find_if(
      kWhole, [&](const Unit& each) { return duration.count() % each.ns == 0; });
  return std::to_string(duration.count() / unit->ns).append(unit->name);
}

std::string human(Duration duration) {
  const auto bits = static_cast<std::uint64_t>(duration.count());
  if (duration < Duration{0}) return "-" + human_magnitude(std::uint64_t{0} - bits);
  return human_magnitude(bits);
}

}  // namespace skewguard::time
