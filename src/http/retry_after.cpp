#include "http/retry_after.hpp"

#include <algorithm>

#include "base/strings.hpp"
#include "time/http_date.hpp"

namespace skewguard::http {
namespace {

using std::chrono::seconds;

constexpr seconds kLongest = std::chrono::days{400};

/// Resolves the two-digit years of RFC 850 dates (to 2000..2099). Both dates need the same
/// century, not the right one, and no clock may be read here.
constexpr seconds kMidCentury =
    std::chrono::sys_days{std::chrono::year{2049} / 12 / 31}.time_since_epoch();

/// The one value of that name; fields that repeat it word for word are forgiven.
std::optional<std::string_view> sole_value(const Headers& headers, std::string_view name) {
  const auto values = headers.all(name);
  if (values.empty()) return std::nullopt;
  const std::string_view first = trim(values.front());
  const bool agree = std::ranges::all_of(values, [&](auto value) { return trim(value) == first; });
  return agree ? std::optional{first} : std::nullopt;
}

std::optional<seconds> delay_seconds(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  seconds delay{0};
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    delay = std::min(delay * 10 + seconds{c - '0'}, kLongest);
  }
  return delay;
}

/// `until` less the answer's own Date: both were written by the same clock.
std::optional<seconds> delay_until(std::string_view until, const Headers& headers) {
  const auto then = time::parse_http_date(until, kMidCentury);
  const auto date = sole_value(headers, "Date");
  if (!then || !date) return std::nullopt;
  const auto now = time::parse_http_date(*date, kMidCentury);
  if (!now) return std::nullopt;
  return std::clamp(*then - *now, seconds{0}, kLongest);
}

}  // namespace

std::optional<Duration> retry_after(const Headers& headers) {
  const auto value = sole_value(headers, "Retry-After");
  if (!value) return std::nullopt;
  if (const auto delay = delay_seconds(*value)) return *delay;
  return delay_until(*value, headers);
}

}  // namespace skewguard::http
