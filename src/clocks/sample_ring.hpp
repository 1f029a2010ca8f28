#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "clocks/drifting_bound.hpp"

namespace skewguard::clocks {

/// One remembered Date header: its interval without staleness, and what tells it from others.
struct RawSample {
  DriftingBound bound;           ///< low anchored at `received`, high at `sent`
  std::chrono::seconds date{0};  ///< as the server wrote it
  std::uint64_t connection = 0;  ///< 0 = unknown
  std::uint8_t meets = 0;        ///< bit g: it meets the witness of group g (set by Groups)

  [[nodiscard]] UnslewedTime sent() const noexcept { return bound.high.at; }
  [[nodiscard]] UnslewedTime received() const noexcept { return bound.low.at; }
};

/// The newest samples, oldest first. Fixed size: never allocates.
class SampleRing {
 public:
  static constexpr std::size_t kCapacity = 64;

  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool full() const noexcept { return size_ == kCapacity; }
  /// 0 = the oldest. Precondition: index < size().
  [[nodiscard]] const RawSample& operator[](std::size_t index) const noexcept {
    return slots_[(first_ + index) % kCapacity];
  }
  [[nodiscard]] RawSample& operator[](std::size_t index) noexcept {
    return slots_[(first_ + index) % kCapacity];
  }
  [[nodiscard]] const RawSample& oldest() const noexcept { return (*this)[0]; }
  [[nodiscard]] const RawSample& newest() const noexcept { return (*this)[size_ - 1]; }

  /// Precondition: not full.
  void push(const RawSample& sample) noexcept {
    ++size_;
    (*this)[size_ - 1] = sample;
  }
  void pop_oldest() noexcept {
    first_ = (first_ + 1) % kCapacity;
    --size_;
  }
  void clear() noexcept { size_ = 0; }

  /// Keeps the samples for which `keep(index, sample)` holds, in their order.
  template <typename Keep>
  void keep_if(Keep keep) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < size_; ++i)
      if (keep(i, (*this)[i])) (*this)[kept++] = (*this)[i];
    size_ = kept;
  }

 private:
  std::array<RawSample, kCapacity> slots_{};
  std::size_t first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace skewguard::clocks
