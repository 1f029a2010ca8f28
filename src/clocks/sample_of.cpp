#include "clocks/sample_of.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/strings.hpp"
#include "clocks/skew_estimator.hpp"
#include "time/http_date.hpp"

namespace skewguard::clocks {
namespace {

/// A two-digit year is resolved by our wall clock, which may stand at 1970 or 2100: so within what
/// this program can live through (2025 to 2060).
std::chrono::seconds today_of(const Now& now) {
  constexpr std::chrono::seconds kFirst{1'735'689'600};
  constexpr std::chrono::seconds kLast{2'840'140'800};
  return std::clamp(std::chrono::floor<std::chrono::seconds>(now.wall.time_since_epoch()), kFirst,
                    kLast);
}

/// The only field of that name, or nothing and how many there are.
struct Found {
  std::string_view value;
  std::size_t count = 0;
};
Found find_field(const Headers& headers, std::string_view name) {
  Found found;
  for (const HeaderField& field : headers.fields()) {
    if (!iequals(field.name, name)) continue;
    found.value = field.value;
    ++found.count;
  }
  return found;
}

/// A server's words, cut short, with "?" for what is not printable ASCII.
std::string quoted(std::string_view text) {
  constexpr std::size_t kMax = 48;
  std::string shown = "\"";
  for (const char c : text.substr(0, kMax)) shown += c >= ' ' && c <= '~' ? c : '?';
  return shown + (text.size() > kMax ? "...\"" : "\"");
}

/// Why this answer's stamp cannot be placed between sent and received; empty if it can.
std::string_view unfit(const AnswerHead& head) {
  if (head.status < 200) return "an interim answer (1xx)";
  if (head.status == 407) return "407: from the outgoing proxy, not from the server";
  if (head.status == 408) return "408: it may have been written before the request";
  if (head.early) return "it arrived before the request was sent";
  if (find_field(head.headers, "Age").count > 0) return "from a cache (Age)";
  if (head.received.boot < head.sent.boot) return "received before it was sent";
  return {};
}

}  // namespace

std::optional<time::DateSample> sample_of(const AnswerHead& head, std::string* why, bool quote) {
  const auto refused = [&](std::string reason) {
    if (why != nullptr) *why = std::move(reason);
    return std::nullopt;
  };
  const auto with = [&](std::string_view text) { return quote ? ": " + quoted(text) : ""; };
  if (const auto reason = unfit(head); !reason.empty()) return refused(std::string(reason));
  const Found date = find_field(head.headers, "Date");
  if (date.count == 0) return refused("no Date");
  if (date.count > 1) return refused("more than one Date");
  const std::string_view text = trim(date.value);
  const auto parsed = time::parse_loose_date(text, today_of(head.received));
  if (!parsed) return refused("its Date is ambiguous or malformed" + with(text));
  const time::DateSample sample{head.sent, head.received, *parsed, head.connection};
  if (!SkewEstimator::interval_of(sample)) return refused("an impossible time" + with(text));
  return sample;
}

}  // namespace skewguard::clocks
