#include "http/retry_after.hpp"

#include <algorithm>
#include <array>

#include "base/strings.hpp"
#include "time/http_date.hpp"

namespace skewguard::http {
namespace {

using std::chrono::seconds;

constexpr seconds kMaxSeconds{1'000'000'000'000'000};  // far over any time that is meant

/// Resolves the two-digit years of RFC 850 dates (to 2000..2099). Both dates need the same
/// century, not the right one, and no clock may be read here.
constexpr seconds kMidCentury =
    std::chrono::sys_days{std::chrono::year{2049} / 12 / 31}.time_since_epoch();

/// The single value of that name; identical repetitions are accepted.
std::optional<std::string_view> sole_value(const Headers& headers, std::string_view name) {
  const auto values = headers.all(name);
  if (values.empty()) return std::nullopt;
  const std::string_view first = trim(values.front());
  const bool agree = std::ranges::all_of(values, [&](auto value) { return trim(value) == first; });
  return agree ? std::optional{first} : std::nullopt;
}

bool all_digits(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

/// Digits, optionally with a fraction, which is rounded up. Limited to kMaxSeconds.
std::optional<seconds> whole_seconds(std::string_view text) noexcept {
  const auto point = text.find('.');
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = point == std::string_view::npos ? "0" : text.substr(point + 1);
  if (!all_digits(whole) || !all_digits(fraction)) return std::nullopt;
  seconds delay{0};
  for (const char c : whole) delay = std::min(delay * 10 + seconds{c - '0'}, kMaxSeconds);
  if (fraction.find_first_not_of('0') != std::string_view::npos) delay += seconds{1};
  return delay;
}

/// The Date of the answer, in seconds since 1970.
std::optional<seconds> own_date(const Headers& headers) {
  const auto date = sole_value(headers, "Date");
  return date ? time::parse_http_date(*date, kMidCentury) : std::nullopt;
}

seconds bounded(seconds delay) noexcept {
  return std::clamp(delay, seconds{0}, kLongestWait);
}

/// `until` minus the answer's own Date: both were written by the same clock.
std::optional<seconds> delay_until(std::string_view until, const Headers& headers) {
  const auto then = time::parse_http_date(until, kMidCentury);
  const auto now = own_date(headers);
  if (!then || !now) return std::nullopt;
  return bounded(*then - *now);
}

/// One family of rate-limit fields. Its reset is meaningless if the limit is not used up: another
/// one was hit.
struct ResetField {
  std::string_view reset;
  std::string_view remaining;  ///< empty = not given
  bool may_be_instant;         ///< over kInstant it is a time, over kMilliseconds in those
};
constexpr std::array<ResetField, 4> kResetFields{
    {{"inin-ratelimit-reset", "", false},
     {"RateLimit-Reset", "RateLimit-Remaining", false},
     {"X-RateLimit-Reset", "X-RateLimit-Remaining", true},
     {"X-Rate-Limit-Reset", "X-Rate-Limit-Remaining", true}}};
constexpr seconds kInstant{1'000'000'000};
constexpr seconds kMilliseconds{100'000'000'000};  // as seconds, the year 5138

std::optional<seconds> number(const Headers& headers, std::string_view name) {
  const auto value = sole_value(headers, name);
  return value ? whole_seconds(*value) : std::nullopt;
}

/// Genesys counts up, all others down.
bool used_up(const ResetField& field, const Headers& headers) {
  if (!field.remaining.empty())
    return number(headers, field.remaining).value_or(seconds{0}) == seconds{0};
  const auto count = number(headers, "inin-ratelimit-count");
  const auto allowed = number(headers, "inin-ratelimit-allowed");
  return !count || !allowed || *count >= *allowed;
}

std::optional<seconds> reset_of(const ResetField& field, const Headers& headers) {
  const auto reset = number(headers, field.reset);
  if (!reset || !used_up(field, headers)) return std::nullopt;
  if (!field.may_be_instant || *reset <= kInstant) return bounded(*reset);
  const seconds then = *reset > kMilliseconds ? (*reset + seconds{999}) / 1000 : *reset;
  const auto now = own_date(headers);
  return now ? std::optional(bounded(then - *now)) : std::nullopt;
}

}  // namespace

std::optional<Duration> retry_after(const Headers& headers) {
  const auto value = sole_value(headers, "Retry-After");
  if (!value) return std::nullopt;
  if (const auto delay = whole_seconds(*value)) return bounded(*delay);
  return delay_until(*value, headers);
}

std::optional<Duration> rate_limit_reset(const Headers& headers) {
  for (const ResetField& field : kResetFields) {
    if (const auto delay = reset_of(field, headers)) return *delay;
  }
  return std::nullopt;
}

}  // namespace skewguard::http
