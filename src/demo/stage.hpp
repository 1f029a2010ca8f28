#pragma once

#include <atomic>
#include <memory>

#include "skewguard/transport.hpp"

namespace skewguard::demo {

/// A pretended machine on a real one: its clocks can be moved by themselves, and true time with
/// them. Thread-safe.
class Stage {
 public:
  /// `wall_offset`: local wall clock minus true time.
  Stage(std::shared_ptr<ClockSource> system, Duration wall_offset);

  /// What the local programs read.
  [[nodiscard]] std::shared_ptr<ClockSource> local() const;
  /// What the servers' clocks are set by.
  [[nodiscard]] ClockSource& truth() const;

  void step_wall(Duration by);
  /// CLOCK_BOOTTIME and the wall clock run on, CLOCK_MONOTONIC stands still.
  void suspend(Duration span);
  /// The hypervisor stops the machine: no local clock notices.
  void stand_still(Duration span);

 private:
  class Local;
  class Truth;
  std::shared_ptr<Local> local_;
  std::shared_ptr<Truth> truth_;
};

}  // namespace skewguard::demo
