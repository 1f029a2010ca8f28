#pragma once

#include <vector>

#include "skewguard/time.hpp"

namespace skewguard::emulator {

/// A time by one host's own clock, since 1970-01-01T00:00:00Z.
using HostTime = Duration;

struct ClockOptions {
  Duration offset{0};    ///< host minus true time; positive = the host is ahead
  double drift_ppm = 0;  ///< positive = the host's clock runs fast
};

/// A clock that may be wrong: true time + offset + drift + steps. True time is the machine's wall
/// clock, read once at startup and then advanced with its boot clock, so a later step of the wall
/// clock does not affect the hosts. Pure; not thread-safe.
class SkewedClock {
 public:
  /// Offsets are clamped to this in both directions: more does not fit into a Date.
  static constexpr Duration kMaxOffset = std::chrono::hours{24 * 36525};  // 100 years
  static constexpr double kMaxDriftPpm = 500'000;
  static constexpr std::size_t kMaxSteps = 1000;  ///< that lie in the future

  SkewedClock(const Now& start, const ClockOptions& options);

  /// Another host's clock, based on the same true time.
  [[nodiscard]] SkewedClock sibling(const ClockOptions& options, const Now& now) const;

  [[nodiscard]] HostTime reading(Instant at) const noexcept;
  /// Host minus true time at `at`.
  [[nodiscard]] Duration offset(Instant at) const noexcept;
  [[nodiscard]] double drift_ppm() const noexcept { return drift_ppm_; }

  /// Sets the offset from `now` on. Scheduled steps remain.
  void set_offset(Duration offset, Instant now);
  void set_drift(double ppm, Instant now);
  void step(Duration by, Instant now);
  /// False if kMaxSteps are scheduled already.
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
  Instant anchor_;   // when the drift started
  Duration offset_;  // at anchor_
  double drift_ppm_;
  std::vector<Step> steps_;
};

}  // namespace skewguard::emulator
