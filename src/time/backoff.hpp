#pragma once

#include <cstdint>

#include "skewguard/time.hpp"

namespace skewguard::time {

/// The next 64 pseudo-random bits: splitmix64 (Steele, Lea, Flood 2014). Not for secrets.
std::uint64_t next_bits(std::uint64_t& state) noexcept;

/// Exponential backoff with jitter in the upper half: the n-th delay is in [d/2, d], with d =
/// min(first * 2^n, max). Deterministic for a given seed. Not thread-safe.
class Backoff {
 public:
  struct Options {
    Duration first =
        std::chrono::milliseconds{500};       ///< a login host that restarts needs about that
    Duration max = std::chrono::seconds{30};  ///< longer, and recovery is noticed too late
  };
  Backoff(Options options, std::uint64_t seed) noexcept;
  /// The next delay; each call doubles the ceiling.
  Duration next() noexcept;
  /// Back to the first delay, after a success.
  void reset() noexcept { step_ = 0; }
  [[nodiscard]] unsigned steps() const noexcept { return step_; }

 private:
  Options options_;
  std::uint64_t state_;
  unsigned step_ = 0;
};

/// A small deterministic generator (splitmix64): for jitter, never for secrets.
class Jitter {
 public:
  explicit Jitter(std::uint64_t seed) noexcept : state_(seed) {}
  /// Uniform in [0, 1).
  double next() noexcept;

 private:
  std::uint64_t state_;
};

}  // namespace skewguard::time
