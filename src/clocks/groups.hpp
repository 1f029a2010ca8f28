#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <vector>

#include "clocks/drifting_bound.hpp"
#include "clocks/sample_ring.hpp"

namespace skewguard::clocks {

/// How many clocks the samples of one name need: greedy disjoint witnesses, sorted by high end.
///
/// The sample whose high end is lowest is the first witness; each next one is the first whose low
/// end lies above the witness before. A sample meets a group if it meets the group's witness, so
/// each sample meets at least one, and all that meet one group alone share a point: they narrow
/// it. A sample that meets several is ambiguous and narrows none.
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
  std::array<DriftingBound, kMax> bounds_{};
  std::size_t size_ = 0;
  bool incoherent_ = false;
};

/// A clean split in time: the samples from index `start` on come from a clock that moved.
struct Split {
  std::size_t start = 0;  ///< of the first sample of the newest group
  Duration size{0};       ///< from the group before to the newest, midpoint to midpoint
};

/// Finds a step: no group comes back after another had followed it, the newest has at least three
/// samples of its own and those before it too, and it lies more than `late` from every other. A
/// Date that did not move while its offset did is no step but a frozen Date.
std::optional<Split> find_split(const Groups& groups, const SampleRing& samples, UnslewedTime at,
                                DriftRate rate, Duration late);

/// Each group's part of the samples, 0..1. One that meets several counts for the group that its
/// connection is known to belong to, else for each pro rata.
std::array<double, Groups::kMax> shares(const Groups& groups, const SampleRing& samples);

}  // namespace skewguard::clocks
