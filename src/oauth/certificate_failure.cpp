#include "oauth/certificate_failure.hpp"

#include "clocks/certificate_time.hpp"
#include "time/duration_text.hpp"
#include "time/http_date.hpp"

namespace skewguard::oauth {
namespace {

/// The certificate to blame: the one that is not valid at the correct time, if that is known,
/// otherwise by the local clock. Null if the chain is unknown.
const CertificateLife* culprit(const TransportFailure& failure, WallTime local, WallTime right) {
  const auto* found = clocks::not_valid_at(failure, right);
  return found != nullptr ? found : clocks::not_valid_at(failure, local);
}

/// "the certificate of https://... (valid from ... until ..., and the local clock says ...)"
std::string certificate_of(const std::string& host, const TransportFailure& failure, WallTime local,
                           WallTime right) {
  const auto date = [](WallTime t) { return time::format_rfc3339(t.time_since_epoch()); };
  const auto* one = culprit(failure, local, right);
  const auto begin = one == nullptr ? failure.not_before : one->not_before;
  const auto end = one == nullptr ? failure.not_after : one->not_after;
  std::string text =
      (one == nullptr ? "the certificate of " + host : clocks::words_for(*one, host));
  text += " (valid";
  if (begin) text += " from " + date(*begin);
  if (end) text += " until " + date(*end);
  if (!begin && !end) text += " at another time";
  return text + ", and the local clock says " + date(local) + ")";
}

std::string how_wrong(const std::optional<TimeReport>& report, WallTime local) {
  if (!report) {
    return "at least " + time::human(clocks::behind_at_least(local)) +
           " behind, because it shows a time before this program was built";
  }
  const Duration off = report->offset.middle();
  const bool behind = off > Duration{0};
  return time::human(behind ? off : -off) + (behind ? " behind; " : " ahead; ") + report->source +
         " says so";
}

}  // namespace

std::string renewal(const TransportFailure& failure, const std::string& host, WallTime when) {
  const auto* one = clocks::not_valid_at(failure, when);
  const auto begin = one == nullptr ? failure.not_before : one->not_before;
  const bool early = begin && when < *begin;
  const auto place = one == nullptr ? CertificateLife::Place::server : one->place;
  switch (place) {
    case CertificateLife::Place::server:
      break;
    case CertificateLife::Place::intermediate:
      return "ask the operator of " + host + " to send an intermediate certificate that is " +
             (early ? "already valid" : "still valid");
    case CertificateLife::Place::trusted:
      return "update the certificates that this machine trusts (the package ca-certificates, or "
             "the file of --ca-file)";
  }
  return "ask the operator of " + host +
         (early ? " to install one that is already valid" : " to renew it");
}

CertificateFailure why_out_of_time(const TransportFailure& failure, const std::string& host,
                                   WallTime local) {
  using enum clocks::CertificateFault;
  constexpr const char* kSet = "correct the clock of this machine (`skewguard doctor` says how)";
  // A time that cannot be true is ignored.
  const auto report = failure.time_report && clocks::can_be_true(local, failure.time_report->offset)
                          ? failure.time_report
                          : std::nullopt;
  const WallTime right = report ? local + report->offset.middle() : local;
  const std::string whose = certificate_of(host, failure, local, right);
  switch (clocks::fault_of(failure, local, report ? std::optional(report->offset) : std::nullopt)) {
    case local_clock:
      return {Verdict::tls_clock,
              whose + " fails because the local clock is wrong: it is " + how_wrong(report, local),
              kSet};
    case certificate: {
      const bool local_too = clocks::is_off(report->offset);
      return {
          Verdict::tls_untrusted,
          whose + " fails because of its dates, " +
              (local_too ? "and the local clock is wrong as well: it is " + how_wrong(report, local)
                         : "and the local clock is not to blame: " + report->source + " says so"),
          renewal(failure, host, right) + (local_too ? std::string("; and ") + kSet : "")};
    }
    case both:
      return {Verdict::tls_untrusted,
              whose + " fails because of its dates, and the local clock is wrong as well: it is " +
                  how_wrong(report, local),
              kSet};
    case never:
      return {Verdict::tls_untrusted,
              whose +
                  " fails because of its dates, whatever the time is: its chain ends before it "
                  "becomes valid",
              renewal(failure, host, right)};
    case unknown:
      break;
  }
  return {
      Verdict::tls_untrusted,
      whose +
          " fails because of its dates, and no other clock confirms that the local one is to blame",
      "check whether `date` shows the correct time; use --ntp to name NTP servers that this "
      "machine can reach"};
}

}  // namespace skewguard::oauth
