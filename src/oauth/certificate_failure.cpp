#include "oauth/certificate_failure.hpp"

#include "clocks/certificate_time.hpp"
#include "time/duration_text.hpp"
#include "time/http_date.hpp"

namespace skewguard::oauth {
namespace {

/// "the certificate of https://... (valid from ... until ..., and the local clock says ...)"
std::string certificate_of(const std::string& host, const TransportFailure& failure,
                           WallTime local) {
  const auto date = [](WallTime t) { return time::format_rfc3339(t.time_since_epoch()); };
  std::string text = "the certificate of " + host + " (valid";
  if (failure.not_before) text += " from " + date(*failure.not_before);
  if (failure.not_after) text += " until " + date(*failure.not_after);
  if (!failure.not_before && !failure.not_after) text += " at another time";
  return text + ", and the local clock says " + date(local) + ")";
}

std::string how_wrong(const std::optional<TimeTold>& told, WallTime local) {
  if (!told) {
    return "at least " + time::human(clocks::behind_at_least(local)) +
           " behind, since it shows a time before this program was made";
  }
  const Duration off = told->truth.middle();
  const bool behind = off > Duration{0};
  return time::human(behind ? off : -off) + (behind ? " behind; " : " ahead; ") + told->by +
         " says so";
}

}  // namespace

std::string renewal(const TransportFailure& failure, const std::string& host, WallTime local,
                    const OffsetBound& truth) {
  const bool early = failure.not_before && local + truth.middle() < *failure.not_before;
  return "who runs " + host +
         (early ? " must have one installed that is valid by now" : " must renew it");
}

CertificateFailure why_out_of_time(const TransportFailure& failure, const std::string& host,
                                   WallTime local) {
  using enum clocks::CertificateFault;
  constexpr const char* kSet = "set the clock of this machine (`skewguard doctor` says how)";
  // What cannot be true has told nothing.
  const auto told =
      failure.told && clocks::can_be_true(local, failure.told->truth) ? failure.told : std::nullopt;
  const std::string whose = certificate_of(host, failure, local);
  switch (clocks::fault_of(failure, local, told ? std::optional(told->truth) : std::nullopt)) {
    case local_clock:
      return {Verdict::tls_clock,
              whose + " fails since the local clock is wrong: it is " + how_wrong(told, local),
              kSet};
    case certificate: {
      const bool local_too = clocks::is_off(told->truth);
      return {
          Verdict::tls_untrusted,
          whose + " fails by its time, " +
              (local_too ? "and the local clock is wrong as well: it is " + how_wrong(told, local)
                         : "and not by the local clock's fault: " + told->by + " says so"),
          renewal(failure, host, local, told->truth) +
              (local_too ? std::string("; and ") + kSet : "")};
    }
    case both:
      return {Verdict::tls_untrusted,
              whose + " fails by its time, and the local clock is wrong as well: it is " +
                  how_wrong(told, local),
              kSet};
    case unknown:
      break;
  }
  return {Verdict::tls_untrusted,
          whose + " fails by its time, and no other clock bears out that the local one is to blame",
          "see whether `date` is right; name NTP servers that can be reached with --ntp: they "
          "tell"};
}

}  // namespace skewguard::oauth
