#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace skewguard::oauth {

/// Which of the last generations the API took and then refused early in their lives. One alone was
/// revoked; several running tell of somebody else whose new tokens take the place of ours.
class EarlyEnds {
 public:
  /// Generations are told in any order, and again by each caller; the last kKept are remembered.
  void note(std::uint64_t generation) noexcept {
    if (contains(generation)) return;
    last_[next_++ % kKept] = generation;
  }
  /// How many generations running, up to the one before `generation`, ended so: 0..kKept.
  [[nodiscard]] unsigned running_before(std::uint64_t generation) const noexcept {
    unsigned running = 0;
    while (running + 1 < generation && contains(generation - running - 1)) ++running;
    return running;
  }

 private:
  static constexpr std::size_t kKept = 8;
  [[nodiscard]] bool contains(std::uint64_t generation) const noexcept {
    for (const std::uint64_t one : last_) {
      if (one == generation && one != 0) return true;
    }
    return false;
  }

  std::array<std::uint64_t, kKept> last_{};  ///< 0 = none: generations count from 1
  std::size_t next_ = 0;
};

}  // namespace skewguard::oauth
