#include "doctor/case.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <utility>

#include "base/strings.hpp"
#include "time/duration_text.hpp"
#include "time/offset_text.hpp"

namespace skewguard::doctor {
namespace {

std::string joined(const std::vector<std::string>& parts) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0) text += i + 1 == parts.size() ? " and " : ", ";
    text += parts[i];
  }
  return text;
}

/// Both hosts, if the examination knows both.
std::optional<TokenHosts> token_hosts(const Examination& from) {
  if (!from.login || !from.api) return std::nullopt;
  return TokenHosts{.login = *from.login, .api = *from.api};
}

}  // namespace

Case::Case(const Examination& from)
    : examination(from),
      tolerance(std::min(clocks::kTolerance, from.max_skew)),
      harm(harm_of(from.survey, token_hosts(from), from.max_skew)) {
  const auto& servers = from.survey.servers;
  if (from.login) login = &servers.at(*from.login);
  if (from.api) api = &servers.at(*from.api);
  if (login != nullptr) add(testimony(std::string(kLoginHost), *login, tolerance));
  if (api != nullptr) add(testimony(std::string(kApiHost), *api, tolerance));
  for (const ClockReading& reading : from.plain) add(testimony(reading.url, reading, tolerance));
  first_ntp = sources.size();
  for (const NtpReading& reading : from.survey.ntp) add(testimony(reading));
  blame = clocks::who_is_wrong(sources, from.survey.host.synchronized_within(), tolerance);
}

void Case::add(std::optional<Testimony> testimony) {
  if (!testimony) return;
  shown.push_back({testimony->sure.name, testimony->shown, testimony->sure.keeper});
  sources.push_back(std::move(testimony->sure));
}

bool Case::wrong(std::string_view name) const {
  return std::ranges::any_of(blame.wrong, [&](std::size_t i) { return sources[i].name == name; });
}

bool Case::harmful(std::string_view name) const {
  const auto& place = name == kLoginHost ? examination.login : examination.api;
  return place && harm.servers.at(*place);
}

bool Case::local_harmful() const {
  if (!blame.local_off) return false;
  return std::ranges::count(harm.ntp, true) > 0 || (harmful(kLoginHost) && !wrong(kLoginHost)) ||
         (harmful(kApiHost) && !wrong(kApiHost));
}

bool Case::off(const OffsetBound& bound) const {
  return !bound.meets({-tolerance, tolerance});
}

std::optional<OffsetBound> Case::truth() const {
  const auto agreed = clocks::agree(sources, tolerance).agreed;
  if (!agreed || !clocks::borne_out(sources, *agreed)) return std::nullopt;
  return clocks::agree(shown, tolerance).agreed.value_or(*agreed);
}

clocks::Agreement Case::ntp() const {
  return clocks::agree(std::span(sources).subspan(first_ntp), tolerance);
}

OffsetBound Case::local_off_shown() const {
  const auto narrow = clocks::agree(shown, tolerance);
  return narrow.agreed.value_or(blame.local_off.value_or(OffsetBound{}));
}

OffsetBound Case::host_off_shown(std::string_view name) const {
  for (const auto* all : {&shown, &sources}) {
    const auto host = std::ranges::find(*all, name, &clocks::Source::name);
    const auto agreement = clocks::agree(*all, tolerance);
    if (host != all->end() && agreement.agreed) return minus(host->bound, *agreement.agreed);
  }
  return {};
}

std::string Case::witnesses(std::string_view but) const {
  std::vector<std::string> parts;
  for (const auto& [name, reading] : {std::pair{kLoginHost, login}, std::pair{kApiHost, api}}) {
    if (!has_one_time(reading) || name == but || wrong(name)) continue;
    const std::size_t probes = reading->samples;
    const auto count = parts.empty() ? counted(probes, "probe") : std::to_string(probes);
    parts.push_back(fmt::format("{} of {}", count, name));
  }
  std::size_t servers = 0;
  for (std::size_t i = first_ntp; i < sources.size(); ++i)
    servers += std::ranges::count(blame.wrong, i) == 0 ? 1 : 0;
  if (servers > 0) parts.push_back(counted(servers, "NTP server"));
  return joined(parts);
}

std::string Case::mend_local() const {
  std::string text;
  for (const system::ClockRemedy& remedy : examination.survey.host.remedies) {
    if (!text.empty()) text.append("; ");
    text.append(remedy.command.empty() ? remedy.why : "`" + remedy.command + "`: " + remedy.why);
  }
  return text;
}

std::string wrong_ntp(const Case& of) {
  const auto among_themselves = of.ntp().falsetickers;
  std::vector<std::string> names;
  for (std::size_t i = of.first_ntp; i < of.sources.size(); ++i) {
    if (std::ranges::count(of.blame.wrong, i) > 0 ||
        std::ranges::count(among_themselves, i - of.first_ntp) > 0)
      names.push_back(of.sources[i].name);
  }
  return joined(names);
}

bool measured(const ClockReading* reading) {
  return reading != nullptr && reading->hull.has_value();
}
bool is_a_clock(const ClockReading* reading) {
  return measured(reading) && reading->picture != clocks::Picture::incoherent;
}
bool several(const ClockReading* reading) {
  return measured(reading) && reading->picture == clocks::Picture::several_clocks;
}
Duration clocks_apart(const ClockReading& reading) {
  const auto [low, high] = std::ranges::minmax(
      reading.groups, {}, [](const auto& group) { return group.offset.middle(); });
  return high.offset.low - low.offset.high;
}
bool has_one_time(const ClockReading* reading) {
  return reading != nullptr && reading->has_one_time();
}

bool fails_by_tls(const ClockReading* reading) {
  using enum TransportFailure::Kind;
  if (reading == nullptr || !reading->failure) return false;
  const auto kind = reading->failure->kind;
  return kind == tls_time || kind == tls_untrusted || kind == tls_failed;
}
bool any_fails_by_tls(const Case& of) {
  return fails_by_tls(of.login) || fails_by_tls(of.api);
}

const char* tls_fix(const ClockReading& reading) {
  if (reading.failure->kind == TransportFailure::Kind::tls_untrusted) {
    return "use --ca-file to name the authority's certificates, or have the server's certificate "
           "replaced";
  }
  return "check the URL and its port, and the client certificate if the server asks for one "
         "(--client-cert, --client-key)";
}

std::optional<OffsetBound> between(const Case& of) {
  if (!has_one_time(of.login) || !has_one_time(of.api)) return std::nullopt;
  return minus(*of.login->hull, *of.api->hull);
}

std::optional<OffsetBound> between_shown(const Case& of) {
  if (!has_one_time(of.login) || !has_one_time(of.api)) return std::nullopt;
  return minus(*of.login->bound, *of.api->bound);
}

bool surely_apart(const Case& of) {
  const auto apart = between(of);
  if (!apart) return false;
  if (of.login->alone && of.api->alone) return of.off(*apart);
  // A hull that allows for a second clock is two seconds wider for only that reason.
  return !apart->holds(Duration{0}) && of.off(*between_shown(of));
}

const ReportedAttempt* refused_by_clock(const Case& of) {
  if (!of.examination.access) return nullptr;
  const auto& attempts = of.examination.access->report.attempts;
  const auto found = std::ranges::find_if(attempts, [](const ReportedAttempt& attempt) {
    return attempt.verdict == Verdict::issuer_clock_ahead ||
           attempt.verdict == Verdict::issuer_clock_behind;
  });
  return found == attempts.end() ? nullptr : &*found;
}

bool beyond_max_wait(const Case& of) {
  const auto apart = between_shown(of);
  return apart && apart->low > of.examination.max_wait;
}

std::string access_remedy(const Case& of) {
  const Access& access = *of.examination.access;
  const Verdict verdict = access.report.verdict;
  const bool lacked_time = verdict == Verdict::timeout || verdict == Verdict::api_rate_limited ||
                           verdict == Verdict::login_rate_limited ||
                           (verdict == Verdict::issuer_clock_ahead && !beyond_max_wait(of));
  if (!access.hurried || !lacked_time) return access.error->remedy;
  return "doctor waits at most " + time::human(*access.hurried) +
         "; `skewguard whoami` waits as long as --timeout and --max-wait allow";
}

Duration magnitude(const OffsetBound& bound) {
  return std::max(bound.middle(), -bound.middle());
}

std::string size_text(const OffsetBound& bound, const char* positive, const char* negative) {
  const bool up = bound.middle() > Duration{0};
  std::string text = time::human(magnitude(bound)) + " " + (up ? positive : negative);
  if (magnitude(bound) > std::chrono::hours{24}) return text;  // what matters is said
  return text + " (bounds " +
         time::size_range_text(up ? bound : OffsetBound{-bound.high, -bound.low}) + ")";
}

namespace {

/// For a host that sends late Dates, or has a second clock less than about a second away.
std::string harm_of_a_close_pair(const Case& of) {
  for (const auto& [name, host] : {std::pair{kApiHost, of.api}, std::pair{kLoginHost, of.login}}) {
    if (!measured(host) || host->picture != clocks::Picture::late_or_second_clock) continue;
    return fmt::format(
        "may be refused now and then: {} sends late Dates or has a second clock, by which a token "
        "may not be valid yet",
        name);
  }
  return "";
}

}  // namespace

/// The API decides: it compares `exp`, which the login host's clock made, with its own clock.
std::string naive_harm(const Case& of) {
  for (const auto& [name, host] : {std::pair{kApiHost, of.api}, std::pair{kLoginHost, of.login}}) {
    if (!several(host)) continue;
    return fmt::format(
        "is refused now and then: a token that is valid by one of the clocks of {} may not be "
        "valid by another, up to {} apart",
        name, time::human(clocks_apart(*host)));
  }
  const auto& access = of.examination.access;
  const auto life = access ? access->lifetime : std::nullopt;
  if (surely_apart(of) || (refused_by_clock(of) != nullptr && between_shown(of))) {
    const OffsetBound apart = *between_shown(of);
    const std::string size = time::human(magnitude(apart));
    if (apart.middle() > Duration{0}) {
      return "takes a refused new token to be expired and requests another, which the API refuses "
             "as well for " +
             size;
    }
    if (life && magnitude(apart) >= *life)
      return "requests token after token: each has expired for the API before it is used";
    return "uses tokens " + size +
           " too long: calls are refused at the end of each token's lifetime";
  }
  const ClockReading* host = has_one_time(of.api) ? of.api : of.login;
  std::optional<OffsetBound> skew;
  if (has_one_time(host) && of.off(*host->hull)) skew = host->bound;
  if (!has_one_time(host) && of.blame.local_off) skew = of.local_off_shown();
  if (!skew) return harm_of_a_close_pair(of);
  const std::string size = time::human(magnitude(*skew));
  if (skew->middle() > Duration{0}) {
    return "uses tokens " + size +
           " too long: calls are refused at the end of each token's lifetime";
  }
  if (life && magnitude(*skew) >= *life) {
    return "takes each new token to be expired: one token request per call, then the login rate "
           "limit";
  }
  return "discards tokens " + size + " early";
}

}  // namespace skewguard::doctor
