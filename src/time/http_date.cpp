#include "time/http_date.hpp"

#include <algorithm>
#include <array>
#include <tuple>

namespace skewguard::time {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr auto kDays =
    std::to_array<std::string_view>({"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"});
constexpr auto kLongDays = std::to_array<std::string_view>(
    {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"});
constexpr auto kMonths = std::to_array<std::string_view>(
    {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"});

constexpr year_month_day date_of(int year, unsigned month, unsigned day) noexcept {
  return {std::chrono::year{year}, std::chrono::month{month}, std::chrono::day{day}};
}
constexpr seconds kEarliest = sys_days{date_of(0, 1, 1)}.time_since_epoch();
constexpr seconds kLatest =
    sys_days{date_of(9999, 12, 31)}.time_since_epoch() + days{1} - seconds{1};

/// The fields of a date, not validated yet.
struct Fields {
  unsigned weekday = 0;  ///< 0 = Sunday
  int year = 0;
  unsigned month = 0;  ///< 1..12
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
};

/// Consumes a text from the left; each function returns whether it found what it expects.
class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  bool literal(std::string_view expected) noexcept {
    if (!rest_.starts_with(expected)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  /// The same, ignoring case. `expected`: upper case.
  bool word(std::string_view expected) noexcept {
    const auto capital = [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    };
    if (!std::ranges::equal(rest_.substr(0, expected.size()), expected, {}, capital)) return false;
    rest_.remove_prefix(expected.size());
    return true;
  }

  /// Exactly `count` digits.
  template <typename Number>
  bool digits(std::size_t count, Number& value) noexcept {
    if (rest_.size() < count) return false;
    value = 0;
    for (const char c : rest_.substr(0, count)) {
      if (c < '0' || c > '9') return false;
      value = value * 10 + static_cast<Number>(c - '0');
    }
    rest_.remove_prefix(count);
    return true;
  }

  /// One of `names`; `value` is its place.
  bool name(const auto& names, unsigned& value) noexcept {
    for (value = 0; value < names.size(); ++value) {
      if (literal(names[value])) return true;
    }
    return false;
  }

  bool month(unsigned& value) noexcept {
    if (!name(kMonths, value)) return false;
    ++value;
    return true;
  }

  bool time_of_day(Fields& f) noexcept {
    return digits(2, f.hour) && literal(":") && digits(2, f.minute) && literal(":") &&
           digits(2, f.second);
  }

  [[nodiscard]] bool at_end() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
};

/// "Sun, 06 Nov 1994 08:49:37 GMT"
bool read_imf_fixdate(Reader in, Fields& f) noexcept {
  return in.name(kDays, f.weekday) && in.literal(", ") && in.digits(2, f.day) && in.literal(" ") &&
         in.month(f.month) && in.literal(" ") && in.digits(4, f.year) && in.literal(" ") &&
         in.time_of_day(f) && in.literal(" GMT") && in.at_end();
}

/// "Sunday, 06-Nov-94 08:49:37 ", and leaves its zone; the year is left at 0..99.
bool read_rfc850_stem(Reader& in, Fields& f) noexcept {
  return in.name(kLongDays, f.weekday) && in.literal(", ") && in.digits(2, f.day) &&
         in.literal("-") && in.month(f.month) && in.literal("-") && in.digits(2, f.year) &&
         in.literal(" ") && in.time_of_day(f) && in.literal(" ");
}

/// "Sunday, 06-Nov-94 08:49:37 GMT"; the year is left at 0..99.
bool read_rfc850_date(Reader in, Fields& f) noexcept {
  return read_rfc850_stem(in, f) && in.literal("GMT") && in.at_end();
}

/// "Sun Nov  6 08:49:37 1994"
bool read_asctime_date(Reader in, Fields& f) noexcept {
  return in.name(kDays, f.weekday) && in.literal(" ") && in.month(f.month) && in.literal(" ") &&
         (in.literal(" ") ? in.digits(1, f.day) : in.digits(2, f.day)) && in.literal(" ") &&
         in.time_of_day(f) && in.literal(" ") && in.digits(4, f.year) && in.at_end();
}

/// "+0200", "+02:00", "+2", "-05": east of Greenwich.
bool read_offset(Reader& in, seconds& east) noexcept {
  const bool west = in.literal("-");
  if (!west && !in.literal("+")) return false;
  int hours = 0;
  int minutes = 0;
  const bool two = in.digits(2, hours);
  if (!two && !in.digits(1, hours)) return false;
  if (two && !in.at_end()) {
    std::ignore = in.literal(":");
    if (!in.digits(2, minutes)) return false;
  }
  if (hours > 14 || minutes > 59) return false;
  east = std::chrono::hours{hours} + std::chrono::minutes{minutes};
  if (west) east = -east;
  return true;
}

/// "GMT", "utc", "Z", "+0000", "+0000 (UTC)", "GMT+2"
bool read_zone(Reader& in, seconds& east) noexcept {
  for (const std::string_view same : {"+0000 (UTC)", "+0000 (GMT)"})
    if (in.literal(same)) return in.at_end();
  const bool named = in.word("GMT") || in.word("UTC") || in.word("UT") || in.word("Z");
  if (named && in.at_end()) return true;
  return read_offset(in, east) && in.at_end();
}

/// "Sun, 06 Nov 1994 08:49:37 GMT" with any weekday or none, a day of one digit, any numeric zone.
bool read_loose_date(Reader in, Fields& f, seconds& east) noexcept {
  if (in.name(kLongDays, f.weekday) || in.name(kDays, f.weekday)) {
    std::ignore = in.literal(",");
    if (!in.literal(" ")) return false;
  }
  if (!in.digits(2, f.day) && !in.digits(1, f.day)) return false;
  return in.literal(" ") && in.month(f.month) && in.literal(" ") && in.digits(4, f.year) &&
         in.literal(" ") && in.time_of_day(f) && in.literal(" ") && read_zone(in, east);
}

/// "1994-11-06T08:49:37Z" (RFC 3339); a fraction of a second is dropped.
bool read_rfc3339_date(Reader in, Fields& f, seconds& east) noexcept {
  if (!in.digits(4, f.year) || !in.literal("-") || !in.digits(2, f.month) || !in.literal("-") ||
      !in.digits(2, f.day) || !in.word("T") || !in.time_of_day(f)) {
    return false;
  }
  if (in.literal(".")) {
    int digit = 0;
    if (!in.digits(1, digit)) return false;
    while (in.digits(1, digit)) continue;
  }
  return (in.word("Z") && in.at_end()) || (read_offset(in, east) && in.at_end());
}

/// Days, and seconds of the last day, of a time clamped to the years 0..9999.
struct Split {
  year_month_day date;
  seconds of_day;
};
constexpr Split split(seconds since_epoch) noexcept {
  const seconds within = std::clamp(since_epoch, kEarliest, kLatest);
  const days day = std::chrono::floor<days>(within);
  return {year_month_day{sys_days{day}}, within - day};
}

constexpr seconds time_of_day(const Fields& f) noexcept {
  return std::chrono::hours{f.hour} + std::chrono::minutes{f.minute} + seconds{f.second};
}

/// The last year that ends in the two digits of `f.year` and puts the date no more than 50 years
/// after today (RFC 9110 section 5.6.7).
int full_year(const Fields& f, seconds today) noexcept {
  const Split now = split(today);
  const int this_year = static_cast<int>(now.date.year());
  int year = this_year - this_year % 100 + 100 + f.year;
  const auto too_far_ahead = [&] {
    return std::tuple{year - 50, f.month, f.day, time_of_day(f)} >
           std::tuple{this_year, static_cast<unsigned>(now.date.month()),
                      static_cast<unsigned>(now.date.day()), now.of_day};
  };
  while (too_far_ahead()) year -= 100;
  return year;
}

/// The time that the fields name, if the day exists; the weekday is ignored.
std::optional<seconds> resolve_day(const Fields& f) noexcept {
  const year_month_day date = date_of(f.year, f.month, f.day);
  if (f.year < 0 || f.year > 9999 || !date.ok()) return std::nullopt;
  if (f.hour > 23 || f.minute > 59 || f.second > 59) return std::nullopt;
  return sys_days{date}.time_since_epoch() + time_of_day(f);
}

/// The same, if the weekday is correct.
std::optional<seconds> resolve(const Fields& f) noexcept {
  const auto instant = resolve_day(f);
  if (!instant) return std::nullopt;
  const sys_days day{std::chrono::floor<days>(*instant)};
  if (std::chrono::weekday{day}.c_encoding() != f.weekday) return std::nullopt;
  return instant;
}

/// `value` (>= 0) with leading zeros.
std::string padded(long long value, std::size_t width) {
  std::string digits = std::to_string(value);
  digits.insert(0, width - std::min(width, digits.size()), '0');
  return digits;
}

std::string clock_text(seconds of_day) {
  const auto s = of_day.count();
  return padded(s / 3600, 2) + ":" + padded(s / 60 % 60, 2) + ":" + padded(s % 60, 2);
}

/// "2026-01-01T00:00:00", without the zone.
std::string rfc3339_stem(seconds since_epoch) {
  const auto [date, of_day] = split(since_epoch);
  return padded(static_cast<int>(date.year()), 4) + "-" +
         padded(static_cast<unsigned>(date.month()), 2) + "-" +
         padded(static_cast<unsigned>(date.day()), 2) + "T" + clock_text(of_day);
}

}  // namespace

std::optional<seconds> parse_http_date(std::string_view text, seconds today) {
  const Reader in(text);
  Fields fields;
  if (read_imf_fixdate(in, fields) || read_asctime_date(in, fields)) return resolve(fields);
  if (!read_rfc850_date(in, fields)) return std::nullopt;
  fields.year = full_year(fields, today);
  return resolve(fields);
}

std::optional<seconds> parse_loose_date(std::string_view text, seconds today) {
  if (const auto strict = parse_http_date(text, today)) return strict;
  const Reader in(text);
  Fields fields;
  seconds east{0};
  if (Reader rest = in; read_rfc850_stem(rest, fields) && read_zone(rest, east)) {
    fields.year = full_year(fields, today);
    const auto local = resolve(fields);  // the weekday determines its century
    return local ? std::optional(*local - east) : std::nullopt;
  }
  if (!read_asctime_date(in, fields) && !read_loose_date(in, fields, east) &&
      !read_rfc3339_date(in, fields, east)) {
    return std::nullopt;
  }
  const auto local = resolve_day(fields);
  if (!local) return std::nullopt;
  return *local - east;
}

std::string format_http_date(seconds since_epoch) {
  const auto [date, of_day] = split(since_epoch);
  const std::chrono::weekday weekday{sys_days{date}};
  std::string text(kDays.at(weekday.c_encoding()));
  text.append(", ").append(padded(static_cast<unsigned>(date.day()), 2)).append(" ");
  text.append(kMonths.at(static_cast<unsigned>(date.month()) - 1)).append(" ");
  text.append(padded(static_cast<int>(date.year()), 4)).append(" ");
  return text.append(clock_text(of_day)).append(" GMT");
}

std::string format_rfc3339(Duration since_epoch) {
  return rfc3339_stem(std::chrono::floor<seconds>(since_epoch)) + "Z";
}

std::string format_rfc3339_ms(Duration since_epoch) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(since_epoch);
  const auto whole = std::chrono::floor<seconds>(ms);
  return rfc3339_stem(whole) + "." + padded((ms - whole).count(), 3) + "Z";
}

}  // namespace skewguard::time
