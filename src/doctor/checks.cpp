#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <string>

#include "base/strings.hpp"
#include "doctor/case.hpp"
#include "time/duration_text.hpp"
#include "time/offset_text.hpp"

namespace skewguard::doctor {
namespace {

using std::chrono::seconds;
using Status = Check::Status;

/// If the bounds are wide, show their middle, as verdicts do.
std::string signed_text(const OffsetBound& bound, std::optional<Duration> best = std::nullopt) {
  if (bound.width() >= seconds{1}) best.reset();
  if (magnitude(bound) > std::chrono::hours{24})  // what matters is said
    return (bound.middle() > Duration{0} ? "+" : "") + time::human(bound.middle());
  return time::offset_text(best.value_or(bound.middle()), bound.width()) + " (bounds " +
         time::bounds_text(bound) + ")";
}

Check check_settings(const Case& of) {
  const auto& examination = of.examination;
  if (!examination.missing.empty()) {
    const bool none = of.login == nullptr && of.api == nullptr;
    return {"settings", none ? Status::fail : Status::warn, examination.missing,
            "set them to check the rest"};
  }
  return {"settings", Status::ok, "complete", ""};
}

Check check_dns(const Case& of) {
  std::string found;
  for (const ClockReading* reading : {of.login, of.api}) {
    if (reading == nullptr) continue;
    if (reading->failure && reading->failure->kind == TransportFailure::Kind::dns) {
      return {"dns", Status::fail, reading->failure->detail,
              fmt::format("check the {}, the network and /etc/resolv.conf",
                          reading->proxy.empty() ? "region" : "proxy's name")};
    }
    found += fmt::format("{}{}: {}{} address{}", found.empty() ? "" : ", ", reading->url,
                         reading->proxy.empty() ? "" : "through the proxy, which has ",
                         reading->addresses.size(), reading->addresses.size() == 1 ? "" : "es");
  }
  if (found.empty()) return {"dns", Status::skipped, "no server is known", ""};
  return {"dns", Status::ok, found, ""};
}

Check check_tls(const Case& of) {
  using Kind = TransportFailure::Kind;
  std::size_t asked = 0;
  std::size_t good = 0;
  for (const ClockReading* reading : {of.login, of.api}) {
    if (reading == nullptr || !reading->url.starts_with("https:")) continue;
    ++asked;
    if (reading->samples > 0 || !reading->no_sample.empty()) ++good;
    if (!fails_by_tls(reading)) continue;
    const bool by_time = reading->failure->kind == Kind::tls_time;
    return {"tls", Status::fail, reading->failure->detail,
            by_time
                ? "see the verdict, which says whether the local clock or the certificate is wrong"
                : tls_fix(*reading)};
  }
  if (asked == 0) return {"tls", Status::skipped, "no server uses https", ""};
  if (good == 0) return {"tls", Status::skipped, "no server was reached", ""};
  return {"tls", Status::ok, "certificates are valid by the local clock", ""};
}

Check check_reach(const char* name, const ClockReading* reading) {
  if (reading == nullptr) return {name, Status::skipped, "its URL is not known", ""};
  if (reading->failure && reading->samples == 0) {
    const bool by_name = reading->failure->kind == TransportFailure::Kind::dns;
    if (by_name || fails_by_tls(reading))
      return {name, Status::fail, std::string("not reached: see ") + (by_name ? "dns" : "tls"), ""};
    return {name, Status::fail, reading->failure->detail,
            reading->failure->out_of_resources
                ? kCheckLimits
                : "check the network, the proxy and the firewall on the way to " + reading->url};
  }
  if (reading->samples == 0) {
    return {name, Status::warn, "it answers, but shows no time: " + reading->no_sample,
            "nothing to do for tokens: only its clock cannot be checked"};
  }
  return {name, Status::ok,
          fmt::format("{}, the fastest in {}", counted(reading->samples, "answer"),
                      time::human(reading->rtt_min.value_or(Duration{0}))),
          ""};
}

Check check_permissions(const Case& of) {
  const auto& access = of.examination.access;
  if (!access) return {"permissions", Status::skipped, "there are no credentials", ""};
  if (access->error && any_fails_by_tls(of))
    return {"permissions", Status::fail, "no token: see tls", ""};
  if (access->error) {
    return {"permissions", Status::fail, access->error->message, access_remedy(of)};
  }
  return {"permissions", Status::ok, "the token belongs to " + access->who, ""};
}

/// What to do about a clock that differs from the local one.
std::string mend_clock(const Case& of, const ClockReading& reading, std::string_view host) {
  if (of.wrong(host)) return "ask the operator of " + reading.url + " to correct its clock";
  if (of.blame.local_off) return "the local clock is wrong: see clock_sync_service";
  return "use --ntp to name NTP servers that this machine can reach: they show which clock is "
         "wrong";
}

Check check_clock(const char* name, const Case& of, const ClockReading* reading,
                  std::string_view host) {
  if (!measured(reading)) return {name, Status::skipped, "it was not measured", ""};
  if (reading->renewed_late) {
    const bool off = of.harmful(host);
    return {name, off ? Status::fail : Status::warn,
            fmt::format("{} from the local clock: its Date is updated only now and then",
                        time::bounds_text(*reading->bound)),
            off ? mend_clock(of, *reading, host)
                : "find out what caches or rewrites answers on the way to " + reading->url};
  }
  if (!is_a_clock(reading)) {
    return {name, Status::fail, "its Date is not a clock; no conclusions are drawn from it",
            "find out what caches or rewrites answers on the way to " + reading->url};
  }
  if (several(reading)) {
    return {name, of.harmful(host) ? Status::fail : Status::warn,
            fmt::format("{} clocks answer to one name, {} from the local clock",
                        reading->groups.size(), time::bounds_text(*reading->bound)),
            "ask the operator of " + reading->url + " to correct the clocks of all its servers"};
  }
  std::string detail = signed_text(*reading->bound, reading->best) + " from the local clock, by " +
                       counted(reading->samples, "probe");
  const bool close_pair = reading->picture == clocks::Picture::late_or_second_clock;
  if (close_pair) detail += "; its Dates are late, or it has a second clock";
  if (reading->steps > 0) {
    const Duration step = reading->last_step.value_or(Duration{0});
    detail += fmt::format("; it stepped by {}{} while it was measured",
                          step > Duration{0} ? "+" : "", time::human(step));
  }
  const bool differs = of.off(testimony(std::string(host), *reading, of.tolerance)->sure.bound);
  if (of.harmful(host)) return {name, Status::fail, detail, mend_clock(of, *reading, host)};
  if (differs || of.wrong(host))
    return {name, Status::warn, detail, mend_clock(of, *reading, host)};
  if (reading->steps > 0) {
    return {name, Status::warn, detail,
            "ask the operator of " + reading->url + " to slew its clock"};
  }
  return {name, close_pair ? Status::warn : Status::ok, detail,
          close_pair ? "nothing to do: skewguard allows for both" : ""};
}

Check check_between(const Case& of) {
  constexpr const char* kName = "clock_login_vs_api";
  const auto apart = between_shown(of);
  if (!apart) return {kName, Status::skipped, "at least one host does not show a single clock", ""};
  const std::string detail = "login minus API: " + signed_text(*apart);
  if (!surely_apart(of) && refused_by_clock(of) != nullptr) {
    return {kName, Status::warn, detail + "; the API refused a new token because of it",
            "skewguard waits; for other clients, correct the clocks of both hosts"};
  }
  if (!surely_apart(of)) return {kName, Status::ok, detail, ""};
  const bool ahead = apart->low > Duration{0};
  const std::string cure = !ahead ? "skewguard stops using tokens earlier; for other clients,"
                           : beyond_max_wait(of)
                               ? "skewguard would have to wait longer than "
                                 "--max-wait (" +
                                     time::human(of.examination.max_wait) + "):"
                               : "skewguard waits before it uses a new token; for other clients,";
  return {kName, of.harm.login_and_api ? Status::fail : Status::warn,
          detail + (ahead ? "; new tokens are not valid yet for the API"
                          : "; tokens expire early for the API"),
          cure + " correct the clocks of both hosts"};
}

Check check_ntp(const Case& of) {
  const auto& servers = of.examination.survey.ntp;
  std::string heard;
  std::string silent;
  for (const NtpReading& reading : servers) {
    if (reading.truth) {
      heard += (heard.empty() ? "" : ", ") + reading.host + " " + signed_text(*reading.truth);
    } else {
      silent += (silent.empty() ? "" : ", ") + reading.host + ": " + reading.why();
    }
  }
  if (servers.empty())
    return {"clock_ntp", Status::skipped, "no NTP server was asked", "use --ntp to name some"};
  if (heard.empty()) {
    return {"clock_ntp", Status::skipped, "no NTP server answered: " + silent,
            "use --ntp to name one that this machine can reach; UDP port 123 is often blocked"};
  }
  const std::string wrong = wrong_ntp(of);
  if (!wrong.empty()) {
    return {"clock_ntp", Status::warn, heard + "; wrong: " + wrong,
            "remove from the time service's configuration and from --ntp: " + wrong};
  }
  const auto agreement = of.ntp();
  if (!agreement.agreed) {
    return {"clock_ntp", Status::warn, "no majority agrees: " + heard, "use --ntp to name more"};
  }
  if (!of.off(*agreement.agreed)) return {"clock_ntp", Status::ok, heard, ""};
  const bool harmful = std::ranges::count(of.harm.ntp, true) > 0;
  return {"clock_ntp", harmful ? Status::fail : Status::warn, heard,
          of.blame.local_off
              ? "the local clock is wrong: see clock_sync_service"
              : "use --ntp to name more NTP servers: they show which clock is wrong"};
}

Check check_service(const Case& of) {
  const HostReading& host = of.examination.survey.host;
  std::string detail = host.kernel ? host.kernel->synchronized ? "the kernel says: synchronized"
                                                               : "the kernel says: not synchronized"
                                   : "the kernel does not say (" + host.no_kernel + ")";
  if (host.synchronized_within()) detail += " within " + time::human(*host.synchronized_within());
  bool running = false;
  bool keeps_none = false;
  for (const system::TimeService& service : host.services) {
    if (!service.running && running) continue;
    running = running || service.running;
    detail +=
        "; " + service.name + (service.running ? " is running" : " is installed, but not running");
    if (service.answer.synchronized) {
      detail += *service.answer.synchronized ? " and synchronized" : " and not synchronized";
      keeps_none = keeps_none || !*service.answer.synchronized;
    }
  }
  if (host.services.empty()) detail += "; no time service is installed";
  if (!host.machine.container.empty()) {
    detail += "; this is a container (" + host.machine.container + ") and uses its host's clock";
  }
  const bool kept = (running && !keeps_none) || (host.kernel && host.kernel->synchronized);
  const bool good = kept && !of.blame.local_off;
  return {"clock_sync_service",
          of.local_harmful() ? Status::fail
          : good             ? Status::ok
                             : Status::warn,
          detail, good ? "" : of.mend_local()};
}

Check check_stability(const Case& of) {
  const HostReading& host = of.examination.survey.host;
  const auto steps = host.watch.wall_steps();
  std::string detail =
      fmt::format("{} step{} of the wall clock in {}", steps == 0 ? "no" : std::to_string(steps),
                  steps > 1 ? "s" : "", time::human(host.watch.span()));
  const bool slept = host.machine.suspended >= seconds{1};  // what is less comes from reading it
  if (slept) {
    detail +=
        "; suspended for " + time::human(host.machine.suspended) + " since this machine started";
  }
  if (const auto rate = host.watch.rate()) {
    const double ppm = (rate->low_ppm + rate->high_ppm) / 2;
    if (std::abs(ppm) >= 1) detail += fmt::format("; the kernel corrects it by {:+.0f} ppm", ppm);
  }
  if (!host.machine.vm.empty()) detail += "; a virtual machine (" + host.machine.vm + ")";
  const bool woke = of.blame.local_off && slept;
  if (woke) detail += "; the suspend is the likely cause of the wrong local clock";
  if (steps > 0)
    return {"clock_stability", Status::warn, detail, "find out which program steps the clock"};
  if (woke || host.watch.suspends() > 0) {
    return {"clock_stability", Status::warn, detail,
            woke ? "configure the time service to step the clock after a resume (chrony: `makestep "
                   "1 -1`)"
                 : ""};
  }
  return {"clock_stability", Status::ok, detail, ""};
}

Check check_lifetime(const Case& of) {
  const auto& access = of.examination.access;
  if (!access || !access->lifetime) {
    return {"token_lifetime", Status::skipped,
            access ? "there is no new token" : "there are no credentials", ""};
  }
  return {"token_lifetime", Status::ok,
          "a new token is valid for " + time::human(*access->lifetime), ""};
}

Check check_naive(const Case& of) {
  const bool any = has_one_time(of.login) || has_one_time(of.api) || several(of.login) ||
                   several(of.api) || of.blame.local_off;
  if (!any) return {"naive_client", Status::skipped, "no server's clock was measured", ""};
  const std::string harm = naive_harm(of);
  const std::string who = "a client that compares exp with the wall clock ";
  if (harm.empty()) return {"naive_client", Status::ok, who + "has no problem here", ""};
  return {"naive_client", Status::warn, who + harm, "let skewguard manage the tokens"};
}

}  // namespace

std::vector<Check> all_checks(const Case& of) {
  return {check_settings(of),
          check_dns(of),
          check_tls(of),
          check_reach("login", of.login),
          check_reach("api", of.api),
          check_permissions(of),
          check_clock("clock_login", of, of.login, kLoginHost),
          check_clock("clock_api", of, of.api, kApiHost),
          check_between(of),
          check_ntp(of),
          check_service(of),
          check_stability(of),
          check_lifetime(of),
          check_naive(of)};
}

}  // namespace skewguard::doctor
