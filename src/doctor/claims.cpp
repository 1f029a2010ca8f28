#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "clocks/certificate_time.hpp"
#include "diagnosis/call_error.hpp"
#include "doctor/case.hpp"
#include "oauth/certificate_failure.hpp"
#include "time/duration_text.hpp"
#include "time/offset_text.hpp"

namespace skewguard::doctor {
namespace {

constexpr const char* kAskForNtp =
    "use --ntp to name NTP servers that this machine can reach: they show which clock is wrong";

/// Of a clock that is wrong, by whether it does harm.
std::optional<ErrorKind> failure_if(bool harm) {
  return harm ? std::optional(ErrorKind::clock) : std::nullopt;
}

std::string naive_sentence(const Case& of) {
  const std::string harm = naive_harm(of);
  return harm.empty() ? "" : ". A client that compares exp with the wall clock " + harm;
}

/// How a difference between the two hosts' clocks affects tokens.
std::string what_tokens_suffer(const OffsetBound& login_less_api) {
  const std::string size = time::human(magnitude(login_less_api));
  return login_less_api.middle() > Duration{0} ? "new tokens are not valid yet for the API for " +
                                                     size + " if it checks when they become valid"
                                               : "tokens expire " + size + " early for the API";
}

/// The time, according to a source that can be asked without TLS.
struct Referee {
  OffsetBound truth;  ///< less the local clock
  std::string who;
};

std::optional<Referee> first_referee(const Case& of) {
  std::vector<Referee> referees;
  if (const auto agreement = of.ntp(); agreement.agreed)
    referees.push_back({*agreement.agreed, "NTP says so"});
  const auto add = [&](const ClockReading& reading) {
    if (has_one_time(&reading))
      referees.push_back({*reading.hull, "the Date of " + reading.url + " says so"});
  };
  for (const ClockReading& reading : of.examination.plain) add(reading);
  for (const ClockReading* reading : {of.login, of.api})
    if (reading != nullptr) add(*reading);
  for (Referee& each : referees)
    if (clocks::can_be_true(of.examination.now, each.truth)) return std::move(each);
  return std::nullopt;
}

/// A referee that another clock contradicts about this certificate is ignored, unless most clocks
/// confirm it.
std::optional<Referee> referee(const Case& of, const ClockReading& reading) {
  auto witness = first_referee(of);
  if (!witness) return std::nullopt;
  const auto fault = clocks::fault_of(*reading.failure, of.examination.now, witness->truth);
  const bool contradicted = std::ranges::any_of(of.sources, [&](const clocks::Source& source) {
    return clocks::can_be_true(of.examination.now, source.bound) &&
           clocks::fault_of(*reading.failure, of.examination.now, source.bound) != fault;
  });
  const auto most = contradicted ? of.truth() : std::nullopt;
  if (contradicted && !(most && most->meets(witness->truth))) return std::nullopt;
  return witness;
}

std::string certificate_of(const ClockReading& reading) {
  return "the certificate of " + reading.url;
}

Claim untrusted(const ClockReading& reading, const std::string& why, std::string fix) {
  return {"tls_untrusted", ErrorKind::unavailable, certificate_of(reading) + " " + why,
          std::move(fix)};
}

Claim judge_certificate(const Case& of, const ClockReading& reading) {
  using enum clocks::CertificateFault;
  const WallTime now = of.examination.now;
  const auto witness = referee(of, reading);
  const auto fault = clocks::fault_of(*reading.failure, now,
                                      witness ? std::optional(witness->truth) : std::nullopt);
  if (fault == both) {
    return untrusted(reading, "fails because of its dates, and the local clock is wrong as well",
                     of.mend_local());
  }
  if (fault == never) {
    return untrusted(reading,
                     "fails because of its dates, whatever the time is: " + reading.failure->detail,
                     oauth::renewal(*reading.failure, reading.url, now));
  }
  if (fault == unknown) {
    return untrusted(
        reading,
        "fails because of its dates, and no other clock confirms that the local one is to blame: " +
            reading.failure->detail,
        std::string("check whether `date` shows the correct time; ") + kAskForNtp);
  }
  if (fault == certificate) {
    return untrusted(reading,
                     "fails because of its dates, and the local clock is not to blame (" +
                         witness->who + "): " + reading.failure->detail,
                     oauth::renewal(*reading.failure, reading.url, now + witness->truth.middle()));
  }
  const std::string size =
      witness ? "it is " + size_text(witness->truth, "behind", "ahead") + "; " + witness->who
              : "at least " + time::human(clocks::behind_at_least(now)) +
                    " behind, because it shows a time before this program was built";
  return {"tls_clock", ErrorKind::clock,
          certificate_of(reading) + " fails because the local clock is wrong: " + size,
          of.mend_local()};
}

std::optional<Claim> tls_clock(const Case& of) {
  for (const ClockReading* reading : {of.login, of.api}) {
    if (reading != nullptr && reading->failure &&
        reading->failure->kind == TransportFailure::Kind::tls_time)
      return judge_certificate(of, *reading);
  }
  return std::nullopt;
}

using Named = std::pair<std::string_view, const ClockReading*>;
std::array<Named, 2> hosts(const Case& of) {
  return {Named{kLoginHost, of.login}, Named{kApiHost, of.api}};
}

std::optional<Claim> not_a_clock(const Case& of) {
  for (const auto& [name, reading] : hosts(of)) {
    if (!measured(reading) || is_a_clock(reading)) continue;
    if (reading->renewed_late) {
      const OffsetBound& bound = *reading->bound;
      return Claim{"not_a_clock", std::nullopt,
                   fmt::format("the Date of {} is updated only now and then, so it is not a "
                               "precise clock: {} from the local one{}",
                               name, time::bounds_text(bound),
                               bound.holds(Duration{0}) ? ", so it may be right" : ""),
                   "find out what caches or rewrites answers on the way to " + reading->url};
    }
    return Claim{
        "not_a_clock", std::nullopt,
        fmt::format("the Date of {} is not a clock: no clock fits its {} answers, so a cache or a "
                    "program may be making it up; no conclusions are drawn from it",
                    name, reading->samples),
        "find out what caches or rewrites answers on the way to " + reading->url};
  }
  return std::nullopt;
}

std::optional<Claim> several_clocks(const Case& of) {
  for (const auto& [name, reading] : hosts(of)) {
    if (!several(reading)) continue;
    std::string text = fmt::format("{} clocks answer for {}:", reading->groups.size(), name);
    const auto truth = of.truth();
    for (const clocks::ClockGroup& group : reading->groups) {
      text += fmt::format(" {} from the local clock in {:.0f}% of the answers",
                          time::bounds_text(group.offset), group.share * 100);
      const bool wrong = truth && clocks::distance(group.offset, *truth) > of.tolerance;
      text += wrong ? ", which is wrong according to " + of.witnesses(name) + ";" : ";";
    }
    text += " a token may be valid for one of them and not for another";
    return Claim{
        "several_clocks", failure_if(of.harmful(name) || of.harm.login_and_api), text,
        "ask the operator of " + reading->url + " to correct the clocks of all its servers"};
  }
  return std::nullopt;
}

/// Describes a host whose clock stays wrong when the local one is corrected.
std::string wrong_as_well(const Case& of) {
  std::string text;
  for (const std::string_view name : {kLoginHost, kApiHost}) {
    if (!of.wrong(name)) continue;
    text += fmt::format(". The clock of {} is wrong as well: {} of theirs", name,
                        size_text(of.host_off_shown(name), "ahead", "behind"));
  }
  return text;
}

std::optional<Claim> local_clock(const Case& of) {
  if (!of.blame.local_off) return std::nullopt;
  const OffsetBound shown = of.local_off_shown();
  return Claim{shown.middle() > Duration{0} ? "local_clock_behind" : "local_clock_ahead",
               failure_if(of.local_harmful()),
               "the local clock is " + size_text(shown, "behind", "ahead") + "; " + of.witnesses() +
                   " agree" + time::hours_hint(shown) + wrong_as_well(of) + naive_sentence(of),
               of.mend_local()};
}

std::optional<Claim> a_host_is_wrong(const Case& of) {
  for (const auto& [verdict, name, reading] :
       {std::tuple{"login_clock_wrong", kLoginHost, of.login},
        std::tuple{"api_clock_wrong", kApiHost, of.api}}) {
    if (!of.wrong(name)) continue;
    const OffsetBound shown = of.host_off_shown(name);
    std::string text = fmt::format("the clock of {} is {}; {} contradict it", name,
                                   size_text(shown, "ahead", "behind"), of.witnesses(name)) +
                       time::hours_hint(shown);
    if (surely_apart(of)) text += "; " + what_tokens_suffer(*between_shown(of));
    return Claim{verdict, failure_if(of.harmful(name) || of.harm.login_and_api), text,
                 "ask the operator of " + reading->url + " to correct its clock"};
  }
  return std::nullopt;
}

std::optional<Claim> they_differ(const Case& of) {
  if (surely_apart(of)) {
    const OffsetBound shown = *between_shown(of);
    return Claim{"login_and_api_differ", failure_if(of.harm.any()),
                 "the login host's clock is " + size_text(shown, "ahead", "behind") +
                     " of the API's: " + what_tokens_suffer(shown) + time::hours_hint(shown) +
                     "; it is not known which of them is wrong",
                 kAskForNtp};
  }
  if (!of.blame.unknown()) return std::nullopt;
  const bool from_local = !of.blame.from_local.empty();
  std::string text = from_local ? "clocks differ from the local one:"
                                : "clocks differ from each other; from the local one:";
  std::string hint;
  for (std::size_t i = 0; i < of.shown.size(); ++i) {
    if (from_local && std::ranges::count(of.blame.from_local, i) == 0) continue;
    const clocks::Source& source = of.shown[i];
    text += " " + source.name + " by " +
            time::offset_text(source.bound.middle(), source.bound.width()) + ",";
    if (hint.empty()) hint = time::hours_hint(source.bound);
  }
  text.back() = ';';
  return Claim{"clocks_differ", failure_if(of.harm.any()),
               text + " it is not known which of them is wrong" + hint + naive_sentence(of),
               kAskForNtp};
}

/// Harm that no other claim explains: a clock is certainly off, whoever is to blame.
std::optional<Claim> one_is_surely_off(const Case& of) {
  const auto differs = [&](const std::string& whose, const OffsetBound& bound) {
    return Claim{"clocks_differ", ErrorKind::clock,
                 fmt::format("the clock of {} and the local one differ by {}; it is not known "
                             "which of them is wrong",
                             whose, time::bounds_text(bound)) +
                     time::hours_hint(bound) + naive_sentence(of),
                 kAskForNtp};
  };
  for (const auto& [name, reading] : hosts(of))
    if (of.harmful(name)) return differs(std::string(name), *reading->bound);
  const auto& ntp = of.examination.survey.ntp;
  for (std::size_t i = 0; i < ntp.size(); ++i)
    if (of.harm.ntp[i]) return differs("NTP server " + ntp[i].host, *ntp[i].truth);
  if (!of.harm.login_and_api) return std::nullopt;
  return Claim{
      "login_and_api_differ", ErrorKind::clock,
      fmt::format("the clocks of the login host and the API differ: from the local one, the login "
                  "host's by {}, the API's by {}; it is not known which of them is wrong",
                  time::bounds_text(*of.login->bound), time::bounds_text(*of.api->bound)),
      kAskForNtp};
}

/// The API refused a new token because of its clock, by less than Dates alone can show.
std::optional<Claim> tokens_show_it(const Case& of) {
  const ReportedAttempt* refusal = refused_by_clock(of);
  if (refusal == nullptr || of.examination.access->error || surely_apart(of)) return std::nullopt;
  return Claim{"login_and_api_differ", std::nullopt, refusal->explanation,
               "skewguard waits; for other clients, correct the clocks of both hosts"};
}

std::optional<Claim> access_refused(const Case& of) {
  const auto& access = of.examination.access;
  if (!access || !access->error) return std::nullopt;
  const Verdict verdict = access->report.verdict;
  return Claim{std::string(to_string(verdict == Verdict::ok ? Verdict::unknown : verdict)),
               diagnosis::failure_of(*access->error), access->error->message, access_remedy(of)};
}

/// What could still be measured says little about the rest.
std::optional<Claim> out_of_resources(const Case& of) {
  for (const auto& [name, reading] : hosts(of)) {
    if (reading == nullptr || !reading->failure || !reading->failure->out_of_resources) continue;
    return Claim{"unknown", ErrorKind::unavailable,
                 fmt::format("this machine ran out of open files or memory, so {} could not be "
                             "measured: {}",
                             name, reading->failure->detail),
                 kCheckLimits};
  }
  return std::nullopt;
}

std::optional<Claim> unreachable(const Case& of) {
  using enum TransportFailure::Kind;
  if (of.examination.access) return std::nullopt;  // that knows better
  for (const auto& [name, reading] : hosts(of)) {
    if (reading == nullptr || !reading->failure) continue;
    const auto kind = reading->failure->kind;
    const char* verdict = fails_by_tls(reading) ? "tls_untrusted"
                          : kind == timeout     ? "timeout"
                                                : "network";
    return Claim{
        verdict, ErrorKind::unavailable,
        fmt::format("{} does not answer: {}", name, reading->failure->detail),
        fails_by_tls(reading)
            ? std::string(tls_fix(*reading))
            : "check the network, the proxy and the firewall on the way to " + reading->url};
  }
  return std::nullopt;
}

Claim nothing_found(const Case& of) {
  if (of.login == nullptr && of.api == nullptr) {
    return {"unknown", ErrorKind::config, "no server was examined: " + of.examination.missing, ""};
  }
  if (of.sources.empty()) {
    for (const auto& [name, reading] : hosts(of)) {
      if (reading == nullptr || !reading->failure) continue;
      return {"unknown", ErrorKind::unavailable,
              fmt::format("no clock could be measured: {} does not answer: {}", name,
                          reading->failure->detail),
              "check this machine's limits (ulimit -a), its network and " + reading->url};
    }
    return {"ok", std::nullopt, "no clock could be measured; nothing else is wrong", kAskForNtp};
  }
  if (const std::string wrong = wrong_ntp(of); !wrong.empty()) {
    return {"ok", std::nullopt,
            "nothing is wrong with the clocks of this machine and of the hosts: " + of.witnesses() +
                " agree with the local one; wrong: " + wrong,
            "remove it from the time service's configuration and from --ntp"};
  }
  return {"ok", std::nullopt,
          "nothing is wrong with the clocks: " + of.witnesses() + " agree with the local one", ""};
}

}  // namespace

/// Harmful clocks come first, then other failures, then harmless clocks.
Claim decide(const Case& of) {
  std::vector<Claim> claims;
  for (const auto verdict :
       {tls_clock, several_clocks, local_clock, a_host_is_wrong, tokens_show_it, they_differ,
        not_a_clock, out_of_resources, access_refused, unreachable, one_is_surely_off}) {
    if (auto claim = verdict(of)) claims.push_back(*std::move(claim));
  }
  const auto first = [&](auto matches) { return std::ranges::find_if(claims, matches); };
  for (const auto& found :
       {first([](const Claim& c) { return c.failure == ErrorKind::clock; }),
        first([](const Claim& c) { return c.failure.has_value(); }), claims.begin()}) {
    if (found != claims.end()) return *found;
  }
  return nothing_found(of);
}

}  // namespace skewguard::doctor
