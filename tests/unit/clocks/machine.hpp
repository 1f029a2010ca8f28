#pragma once

#include <chrono>

#include "skewguard/time.hpp"
#include "time/date_sample.hpp"

/// A machine whose clocks a test sets, and servers that answer it.
namespace skewguard::clocks::testing {

using namespace std::chrono_literals;

/// 2026-01-01T00:00:00Z: what a right server clock shows at boot time 0.
inline constexpr std::chrono::seconds kEpoch{1'767'225'600};

/// Local clocks at crystal time `at`, of which `slept` was suspended, with the wall clock off by
/// `wall_ahead`.
inline Now at(Duration at, Duration slept = 0s, Duration wall_ahead = 0s) {
  return Now{.boot = Instant{at},
             .wall = WallTime{kEpoch + at + wall_ahead},
             .mono = MonotonicTime{at - slept},
             .raw = RawTime{at - slept}};
}

inline UnslewedTime unslewed(Duration at) {
  return UnslewedTime{at};
}

/// An answer of a server that is `ahead` of a right clock: sent at `sent`, stamped half way, its
/// date string `late`.
struct Heard {
  Duration sent{};
  Duration ahead{};
  Duration rtt = 20ms;
  Duration late{};
  std::uint64_t connection = 0;
  Duration slept{};
  Duration wall_ahead{};

  operator time::DateSample() const {  // NOLINT(google-explicit-constructor)
    const Duration stamped = kEpoch + sent + rtt / 2 + ahead - late;
    return {.sent = at(sent, slept, wall_ahead),
            .received = at(sent + rtt, slept, wall_ahead),
            .date = std::chrono::floor<std::chrono::seconds>(stamped),
            .connection = connection};
  }
};

/// The true offset (server minus unslewed time) of a clock that is `ahead`.
inline Duration offset(Duration ahead) {
  return kEpoch + ahead;
}

}  // namespace skewguard::clocks::testing
