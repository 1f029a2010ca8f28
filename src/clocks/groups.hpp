#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "clocks/drifting_bound.hpp"
#include "clocks/sample_ring.hpp"

namespace skewguard::clocks {

/// How many clocks the samples of one name need, and where each of them may be.
///
/// From below: the sample whose high end is lowest needs a clock no higher than that end; each next
/// clock is needed by the first sample, in order of high ends, whose low end lies above the clock
/// before. So the fewest clocks are counted, and each is put as high as it can be. From above the
/// same gives as many clocks, each as low as it can be. If there are no more clocks than that, each
/// lies between its two places: that is the group. A sample meets a group if the two overlap, so
/// each meets at least one; one that meets several is ambiguous.
class Groups {
 public:
  static constexpr std::size_t kMax = 4;

  /// Sorts `samples` into groups as at `at` (not before any sample) and marks each with the groups
  /// that it meets.
  static Groups of(SampleRing& samples, UnslewedTime at, DriftRate rate);

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// More than kMax groups would be needed: not a clock at all. The first kMax stand here.
  [[nodiscard]] bool incoherent() const noexcept { return incoherent_; }
  /// In ascending order of offset. Precondition: index < size().
  [[nodiscard]] const DriftingBound& operator[](std::size_t index) const noexcept {
    return bounds_[index];
  }
  /// The hull of all groups. Precondition: size() > 0.
  [[nodiscard]] DriftingBound hull() const noexcept {
    return {bounds_[0].low, bounds_[size_ - 1].high};
  }
  /// What lies between groups `a` < `b`; negative where they meet by now.
  [[nodiscard]] Duration gap(std::size_t a, std::size_t b, UnslewedTime at,
                             DriftRate rate) const noexcept {
    return bounds_[b].at(at, rate).low - bounds_[a].at(at, rate).high;
  }
  [[nodiscard]] Duration middle(std::size_t group, UnslewedTime at, DriftRate rate) const noexcept;

 private:
  void raise_lows(const SampleRing& samples, UnslewedTime at, DriftRate rate);

  std::array<DriftingBound, kMax> bounds_{};
  std::size_t size_ = 0;
  bool incoherent_ = false;
};

/// A clean split in time: the samples from index `start` on come from a clock that moved.
struct Split {
  std::size_t start = 0;  ///< of the first sample of the newest group
  Duration size{0};       ///< from the group before to the newest, midpoint to midpoint
};

/// Whether one clock can have given all samples if its Date is updated only now and then and is
/// late between: no Date went back, and each was right when it was renewed. Precondition: there is
/// a sample. O(n^2).
bool explained_by_late_renewals(const SampleRing& samples, UnslewedTime at, DriftRate rate);

/// Finds a step: no group comes back after another had followed it, the newest has at least three
/// samples of its own and those before it too, and it lies more than `late` from every other. A
/// Date that did not move while its offset did is no step but a frozen Date.
std::optional<Split> find_split(const Groups& groups, const SampleRing& samples, UnslewedTime at,
                                DriftRate rate, Duration late);

/// Each group's part of the samples, 0..1. One that meets several counts for the group that its
/// connection is known to belong to, else for each pro rata.
std::array<double, Groups::kMax> shares(const Groups& groups, const SampleRing& samples);

}  // namespace skewguard::clocks
