#pragma once

#include <cstddef>
#include <optional>

#include "skewguard/time.hpp"

namespace skewguard::clocks {

/// Observes how this machine's clocks move relative to each other: steps of the wall clock,
/// suspends, and how fast the kernel makes its clock run. Gets each reading, oldest first. Pure.
///
/// The kernel slews the wall clock and the boot clock alike, and lets both run through a suspend:
/// whatever moves one against the other is a step (a setting, a leap second), of any size.
class LocalWatch {
 public:
  /// Between two readings.
  struct Seen {
    Duration wall_step{0};  ///< of the wall clock; positive = forward. 0: too small to detect
    Duration suspended{0};  ///< how long the machine was suspended (>= 0). 0: not for sure
  };
  /// Since the reading before; nothing is seen in the first.
  Seen see(const Now& now) noexcept;

  /// Rate of the slewed clock (CLOCK_MONOTONIC) less that of the bare crystal, in parts per
  /// million; positive = the clock is made to run faster.
  struct Rate {
    double low_ppm;
    double high_ppm;
  };

  /// Over all readings, from the first to the last.
  [[nodiscard]] Duration span() const noexcept;  ///< on the boot clock
  [[nodiscard]] std::size_t wall_steps() const noexcept { return wall_steps_; }
  [[nodiscard]] std::size_t suspends() const noexcept { return suspends_; }
  /// How far the wall clock was stepped in all, small steps included that no two neighboring
  /// readings show; positive = forward. An interval, since clocks are not read at one moment.
  [[nodiscard]] OffsetBound wall_moved() const noexcept;
  [[nodiscard]] OffsetBound suspended() const noexcept;
  /// On average; nothing until the crystal has run for a while.
  [[nodiscard]] std::optional<Rate> rate() const noexcept;

 private:
  std::optional<Now> first_;
  Now last_;
  std::size_t wall_steps_ = 0;
  std::size_t suspends_ = 0;
};

}  // namespace skewguard::clocks
