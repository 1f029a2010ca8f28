#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "skewguard/time.hpp"
#include "time/date_sample.hpp"

namespace skewguard::clocks {

struct EstimatorOptions {
  /// Most that the server's clock and the local crystal drift apart, in parts per 1. 600 ppm = a
  /// crystal's 100 + a server being slewed by 500.
  double drift = 600e-6;
  /// How late a server's date string may be (>= 0); widens the high end only.
  Duration staleness = std::chrono::seconds{1};
  /// What a suspend (boot ran on while mono stood) adds to both ends of what was known before it.
  Duration suspend_widening = std::chrono::seconds{2};
};

/// What one observation did.
enum class Observed {
  narrowed,    ///< a bound got tighter
  consistent,  ///< agrees, nothing new
  rebuilt,     ///< contradicted what was known: the groups were made anew
  stepped,     ///< a clean split in time: the clock stepped; the newest group is kept
  dropped,     ///< not a usable sample (received before sent, say)
};

/// What kind of picture the samples give.
enum class Picture {
  none,                  ///< no sample
  one_clock,             ///< one interval fits them all
  late_or_second_clock,  ///< a gap of at most 1.1 s: a late date string, or a second clock; name
                         ///< neither
  several_clocks,        ///< two to four groups
  incoherent,            ///< more than four groups: not a clock at all
};

struct ClockGroup {
  OffsetBound offset;  ///< server minus unslewed local time
  double share = 1.0;  ///< of the samples, 0..1
  std::size_t samples = 0;
};

/// The offset interval of one name's clock or clocks, from passive Date samples alone.
/// All offsets are server minus UnslewedTime. Pure: no clock is read. Not thread-safe.
/// Sound: the hull holds the true offset of every clock that gave a sample, as long as drift,
/// staleness and the truncation to whole seconds stay within the options.
class SkewEstimator {
 public:
  static constexpr std::size_t kMaxSamples = 64;
  static constexpr std::size_t kMaxGroups = 4;

  explicit SkewEstimator(EstimatorOptions options = {});

  /// Takes one sample. O(1), no allocation, unless it contradicts what is known.
  Observed observe(const time::DateSample& sample);

  /// The cautious hull at `at`: every clock that gave a sample (and has not been left behind by a
  /// step) lies in it. Includes staleness on the high end. Nothing without a sample. O(1).
  [[nodiscard]] std::optional<OffsetBound> hull(UnslewedTime at) const;
  /// The same without staleness: what an always prompt server would allow. At most as wide.
  [[nodiscard]] std::optional<OffsetBound> prompt_hull(UnslewedTime at) const;

  [[nodiscard]] Picture picture() const noexcept;
  /// One entry for each group, largest share first, as at `at`.
  [[nodiscard]] std::vector<ClockGroup> groups(UnslewedTime at) const;
  [[nodiscard]] std::size_t samples() const noexcept;  ///< ever taken
  [[nodiscard]] std::optional<Duration> rtt_min() const noexcept;
  [[nodiscard]] std::size_t steps() const noexcept;  ///< steps of this server's clock seen
  /// The size of the last step (positive = it jumped forward), midpoint to midpoint.
  [[nodiscard]] std::optional<Duration> last_step() const noexcept;
  [[nodiscard]] const EstimatorOptions& options() const noexcept;

  /// The machine stood still for about `gap` (a VM stopped): every server's offset jumped up by it.
  /// What was known before `at` no longer bounds anything; keeps only what is newer.
  void forget_before(UnslewedTime at);
};

}  // namespace skewguard::clocks
