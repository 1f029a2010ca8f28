#pragma once

#include "skewguard/time.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::system {

/// The kernel's clocks. This is the only place in skewguard that reads clocks. Thread-safe.
class SystemClocks : public ClockSource {
 public:
  /// Reads the boot clock before and after the others: `boot` is the middle of the two readings,
  /// `gap` their distance, and all others were read in between.
  [[nodiscard]] Now now() override;
  [[nodiscard]] Instant boot_now() override;
};

}  // namespace skewguard::system
