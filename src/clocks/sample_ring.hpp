#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "clocks/drifting_bound.hpp"

namespace skewguard::clocks {

/// One remembered Date header: its interval without staleness, and what tells it from others.
struct RawSample {
  DriftingBound bound{};  ///< low anchored at `received`, high at `sent`
  UnslewedTime sent{};
  UnslewedTime received{};
  std::chrono::seconds date{0};  ///< as the server wrote it
  std::uint64_t connection = 0;  ///< 0 = unknown
  std::uint8_t meets = 0;        ///< bit g: it meets the witness of group g (set by Groups)
};

/// The newest samples, oldest first, and their hull. Fixed size: never allocates.
///
/// The hull costs O(1) for each sample on average: of the older part each sample knows the hull
/// from itself to the part's end, of the newer part there is one for all. When the last of the
/// older part has gone, all that is left becomes the older part.
class SampleRing {
 public:
  static constexpr std::size_t kCapacity = 64;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool full() const noexcept { return size_ == kCapacity; }
  /// 0 = the oldest. Precondition: index < size().
  [[nodiscard]] const RawSample& operator[](std::size_t index) const noexcept {
    return slots_[slot(index)];
  }
  [[nodiscard]] const RawSample& oldest() const noexcept { return (*this)[0]; }
  [[nodiscard]] const RawSample& newest() const noexcept { return (*this)[size_ - 1]; }
  /// Of all samples. Precondition: not empty.
  [[nodiscard]] DriftingBound hull() const noexcept {
    if (older_ == 0) return newer_;
    DriftingBound hull = tails_[slot(0)];
    if (older_ < size_) hull.widen(newer_);
    return hull;
  }

  /// Precondition: not full.
  void push(const RawSample& sample) noexcept {
    slots_[slot(size_)] = sample;
    if (older_ == size_) {
      newer_ = sample.bound;
    } else {
      newer_.widen(sample.bound);
    }
    ++size_;
  }
  /// Precondition: not empty.
  void pop_oldest() noexcept {
    if (older_ == 0) gather();
    first_ = (first_ + 1) % kCapacity;
    --size_;
    --older_;
  }
  void clear() noexcept { size_ = older_ = 0; }

  /// Keeps the samples for which `keep(index, sample)` holds, in their order.
  template <typename Keep>
  void keep_if(Keep keep) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i)
      if (keep(i, (*this)[i])) slots_[slot(kept++)] = (*this)[i];
    size_ = kept;
    gather();
  }
  /// Moves both ends of all samples outward.
  void spread(Duration by) noexcept {
    for (RawSample& sample : slots_) sample.bound.spread(by);
    gather();
  }
  /// Sets which groups the sample meets (RawSample::meets).
  void mark(std::size_t index, std::uint8_t meets) noexcept { slots_[slot(index)].meets = meets; }

 private:
  [[nodiscard]] std::size_t slot(std::size_t index) const noexcept {
    return (first_ + index) % kCapacity;
  }
  /// Makes all of them the older part.
  void gather() noexcept {
    for (std::size_t i = size_; i-- > 0;) {
      tails_[slot(i)] = (*this)[i].bound;
      if (i + 1 < size_) tails_[slot(i)].widen(tails_[slot(i + 1)]);
    }
    older_ = size_;
  }

  std::array<RawSample, kCapacity> slots_{};
  std::array<DriftingBound, kCapacity>
      tails_{};  ///< of the older part: from this sample to its end
  DriftingBound newer_;
  std::size_t first_ = 0;
  std::size_t size_ = 0;
  std::size_t older_ = 0;  ///< how many of them are the older part
};

}  // namespace skewguard::clocks
