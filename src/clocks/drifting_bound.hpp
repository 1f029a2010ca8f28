#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "skewguard/time.hpp"

/// Intervals whose ends move apart as they age. All sums are exact in int64 nanoseconds.
namespace skewguard::clocks {

/// Most that a server's clock and the local crystal drift apart, as whole nanoseconds for each
/// second (rounded up, so never less than what was asked for; at most 1 %).
class DriftRate {
 public:
  explicit DriftRate(double parts_per_one) noexcept
      : ns_per_s_(
            static_cast<std::int64_t>(std::ceil(std::clamp(parts_per_one, 0.0, 0.01) * 1e9))) {}

  /// Drift over `age` (>= 0), rounded up: an end moved by it is never narrower than the truth.
  [[nodiscard]] Duration over(Duration age) const noexcept { return Duration{-floor_of(-age)}; }
  /// Drift over `age` (either sign), rounded towards minus infinity: for exact comparisons.
  [[nodiscard]] Duration floor_over(Duration age) const noexcept { return Duration{floor_of(age)}; }

 private:
  /// A rate in ns per s times whole seconds is exact; only what is left of a second is rounded.
  [[nodiscard]] std::int64_t floor_of(Duration age) const noexcept {
    constexpr std::int64_t kSecond = 1'000'000'000;
    std::int64_t seconds = age.count() / kSecond;
    std::int64_t rest = age.count() % kSecond;
    if (rest < 0) {
      rest += kSecond;
      --seconds;
    }
    return seconds * ns_per_s_ + rest * ns_per_s_ / kSecond;
  }

  std::int64_t ns_per_s_;
};

/// One end of an interval and the moment from which it drifts outward.
struct DriftingEnd {
  Duration value{0};  ///< server minus unslewed local time
  UnslewedTime at{};
  friend bool operator==(const DriftingEnd&, const DriftingEnd&) = default;
};

/// An interval of offsets, and how it grows: `low` falls and `high` rises by the drift rate from
/// their own moments on. Since all ends drift at one rate, which of two lows (or highs) is the
/// outer one never changes with time: so one end for each side sums up any number of samples.
struct DriftingBound {
  DriftingEnd low;
  DriftingEnd high;
  friend bool operator==(const DriftingBound&, const DriftingBound&) = default;

  /// As at `when`, which lies not before either end's moment.
  [[nodiscard]] Duration low_at(UnslewedTime when, DriftRate rate) const noexcept {
    return low.value - rate.over(when - low.at);
  }
  [[nodiscard]] Duration high_at(UnslewedTime when, DriftRate rate) const noexcept {
    return high.value + rate.over(when - high.at);
  }

  /// Intersects with another. True if either end moved inward.
  bool narrow(const DriftingBound& other, DriftRate rate) noexcept {
    const bool low_rises = !low_at_most(other.low, low, rate);
    const bool high_falls = !high_at_most(high, other.high, rate);
    if (low_rises) low = other.low;
    if (high_falls) high = other.high;
    return low_rises || high_falls;
  }

  /// The hull with another.
  void widen(const DriftingBound& other, DriftRate rate) noexcept {
    if (low_at_most(other.low, low, rate)) low = other.low;
    if (!high_at_most(other.high, high, rate)) high = other.high;
  }

  /// Moves both ends outward, whatever their age.
  void spread(Duration by) noexcept {
    low.value -= by;
    high.value += by;
  }

  /// Low end `a` lies as low as `b` or lower, for good: a.value + rate * a.at <= b.value +
  /// rate * b.at, exactly.
  static bool low_at_most(const DriftingEnd& a, const DriftingEnd& b, DriftRate rate) noexcept {
    return a.value - b.value <= rate.floor_over(b.at - a.at);
  }
  /// High end `a` lies as low as `b` or lower, for good.
  static bool high_at_most(const DriftingEnd& a, const DriftingEnd& b, DriftRate rate) noexcept {
    return a.value - b.value <= rate.floor_over(a.at - b.at);
  }
};

}  // namespace skewguard::clocks
