#pragma once

#include <cstddef>
#include <cstdint>
#include <random>

#include "skewguard/time.hpp"

namespace skewguard::simulation {

/// What happens by chance in a random history; the same for the same seed.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : random_(seed) {}
  /// Uniform in [low, high).
  Duration between(Duration low, Duration high) {
    if (high <= low) return low;
    return low + Duration{static_cast<std::int64_t>(
                     random_() % static_cast<std::uint64_t>((high - low).count()))};
  }
  bool chance(double part) { return static_cast<double>(random_() % 1'000'000) < part * 1e6; }
  bool once_in(int n) { return below(n) == 0; }
  /// 0 to n - 1.
  int below(int n) { return static_cast<int>(random_() % static_cast<std::uint64_t>(n)); }
  template <typename T, std::size_t N>
  const T& one_of(const T (&all)[N]) {
    return all[below(static_cast<int>(N))];
  }
  std::uint64_t number() { return random_(); }

 private:
  std::mt19937_64 random_;
};

}  // namespace skewguard::simulation
