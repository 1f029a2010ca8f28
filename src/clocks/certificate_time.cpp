#include "clocks/certificate_time.hpp"

#include <algorithm>

#include "clocks/bounds.hpp"
#include "clocks/who_is_wrong.hpp"

namespace skewguard::clocks {
namespace {

/// A clock that shows an earlier time is wrong: this source is older than any program built from
/// it.
constexpr WallTime kWritten{std::chrono::seconds{1'795'564'800}};  // 2026-11-25
/// How long this program may remain in use.
constexpr Duration kInUse = std::chrono::hours{24 * 365 * 20};

constexpr OffsetBound kRight{-kTolerance, kTolerance};

}  // namespace

bool can_be_true(WallTime local, const OffsetBound& truth) noexcept {
  return moved(truth, local.time_since_epoch()).high >= kWritten.time_since_epoch();
}

bool is_off(const OffsetBound& truth) noexcept {
  return !truth.meets(kRight);
}

const CertificateLife* not_valid_at(const TransportFailure& failure, WallTime when) noexcept {
  const auto found = std::ranges::find_if(failure.chain, [when](const CertificateLife& one) {
    return when < one.not_before || when >= one.not_after;
  });
  return found == failure.chain.end() ? nullptr : &*found;
}

std::string words_for(const CertificateLife& certificate, const std::string& host) {
  using enum CertificateLife::Place;
  switch (certificate.place) {
    case server:
      break;
    case intermediate:
      return "the intermediate certificate \"" + certificate.name + "\" that " + host + " sends";
    case trusted:
      return "the certificate \"" + certificate.name + "\" among those that this machine trusts";
  }
  return "the certificate of " + host;
}

CertificateFault fault_of(const OutOfTime& certificate) noexcept {
  const WallTime begin = certificate.not_before.value_or(WallTime::min());
  const WallTime end = certificate.not_after.value_or(WallTime::max());
  if (begin >= end) return CertificateFault::never;
  if (certificate.truth && can_be_true(certificate.local, *certificate.truth)) {
    const OffsetBound now = moved(*certificate.truth, certificate.local.time_since_epoch());
    const bool good = now.high >= begin.time_since_epoch() && now.low < end.time_since_epoch();
    return good && is_off(*certificate.truth) ? CertificateFault::local_clock
                                              : CertificateFault::certificate;
  }
  if (certificate.local >= kWritten) return CertificateFault::unknown;
  if (kWritten + kInUse < begin || kWritten >= end) return CertificateFault::both;
  return CertificateFault::local_clock;
}

CertificateFault fault_of(const TransportFailure& failure, WallTime local,
                          const std::optional<OffsetBound>& truth) noexcept {
  return fault_of({.local = local,
                   .not_before = failure.not_before,
                   .not_after = failure.not_after,
                   .truth = truth});
}

Duration behind_at_least(WallTime local) noexcept {
  return std::max(minus(kWritten.time_since_epoch(), local.time_since_epoch()), Duration{0});
}

}  // namespace skewguard::clocks
