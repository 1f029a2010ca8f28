#pragma once

#include <optional>
#include <string>

#include "skewguard/time.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::clocks {

/// Who is to blame where a certificate is good but for its time.
enum class CertificateFault {
  local_clock,  ///< it is good at the right time
  certificate,  ///< it is not yet valid, or has expired, by a right clock too
  both,         ///< the local clock is surely wrong, and no right one would make it good
  never,        ///< no time would make it good: it ends before it begins, or an issuer's does
  unknown,      ///< nobody tells what time it is
};

/// A certificate that fails on its time alone, by the local wall clock.
struct OutOfTime {
  WallTime local{};
  std::optional<WallTime> not_before{};  ///< nothing: not known
  std::optional<WallTime> not_after{};
  /// True time less the local wall clock, by a referee; nothing: nobody has told.
  std::optional<OffsetBound> truth{};
};

/// The first certificate of the chain that is not valid at `when`, the server's own first. Null:
/// all are, or the chain is not known. It dies with `failure`.
const CertificateLife* not_valid_at(const TransportFailure& failure, WallTime when) noexcept;

/// Which one it is, in words: "the certificate of HOST", `the intermediate certificate "X" that
/// HOST sends`.
std::string words_for(const CertificateLife& certificate, const std::string& host);

/// Whether a referee's time is later than that at which this program was built.
bool can_be_true(WallTime local, const OffsetBound& truth) noexcept;

/// Whose fault it is: by the referee, unless its time cannot be true; else by what every clock must
/// show, a time after this program was built.
CertificateFault fault_of(const OutOfTime& certificate) noexcept;

/// The same of a `tls_time`; `truth`: as OutOfTime has it.
CertificateFault fault_of(const TransportFailure& failure, WallTime local,
                          const std::optional<OffsetBound>& truth) noexcept;

/// Whether the local clock is surely wrong by what a referee tells.
bool is_off(const OffsetBound& truth) noexcept;

/// How far the local clock is surely behind, since this program was built at a later time than it
/// shows; 0 where it shows a later one.
Duration behind_at_least(WallTime local) noexcept;

}  // namespace skewguard::clocks
