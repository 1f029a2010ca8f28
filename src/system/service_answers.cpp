#include "system/service_answers.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "base/strings.hpp"
#include "system/words.hpp"

namespace skewguard::system {
namespace {

constexpr double kSecond = 1, kMillisecond = 1e-3;

/// `text` in units of `unit` seconds. Empty if it is not a number, or over 100 years.
std::optional<Duration> number_of(std::string_view text, double unit) {
  constexpr double kMax = 100.0 * 366 * 86'400;
  text = trim(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  const double seconds = number * unit;
  if (!(std::abs(seconds) <= kMax)) return std::nullopt;  // nor NaN
  return Duration{std::llround(seconds * 1e9)};
}

/// RFC 5905's root distance: the maximum error of a clock, as seen from here.
std::optional<OffsetBound> bounded(std::optional<Duration> offset, std::optional<Duration> delay,
                                   std::optional<Duration> dispersion) {
  if (!offset || !delay || !dispersion) return std::nullopt;
  const Duration error = std::max(*delay, Duration{0}) / 2 + std::max(*dispersion, Duration{0});
  return OffsetBound{*offset - error, *offset + error};
}

constexpr std::string_view kOwnClock = "7F7F0101";  // chrony's mark for `local`: nobody's time
constexpr std::size_t kTrackingFields = 14, kSourceFields = 10;

void read_tracking(const std::vector<std::string_view>& fields, TimeServiceAnswer& answer) {
  const bool own = fields[0] == kOwnClock;
  answer.synchronized = !own && fields[13] != "Not synchronised";
  if (!*answer.synchronized) return;
  answer.source = fields[1].empty() ? fields[0] : fields[1];
  answer.offset = bounded(number_of(fields[4], kSecond), number_of(fields[10], kSecond),
                          number_of(fields[11], kSecond));
}

/// "name=value" pairs separated by commas and line ends; a value may be quoted.
std::map<std::string_view, std::string_view> variables(std::string_view text) {
  std::map<std::string_view, std::string_view> found;
  for (const std::string_view line : split(text, "\n")) {
    for (const std::string_view pair : split(line, ",")) {
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos) continue;
      found.emplace(trim(pair.substr(0, equals)), trim(pair.substr(equals + 1)));
    }
  }
  return found;
}

std::optional<Duration> variable(const std::map<std::string_view, std::string_view>& all,
                                 std::string_view name, double unit) {
  const auto found = all.find(name);
  return found == all.end() ? std::nullopt : number_of(found->second, unit);
}

/// The part of "5.233ms (max: 5s)" before the bracket.
std::string_view before_bracket(std::string_view text) {
  return trim(text.substr(0, text.find('(')));
}

}  // namespace

std::optional<TimeServiceAnswer> read_chronyc(std::string_view text) {
  std::optional<TimeServiceAnswer> answer;
  for (const std::string_view line : split(text, "\n")) {
    const auto fields = split(line, ",", Empty::kept);
    if (!answer && fields.size() == kTrackingFields) {
      read_tracking(fields, answer.emplace());
    } else if (answer && fields.size() == kSourceFields && (fields[0] == "^" || fields[0] == "=")) {
      if (!fields[2].starts_with("ID#"))  // a name that does not resolve yet
        add_server(answer->servers, {std::string(fields[2])});
    }
  }
  return answer;
}

std::optional<Duration> read_time_span(std::string_view text) {
  using Unit = std::pair<std::string_view, double>;
  // Longer ones first if one is the end of another.
  constexpr std::array<Unit, 10> kUnits = {{{"month", 2'629'800},
                                            {"min", 60},
                                            {"ms", 1e-3},
                                            {"us", 1e-6},
                                            {"y", 31'557'600},
                                            {"w", 604'800},
                                            {"d", 86'400},
                                            {"h", 3600},
                                            {"s", 1},
                                            {"", 1}}};  // a bare "0" has none
  Duration sum{0};
  const auto parts = split(text, " ");
  if (parts.empty()) return std::nullopt;
  for (const std::string_view part : parts) {
    const auto unit = std::ranges::find_if(
        kUnits, [&](const Unit& known) { return part.ends_with(known.first); });
    const auto value = number_of(part.substr(0, part.size() - unit->first.size()), unit->second);
    if (!value || *value < Duration{0} || (unit->first.empty() && part != "0")) return std::nullopt;
    sum += *value;
  }
  return sum;
}

std::optional<TimeServiceAnswer> read_timesync_status(std::string_view text) {
  std::map<std::string_view, std::string_view> said;
  for (const std::string_view line : split(text, "\n")) {
    const auto colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    said.emplace(trim(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
  if (!said.contains("Server")) return std::nullopt;
  TimeServiceAnswer answer;
  answer.synchronized = said.contains("Offset") && said["Leap"] != "not synchronized";
  if (!*answer.synchronized) return answer;
  answer.source = before_bracket(said["Server"]);
  std::string_view offset = said["Offset"];
  const bool behind = !offset.starts_with('-');
  if (offset.starts_with('+') || offset.starts_with('-')) offset.remove_prefix(1);
  std::optional<Duration> size = read_time_span(offset);
  if (size && !behind) size = -*size;
  answer.offset = bounded(size, read_time_span(said["Delay"]),
                          read_time_span(before_bracket(said["Root distance"])));
  return answer;
}

std::vector<NtpServer> read_timesync_servers(std::string_view text) {
  std::vector<NtpServer> servers, fallback;
  for (const std::string_view line : split(text, "\n")) {
    const auto equals = line.find('=');
    const std::string_view name = line.substr(0, equals);
    if (equals == std::string_view::npos || !name.ends_with("NTPServers")) continue;
    for (const std::string_view host : split(line.substr(equals + 1), " "))
      add_server(name == "FallbackNTPServers" ? fallback : servers, {std::string(host)});
  }
  return servers.empty() ? fallback : servers;
}

std::optional<TimeServiceAnswer> read_ntpq(std::string_view text) {
  const auto said = variables(text);
  const auto leap = said.find("leap");
  if (leap == said.end() || !said.contains("stratum")) return std::nullopt;
  TimeServiceAnswer answer;
  answer.synchronized = leap->second != "11" && leap->second != "3" && said.at("stratum") != "16";
  if (*answer.synchronized) {
    answer.offset =
        bounded(variable(said, "offset", kMillisecond), variable(said, "rootdelay", kMillisecond),
                variable(said, "rootdisp", kMillisecond));
  }
  bool peers = false;
  for (const std::string_view line : split(text, "\n")) {
    if (line.starts_with("====")) {
      peers = true;
    } else if (peers && !line.empty()) {
      const auto words = split(line.substr(1), " ");
      // A pool's own line (".POOL.") is no server; neither is a clock of this machine.
      if (words.size() < 9 || words[1] == ".POOL." || words[0].find('(') != std::string_view::npos)
        continue;
      if (line.front() == '*' || line.front() == 'o') answer.source = words[0];
      add_server(answer.servers, {std::string(words[0])});
    }
  }
  return answer;
}

std::optional<TimeServiceAnswer> read_ntpctl(std::string_view text) {
  const bool unsynced = text.find("clock unsynced") != std::string_view::npos;
  if (!unsynced && text.find("clock synced") == std::string_view::npos) return std::nullopt;
  TimeServiceAnswer answer;
  answer.synchronized = !unsynced;
  return answer;
}

}  // namespace skewguard::system
