#include "doctor/judge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "clocks/agreement.hpp"
#include "clocks/who_is_wrong.hpp"
#include "http/url.hpp"
#include "time/duration_text.hpp"

namespace skewguard::doctor {
namespace {

using clocks::Picture;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Status = Check::Status;

/// No clock is right that shows an earlier time: these lines are older than any program that holds
/// them.
constexpr WallTime kWritten{seconds{1'795'564'800}};  // 2026-11-25

bool measured(const ClockReading* reading) {
  return reading != nullptr && reading->hull.has_value();
}
bool is_a_clock(const ClockReading* reading) {
  return measured(reading) && reading->picture != Picture::incoherent;
}
bool several(const ClockReading* reading) {
  return measured(reading) && reading->picture == Picture::several_clocks;
}

/// The whole picture, as the judgement goes on. Names: "login" and "api".
struct Case {
  explicit Case(const Examination& from) : examination(from) {
    const auto& servers = from.survey.servers;
    if (from.login) login = &servers.at(*from.login);
    if (from.api) api = &servers.at(*from.api);
    add_source("the login host", login);
    add_source("the API host", api);
    for (const ClockReading& reading : from.plain) add_source(reading.url, &reading);
    first_ntp = sources.size();
    for (const NtpReading& reading : from.survey.ntp) {
      if (reading.truth)
        sources.push_back({"NTP server " + reading.host, *reading.truth, reading.address});
    }
    blame = clocks::who_is_wrong(sources, from.survey.host.synchronised_within());
  }

  void add_source(std::string name, const ClockReading* reading) {
    if (!is_a_clock(reading) || several(reading)) return;
    sources.push_back({std::move(name), *reading->hull, http::origin_of(reading->url)});
  }
  [[nodiscard]] bool wrong(std::string_view name) const {
    return std::ranges::any_of(blame.wrong, [&](std::size_t i) { return sources[i].name == name; });
  }
  /// NTP's own agreement alone.
  [[nodiscard]] clocks::Agreement ntp() const {
    return clocks::agree(std::span(sources).subspan(first_ntp), clocks::kTolerance);
  }

  const Examination& examination;
  const ClockReading* login = nullptr;
  const ClockReading* api = nullptr;
  std::vector<clocks::Source> sources;
  std::size_t first_ntp = 0;
  clocks::Blame blame;
};

/// A verdict that is borne out, with what it costs.
struct Claim {
  std::string verdict;
  int exit_code = 0;
  std::string summary;
};

int code_for(Duration size, const Case& of) {
  const Duration magnitude = std::max(size, -size);
  return magnitude > of.examination.max_skew ? 4 : 0;
}

std::string signed_text(const OffsetBound& bound) {
  return offset_text(bound.middle(), bound.width()) + " (bounds " + bounds_text(bound) + ")";
}

std::string size_text(const OffsetBound& bound) {
  const Duration middle = bound.middle();
  return time::human(std::max(middle, -middle)) + (middle > Duration{0} ? " behind" : " ahead") +
         " (bounds " + bounds_text(bound) + ")";
}

/// "12 probes of login, 12 of api, 3 of NTP".
std::string witnesses(const Case& of) {
  std::string text;
  const auto add = [&](std::size_t count, const char* what) {
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
  };
  add(of.login == nullptr ? 0 : of.login->samples, "probes of login");
  add(of.api == nullptr ? 0 : of.api->samples, "of api");
  add(of.sources.size() - of.first_ntp, "NTP servers");
  return text;
}

// The verdicts, each from its own evidence --------------------------------------------------------

/// What time it is, by whoever may be asked without TLS: NTP, a plain Date, and at the least the
/// time at which this program was written.
std::optional<OffsetBound> referee(const Case& of) {
  if (const auto agreement = of.ntp(); agreement.agreed) return agreement.agreed;
  for (const ClockReading& reading : of.examination.plain)
    if (is_a_clock(&reading) && !several(&reading)) return reading.hull;
  for (const ClockReading* reading : {of.login, of.api})
    if (is_a_clock(reading) && !several(reading)) return reading->hull;
  const WallTime now = of.examination.now;
  if (now < kWritten) return OffsetBound{kWritten - now, std::chrono::hours{24 * 365 * 20}};
  return std::nullopt;
}

std::optional<Claim> tls_clock(const Case& of) {
  for (const ClockReading* reading : {of.login, of.api}) {
    if (reading == nullptr || !reading->failure ||
        reading->failure->kind != TransportFailure::Kind::tls_time) {
      continue;
    }
    const auto truth = referee(of);
    const WallTime now = of.examination.now;
    const auto begin = reading->failure->not_before.value_or(WallTime::min());
    const auto end = reading->failure->not_after.value_or(WallTime::max());
    const bool wrong_here = truth && !truth->holds(Duration{0});
    if (!wrong_here || now + truth->high < begin || now + truth->low >= end) {
      return Claim{"tls_untrusted", 6,
                   "the certificate of " + reading->url +
                       " fails by its time, and no other clock bears out that the local one is to "
                       "blame"};
    }
    return Claim{"tls_clock", 4,
                 "the certificate of " + reading->url +
                     " fails since the local clock is wrong: " + size_text(*truth)};
  }
  return std::nullopt;
}

std::optional<Claim> not_a_clock(const Case& of) {
  for (const auto& [name, reading] : {std::pair{"login", of.login}, std::pair{"API", of.api}}) {
    if (!measured(reading) || is_a_clock(reading)) continue;
    return Claim{"not_a_clock", 0,
                 fmt::format("the Date of the {} host is not a clock: no {} clocks explain its {} "
                             "answers; nothing is concluded from it",
                             name, clocks::Groups::kMax, reading->samples)};
  }
  return std::nullopt;
}

std::optional<Claim> several_clocks(const Case& of) {
  for (const auto& [name, reading] : {std::pair{"login", of.login}, std::pair{"API", of.api}}) {
    if (!several(reading)) continue;
    const auto [low, high] = std::ranges::minmax(
        reading->groups, {}, [](const auto& group) { return group.offset.middle(); });
    std::string text =
        fmt::format("{} clocks answer for the {} host:", reading->groups.size(), name);
    for (const clocks::ClockGroup& group : reading->groups) {
      text +=
          fmt::format(" {} in {:.0f}% of the answers;",
                      offset_text(group.offset.middle(), group.offset.width()), group.share * 100);
    }
    text.pop_back();
    return Claim{"several_clocks", code_for(high.offset.low - low.offset.high, of), text};
  }
  return std::nullopt;
}

std::optional<Claim> local_clock(const Case& of) {
  if (!of.blame.local_off) return std::nullopt;
  const OffsetBound& off = *of.blame.local_off;
  return Claim{off.middle() > Duration{0} ? "local_clock_behind" : "local_clock_ahead",
               code_for(off.middle(), of),
               "the local clock is " + size_text(off) + ": " + witnesses(of) + " agree"};
}

std::optional<Claim> a_host_is_wrong(const Case& of) {
  for (const auto& [verdict, name, reading] :
       {std::tuple{"login_clock_wrong", "the login host", of.login},
        std::tuple{"api_clock_wrong", "the API host", of.api}}) {
    if (!of.wrong(name)) continue;
    const auto agreed =
        clocks::agree(of.sources, clocks::kTolerance).agreed.value_or(OffsetBound{});
    const OffsetBound off{reading->hull->low - agreed.high, reading->hull->high - agreed.low};
    return Claim{verdict, code_for(off.middle(), of),
                 fmt::format("the clock of {} is off by {} from what the others agree on", name,
                             signed_text(off))};
  }
  return std::nullopt;
}

std::optional<OffsetBound> between(const Case& of) {
  if (!is_a_clock(of.login) || !is_a_clock(of.api)) return std::nullopt;
  return OffsetBound{of.login->hull->low - of.api->hull->high,
                     of.login->hull->high - of.api->hull->low};
}

std::optional<Claim> they_differ(const Case& of) {
  const auto apart = between(of);
  if (apart && !apart->meets({-clocks::kTolerance, clocks::kTolerance})) {
    return Claim{"login_and_api_differ", code_for(apart->middle(), of),
                 "the login host's clock less the API's is " + signed_text(*apart) +
                     "; who of them is wrong is not known"};
  }
  if (!of.blame.unknown()) return std::nullopt;
  Duration most{0};
  for (const auto& source : of.sources) {
    const Duration middle = source.bound.middle();
    most = std::max({most, middle, -middle});
  }
  return Claim{"clocks_differ", code_for(most, of),
               "the clocks differ by " + time::human(most) + "; who is wrong is not known"};
}

std::optional<Claim> access_refused(const Case& of) {
  const auto& access = of.examination.access;
  if (!access || !access->error) return std::nullopt;
  const Verdict verdict = access->report.verdict;
  return Claim{std::string(to_string(verdict == Verdict::ok ? Verdict::unknown : verdict)),
               access->exit_code.value_or(1), describe(*access->error)};
}

std::optional<Claim> unreachable(const Case& of) {
  const auto silent = [](const ClockReading* reading) {
    return reading != nullptr && reading->samples == 0;
  };
  if (of.examination.access || (!silent(of.login) && !silent(of.api))) return std::nullopt;
  const ClockReading& reading = silent(of.login) ? *of.login : *of.api;
  return Claim{"network", 6,
               reading.url + (reading.failure ? ": " + reading.failure->detail
                                              : " gives no Date that can be used")};
}

/// Clocks that do harm come first, then what else failed, then clocks that do none.
Claim decide(const Case& of) {
  std::vector<Claim> claims;
  for (const auto verdict : {tls_clock, not_a_clock, several_clocks, local_clock, a_host_is_wrong,
                             they_differ, access_refused, unreachable}) {
    if (auto claim = verdict(of)) claims.push_back(*std::move(claim));
  }
  const auto first = [&](auto matches) { return std::ranges::find_if(claims, matches); };
  for (const auto& found :
       {first([](const Claim& c) { return c.exit_code == 4; }),
        first([](const Claim& c) { return c.exit_code != 0; }), claims.begin()}) {
    if (found != claims.end()) return *found;
  }
  if (!of.examination.missing.empty() && of.login == nullptr && of.api == nullptr) {
    return {"ok", 2, "no server was examined: " + of.examination.missing};
  }
  return {"ok", 0, "nothing is wrong with the clocks"};
}

// The checks --------------------------------------------------------------------------------------

std::string mend_local(const Case& of) {
  std::string text;
  for (const host::ClockRemedy& remedy : of.examination.survey.host.remedies) {
    if (!text.empty()) text.append("; ");
    text.append(remedy.command.empty() ? remedy.why : "`" + remedy.command + "`: " + remedy.why);
  }
  return text;
}

Check check_settings(const Case& of) {
  const auto& examination = of.examination;
  if (!examination.missing.empty()) {
    const bool none = of.login == nullptr && of.api == nullptr;
    return {"settings", none ? Status::fail : Status::warn, examination.missing,
            "set them to have the rest checked"};
  }
  return {"settings", Status::ok, "complete", ""};
}

Check check_dns(const Case& of) {
  std::string found;
  for (const ClockReading* reading : {of.login, of.api}) {
    if (reading == nullptr) continue;
    if (reading->failure && reading->failure->kind == TransportFailure::Kind::dns) {
      return {"dns", Status::fail, reading->failure->detail,
              "check the region and /etc/resolv.conf"};
    }
    found += fmt::format("{}{}: {} address{}", found.empty() ? "" : ", ", reading->url,
                         reading->addresses.size(), reading->addresses.size() == 1 ? "" : "es");
  }
  if (found.empty()) return {"dns", Status::skipped, "no server is known", ""};
  return {"dns", Status::ok, found, ""};
}

Check check_tls(const Case& of) {
  using Kind = TransportFailure::Kind;
  bool any = false;
  for (const ClockReading* reading : {of.login, of.api}) {
    if (reading == nullptr || !reading->url.starts_with("https:")) continue;
    any = true;
    if (!reading->failure) continue;
    const Kind kind = reading->failure->kind;
    if (kind == Kind::tls_time) {
      return {"tls", Status::fail, reading->failure->detail, "set the local clock right first"};
    }
    if (kind == Kind::tls_untrusted || kind == Kind::tls_failed) {
      return {"tls", Status::fail, reading->failure->detail,
              "name the authority's certificates with --ca-file, or mend the server's"};
    }
  }
  if (!any) return {"tls", Status::skipped, "no server is asked over https", ""};
  return {"tls", Status::ok, "certificates are good by the local clock", ""};
}

Check check_reach(const char* name, const ClockReading* reading) {
  if (reading == nullptr) return {name, Status::skipped, "its URL is not known", ""};
  if (reading->failure && reading->samples == 0) {
    return {name, Status::fail, reading->failure->detail,
            "check network, proxy and firewall on the way to " + reading->url};
  }
  if (reading->samples == 0) {
    return {name, Status::warn, "it answers, but gives no time: " + reading->no_sample, ""};
  }
  return {name, Status::ok,
          fmt::format("{} answers, the quickest within {}", reading->samples,
                      time::human(reading->rtt_min.value_or(Duration{0}))),
          ""};
}

Check check_permissions(const Case& of) {
  const auto& access = of.examination.access;
  if (!access) return {"permissions", Status::skipped, "there are no credentials", ""};
  if (access->error) {
    return {"permissions", Status::fail, access->error->message, access->error->remedy};
  }
  return {"permissions", Status::ok, "the token belongs to " + access->who, ""};
}

Check check_clock(const char* name, const Case& of, const ClockReading* reading) {
  if (!measured(reading)) return {name, Status::skipped, "it was not measured", ""};
  if (!is_a_clock(reading)) {
    return {name, Status::fail, "its Date is not a clock; nothing is concluded from it",
            "see what caches or rewrites answers on the way to " + reading->url};
  }
  std::string detail = signed_text(*reading->bound) +
                       fmt::format(" against the local clock, {} probes", reading->samples);
  if (several(reading)) {
    return {name, Status::fail, fmt::format("{} clocks answer to one name", reading->groups.size()),
            "tell who runs " + reading->url + " that its servers' clocks differ"};
  }
  if (reading->picture == Picture::late_or_second_clock) {
    detail += "; its Dates are late, or it has a second clock";
  }
  if (reading->steps > 0) {
    return {name, Status::warn,
            detail + "; it stepped by " + time::human(reading->last_step.value_or(Duration{0})),
            ""};
  }
  if (!reading->hull->meets({-of.examination.max_skew, of.examination.max_skew})) {
    return {name, Status::fail, detail, ""};
  }
  const bool off = !reading->hull->meets({-clocks::kTolerance, clocks::kTolerance});
  return {name, off ? Status::warn : Status::ok, detail, ""};
}

Check check_between(const Case& of) {
  const auto apart = between(of);
  constexpr const char* kName = "clock_login_vs_api";
  if (!apart) return {kName, Status::skipped, "not both were measured", ""};
  const std::string detail = "login less API: " + signed_text(*apart);
  if (apart->meets({-clocks::kTolerance, clocks::kTolerance}))
    return {kName, Status::ok, detail, ""};
  return {
      kName, Status::fail,
      detail + (apart->low > Duration{0} ? "; new tokens are not valid yet for the API"
                                         : "; tokens end early for the API"),
      "skewguard waits for it or ends tokens earlier; who runs the hosts must set their clocks"};
}

Check check_ntp(const Case& of) {
  const auto& servers = of.examination.survey.ntp;
  std::string heard;
  std::string silent;
  for (const NtpReading& reading : servers) {
    if (reading.truth) {
      heard += (heard.empty() ? "" : ", ") + reading.host + " " + signed_text(*reading.truth);
    } else {
      silent += (silent.empty() ? "" : ", ") + reading.host + " (" + reading.failure + ")";
    }
  }
  if (heard.empty()) {
    return {"clock_ntp", Status::skipped,
            "no NTP server answered: " + (silent.empty() ? "none was asked" : silent),
            "name one that can be reached with --ntp; UDP port 123 is often blocked"};
  }
  const auto agreement = of.ntp();
  if (!agreement.agreed) {
    return {"clock_ntp", Status::warn, "no majority of them agrees: " + heard,
            "name more with --ntp"};
  }
  for (const std::size_t i : agreement.falsetickers) {
    heard += "; " + of.sources[of.first_ntp + i].name + " is wrong";
  }
  const bool off = !agreement.agreed->meets({-clocks::kTolerance, clocks::kTolerance});
  return {"clock_ntp", off ? Status::fail : Status::ok, heard, off ? mend_local(of) : ""};
}

Check check_service(const Case& of) {
  const HostReading& host = of.examination.survey.host;
  std::string detail = host.kernel ? host.kernel->synchronised ? "the kernel says: synchronised"
                                                               : "the kernel says: not synchronised"
                                   : "the kernel does not say (" + host.no_kernel + ")";
  if (host.synchronised_within()) detail += " within " + time::human(*host.synchronised_within());
  bool running = false;
  for (const host::TimeService& service : host.services) {
    if (!service.running && running) continue;
    running = running || service.running;
    detail +=
        "; " + service.name + (service.running ? " is running" : " is installed, but not running");
    if (service.answer.synchronised)
      detail += *service.answer.synchronised ? " and synchronised" : " and not synchronised";
  }
  if (host.services.empty()) detail += "; no time service is installed";
  if (!host.machine.container.empty())
    detail += "; this is a container (" + host.machine.container + "): its clock is the host's";
  const bool kept = running || (host.kernel && host.kernel->synchronised);
  const bool fail = of.blame.local_off.has_value();
  return {"clock_sync_service",
          fail   ? Status::fail
          : kept ? Status::ok
                 : Status::warn,
          detail, fail || !kept ? mend_local(of) : ""};
}

Check check_stability(const Case& of) {
  const HostReading& host = of.examination.survey.host;
  std::string detail = fmt::format("{} steps of the wall clock in {}", host.watch.wall_steps(),
                                   time::human(host.watch.span()));
  if (host.machine.suspended > Duration{0})
    detail += ", suspended for " + time::human(host.machine.suspended) + " since it started";
  if (const auto rate = host.watch.rate()) {
    detail += fmt::format(", the kernel runs it {:+.0f} ppm against the crystal",
                          (rate->low_ppm + rate->high_ppm) / 2);
  }
  if (!host.machine.vm.empty()) detail += "; a virtual machine (" + host.machine.vm + ")";
  const bool restless = host.watch.wall_steps() > 0 || host.watch.suspends() > 0;
  const bool woke = of.blame.local_off && host.machine.suspended > Duration{0};
  if (woke) detail += "; it may have been wrong since it was last suspended";
  return {"clock_stability", restless || woke ? Status::warn : Status::ok, detail,
          restless ? "see which program steps the clock" : ""};
}

Check check_lifetime(const Case& of) {
  const auto& access = of.examination.access;
  if (!access || !access->lifetime) {
    return {"token_lifetime", Status::skipped,
            access ? "there is no new token" : "there are no credentials", ""};
  }
  return {"token_lifetime", Status::ok, "a new token lives for " + time::human(*access->lifetime),
          ""};
}

/// What a client does that compares `exp` with the wall clock.
Check check_naive(const Case& of) {
  const ClockReading* host = is_a_clock(of.api) && !several(of.api) ? of.api : of.login;
  if (!is_a_clock(host) || several(host)) {
    return {"naive_client", Status::skipped, "no server's clock was measured", ""};
  }
  const OffsetBound& off = *host->hull;
  if (off.meets({-clocks::kTolerance, clocks::kTolerance})) {
    return {"naive_client", Status::ok,
            "a client that compares exp with the wall clock does no harm here", ""};
  }
  const Duration size = std::max(off.middle(), -off.middle());
  const auto& access = of.examination.access;
  std::string detail = "a client that compares exp with the wall clock ";
  if (off.middle() > Duration{0}) {
    detail += "uses tokens " + time::human(size) + " too long: refused calls at the end of each";
  } else if (access && access->lifetime && size >= *access->lifetime) {
    detail += "takes each new token for dead: a token request for every call, then the login limit";
  } else {
    detail += "throws tokens away " + time::human(size) + " early";
  }
  return {"naive_client", Status::warn, detail, "let skewguard keep the tokens"};
}

}  // namespace

std::string_view to_string(Check::Status status) noexcept {
  constexpr std::array<std::string_view, 4> kNames{"ok", "skipped", "warn", "fail"};
  return kNames.at(static_cast<std::size_t>(status));
}

Diagnosis judge(const Examination& examination) {
  const Case of(examination);
  Claim claim = decide(of);
  return {
      std::move(claim.verdict),
      claim.exit_code,
      std::move(claim.summary),
      {check_settings(of), check_dns(of), check_tls(of), check_reach("login", of.login),
       check_reach("api", of.api), check_permissions(of), check_clock("clock_login", of, of.login),
       check_clock("clock_api", of, of.api), check_between(of), check_ntp(of), check_service(of),
       check_stability(of), check_lifetime(of), check_naive(of)}};
}

std::string offset_text(Duration offset, Duration width) {
  const double s = static_cast<double>(offset.count()) / 1e9;
  if (width >= milliseconds{100}) return fmt::format("{:+.2f} s", s);
  if (offset >= seconds{1} || offset <= -seconds{1} || width >= milliseconds{10})
    return fmt::format("{:+.4f} s", s);
  return fmt::format("{:+.2f} ms", s * 1e3);
}

std::string bounds_text(const OffsetBound& bound) {
  return offset_text(bound.low, bound.width()) + " .. " + offset_text(bound.high, bound.width());
}

}  // namespace skewguard::doctor
