#pragma once

#include "skewguard/time.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::system {

/// The clocks of the kernel: the one place in skewguard that reads any. Thread-safe.
class SystemClocks : public ClockSource {
 public:
  /// Reads the boot clock on either side of the others: `boot` is the middle of the two readings,
  /// and all the others were read within `gap`, their distance.
  [[nodiscard]] Now now() override;
  [[nodiscard]] Instant boot_now() override;
};

}  // namespace skewguard::system
