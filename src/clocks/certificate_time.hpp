#pragma once

#include <optional>
#include <string>

#include "skewguard/time.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::clocks {

/// Who is to blame if a certificate is good except for its dates.
enum class CertificateFault {
  local_clock,  ///< it is good at the right time
  certificate,  ///< it is not yet valid, or has expired, by a right clock too
  both,         ///< the local clock is surely wrong, and no right one would make it good
  never,        ///< no time would make it good: it ends before it begins, or an issuer's does
  unknown,      ///< the true time is not known
};

/// A certificate that fails only because of its dates, by the local wall clock.
struct OutOfTime {
  WallTime local{};
  std::optional<WallTime> not_before{};  ///< nothing: not known
  std::optional<WallTime> not_after{};
  /// True time minus the local wall clock, according to a referee; empty if there is none.
  std::optional<OffsetBound> truth{};
};

/// The first certificate of the chain that is not valid at `when`, starting with the server's own.
/// Null if all are, or if the chain is unknown. Valid as long as `failure`.
const CertificateLife* not_valid_at(const TransportFailure& failure, WallTime when) noexcept;

/// A description of the certificate: "the certificate of HOST", `the intermediate certificate "X"
/// that HOST sends`.
std::string words_for(const CertificateLife& certificate, const std::string& host);

/// Whether a referee's time is later than that at which this program was built.
bool can_be_true(WallTime local, const OffsetBound& truth) noexcept;

/// Whose fault it is: according to the referee, unless its time cannot be true; otherwise by the
/// fact that it is later than when this program was built.
CertificateFault fault_of(const OutOfTime& certificate) noexcept;

/// The same for a `tls_time` failure; `truth`: see OutOfTime.
CertificateFault fault_of(const TransportFailure& failure, WallTime local,
                          const std::optional<OffsetBound>& truth) noexcept;

/// Whether the local clock is certainly wrong according to a referee.
bool is_off(const OffsetBound& truth) noexcept;

/// How far the local clock is certainly behind, because this program was built at a later time than
/// it shows; 0 if it shows a later one.
Duration behind_at_least(WallTime local) noexcept;

}  // namespace skewguard::clocks
