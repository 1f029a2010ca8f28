#pragma once

#include <vector>

#include "skewguard/time.hpp"

namespace skewguard::emulator {

/// One host's time: since 1970-01-01T00:00:00Z, by that host's own clock.
using HostTime = Duration;

struct ClockOptions {
  Duration offset{0};    ///< host minus true time; positive = the host is ahead
  double drift_ppm = 0;  ///< positive = the host's clock runs fast
};

/// A clock that may be wrong: true time + offset + drift + the steps it has made. True time is the
/// machine's wall clock as read once at the start, then counted on its boot clock, so that a later
/// step of the wall clock moves no host. Pure; not thread-safe.
class SkewedClock {
 public:
  /// An offset beyond it, either way, stays at it: what a Date can still say.
  static constexpr Duration kMaxOffset = std::chrono::hours{24 * 36525};  // 100 years
  static constexpr double kMaxDriftPpm = 500'000;
  static constexpr std::size_t kMaxSteps = 1000;  ///< that lie in the future

  SkewedClock(const Now& start, const ClockOptions& options);

  /// Another host's clock, on the same true time.
  [[nodiscard]] SkewedClock sibling(const ClockOptions& options, const Now& now) const;

  [[nodiscard]] HostTime reading(Instant at) const noexcept;
  /// Host minus true time at `at`.
  [[nodiscard]] Duration offset(Instant at) const noexcept;
  [[nodiscard]] double drift_ppm() const noexcept { return drift_ppm_; }

  /// From `now` on. The steps still to come stay.
  void set_offset(Duration offset, Instant now);
  void set_drift(double ppm, Instant now);
  void step(Duration by, Instant now);
  /// False where kMaxSteps wait already.
  bool step_at(Instant when, Duration by);
  [[nodiscard]] std::size_t steps_to_come(Instant now) const noexcept;

 private:
  void settle(Instant now);

  struct Step {
    Instant when;
    Duration by;
  };
  Instant start_;
  HostTime true_at_start_;
  Instant anchor_;   // where drift is counted from
  Duration offset_;  // at anchor_
  double drift_ppm_;
  std::vector<Step> steps_;
};

}  // namespace skewguard::emulator
