#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace skewguard::oauth {

/// Which of the last generations the API accepted and then refused early in their lifetimes. A
/// single one was revoked; several in a row mean that someone else's new tokens replace ours.
class EarlyEnds {
 public:
  /// Generations are reported in any order, possibly several times; the last kKept are remembered.
  void note(std::uint64_t generation) noexcept {
    if (contains(generation)) return;
    last_[next_++ % kKept] = generation;
  }
  /// How many consecutive generations, up to the one before `generation`, ended like this:
  /// 0..kKept.
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
