#pragma once

#include <optional>
#include <string>

#include "skewguard/time.hpp"

namespace skewguard::doctor {

/// What one NTP server says. Offsets are relative to the local wall clock: positive = the local
/// clock is behind.
struct NtpReading {
  std::string host;                     ///< as requested
  std::string address;                  ///< that answered: "192.0.2.1:123"; empty = none has
  std::optional<OffsetBound> server{};  ///< its own clock
  std::optional<OffsetBound> truth{};   ///< true time, as it claims to know it
  int stratum = 0;
  std::string failure;  ///< why there is no result; empty if there is one

  /// `failure` without the leading name or address if `host` already says it.
  [[nodiscard]] std::string why() const;
};

}  // namespace skewguard::doctor
