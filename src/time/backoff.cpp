#include "time/backoff.hpp"

#include <algorithm>
#include <limits>

namespace skewguard::time {

std::uint64_t next_bits(std::uint64_t& state) noexcept {
  state += 0x9E3779B97F4A7C15U;
  std::uint64_t z = state;
  z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27U)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31U);
}

namespace {

/// Uniform in [0, 1): the upper 53 bits, as many as a double holds.
double next_unit(std::uint64_t& state) noexcept {
  return static_cast<double>(next_bits(state) >> 11U) * 0x1p-53;
}

/// min(first * 2^doublings, max), without overflow; never negative.
Duration ceiling(const Backoff::Options& options, unsigned doublings) noexcept {
  Duration ceiling = std::clamp(options.first, Duration{0}, std::max(options.max, Duration{0}));
  constexpr unsigned kBits = 63;  // of a Duration: more doublings change nothing
  for (unsigned i = 0; i < std::min(doublings, kBits) && ceiling < options.max; ++i) {
    ceiling = ceiling > options.max / 2 ? options.max : ceiling * 2;
  }
  return ceiling;
}

}  // namespace

Backoff::Backoff(Options options, std::uint64_t seed) noexcept : options_(options), state_(seed) {}

Duration Backoff::next() noexcept {
  const Duration max = ceiling(options_, step_);
  if (step_ < std::numeric_limits<unsigned>::max()) ++step_;
  const Duration least = max / 2;
  const auto extra = static_cast<double>((max - least).count()) * next_unit(state_);
  return std::min(least + Duration{static_cast<Duration::rep>(extra)}, max);
}

double Jitter::next() noexcept {
  return next_unit(state_);
}

}  // namespace skewguard::time
