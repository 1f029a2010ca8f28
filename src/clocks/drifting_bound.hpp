#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "skewguard/time.hpp"

/// Intervals whose ends move apart as they age.
namespace skewguard::clocks {

/// The maximum drift between a server's clock and the local crystal. Stored as a multiple of 2^-44,
/// rounded up (never less than requested; at most 1 %), so that a product is one multiplication.
class DriftRate {
 public:
  explicit DriftRate(double parts_per_one) noexcept
      : scaled_(static_cast<std::int64_t>(
            std::ceil(std::ldexp(std::clamp(parts_per_one, 0.0, 0.01), kScale)))) {}

  /// Drift over `span` (either sign), toward minus infinity.
  [[nodiscard]] Duration floor(Duration span) const noexcept {
    return Duration{static_cast<std::int64_t>((Wide{span.count()} * scaled_) >> kScale)};
  }
  /// The same, toward plus infinity: moving an end outward by it is always enough.
  [[nodiscard]] Duration over(Duration span) const noexcept { return -floor(-span); }

 private:
  __extension__ using Wide = __int128;
  static constexpr int kScale = 44;
  std::int64_t scaled_;
};

/// An interval of (server minus unslewed local time), and how it grows: `low` falls and `high`
/// rises by the drift rate. Since all ends drift at one rate, which of two lows (or highs) is the
/// outer one never changes with time: each end is kept as the number that it would have been at
/// unslewed time 0, and one interval sums up any number of samples.
struct DriftingBound {
  Duration low{0};   ///< at unslewed time t the low end is low - rate * t
  Duration high{0};  ///< and the high end high + rate * t
  friend bool operator==(const DriftingBound&, const DriftingBound&) = default;

  /// The interval whose low end was right at `low_at` and whose high end was at `high_at`; wider
  /// by less than 1 ns.
  static DriftingBound anchored(const OffsetBound& bound, UnslewedTime low_at, UnslewedTime high_at,
                                DriftRate rate) noexcept {
    return {bound.low + rate.floor(low_at.time_since_epoch()),
            bound.high - rate.floor(high_at.time_since_epoch())};
  }
  /// As at `when`, which lies not before the moments at which the ends were right.
  [[nodiscard]] OffsetBound at(UnslewedTime when, DriftRate rate) const noexcept {
    const Duration drift = rate.over(when.time_since_epoch());
    return {low - drift, high + drift};
  }

  /// Intersects with another. Returns true if either end moved inward.
  bool narrow(const DriftingBound& other) noexcept {
    const bool tighter = other.low > low || other.high < high;
    low = std::max(low, other.low);
    high = std::min(high, other.high);
    return tighter;
  }
  /// The hull with another.
  void widen(const DriftingBound& other) noexcept {
    low = std::min(low, other.low);
    high = std::max(high, other.high);
  }
  /// Moves both ends outward, whatever their age.
  void spread(Duration by) noexcept {
    low -= by;
    high += by;
  }
};

}  // namespace skewguard::clocks
