#pragma once

#include <memory>

#include "skewguard/transport.hpp"

namespace skewguard::demo {

/// A virtual machine whose true time follows a real clock, so that programs on it can use real
/// sockets: its clocks can be stepped, and it can be suspended or stopped for hours in no time.
/// Thread-safe.
class Stage {
 public:
  /// `system`: the real clock. `wall_offset`: the local wall clock minus true time.
  Stage(const std::shared_ptr<ClockSource>& system, Duration wall_offset);

  /// What the local programs read.
  [[nodiscard]] std::shared_ptr<ClockSource> local() const;
  /// What the servers' clocks are set by.
  [[nodiscard]] ClockSource& truth() const;

  void step_wall(Duration by);
  /// Suspends the machine for `span` (>= 0): CLOCK_BOOTTIME and the wall clock run on,
  /// CLOCK_MONOTONIC stands still.
  void suspend(Duration span);
  /// Stops the machine for `span` (>= 0), as a hypervisor does: no local clock notices.
  void stand_still(Duration span);

 private:
  class Play;
  class Clock;
  std::shared_ptr<Play> play_;
  std::shared_ptr<Clock> local_;
  std::shared_ptr<Clock> truth_;
};

}  // namespace skewguard::demo
