#pragma once

#include <cstdint>

#include "skewguard/time.hpp"

namespace skewguard::time {

/// HTTP dates are truncated to whole seconds.
inline constexpr Duration kTick = std::chrono::seconds{1};

/// One Date header as a measurement. The server stamped it
/// between `sent` and `received`, so server - local lies in (date - received, date + 1 s - sent).
struct DateSample {
  Now sent{};
  Now received{};
  std::chrono::seconds date{};   ///< what the server wrote: whole seconds, truncated, since 1970
  std::uint64_t connection = 0;  ///< the same connection = evidence for the same clock; 0 = unknown
};

}  // namespace skewguard::time
