#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "skewguard/time.hpp"
#include "time/date_sample.hpp"

/// A machine, a network and servers' clocks on virtual time, all with known true values.
namespace skewguard::testing {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// splitmix64: the same numbers everywhere from the same seed.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }
  /// In [0, 1).
  double unit() { return static_cast<double>(next() >> 11U) * 0x1.0p-53; }
  bool chance(double probability) { return unit() < probability; }
  /// In [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }
  Duration between(Duration low, Duration high) {
    return Duration{between(low.count(), high.count())};
  }
  double exponential() { return -std::log(1.0 - unit()); }
  double normal() {
    return std::sqrt(-2.0 * std::log(1.0 - unit())) * std::cos(6.283185307179586 * unit());
  }

 private:
  std::uint64_t state_;
};

/// The round trip of a request.
class Network {
 public:
  explicit Network(Random& random)
      : shape_(random.between(0, 3)),
        min_(random.between(milliseconds{0}, milliseconds{200})),
        scale_ms_(std::exp(random.unit() * 7.0)),  // 1 ms .. 1.1 s
        forward_(random.unit()) {}

  struct Delay {
    Duration there;
    Duration back;
  };
  Delay draw(Random& random) const {
    double ms = 0;
    if (shape_ == 1) ms = scale_ms_ * random.exponential();
    if (shape_ == 2) ms = scale_ms_ * std::exp(random.normal());
    if (shape_ == 3) ms = scale_ms_ * (std::pow(1.0 - random.unit(), -1.0 / 1.2) - 1.0);
    const Duration rtt = min_ + Duration{static_cast<std::int64_t>(std::min(ms, 60e3) * 1e6)};
    // Usually the history's own asymmetry, sometimes all on one leg.
    const double part = random.chance(0.8) ? forward_ : std::round(random.unit());
    const Duration there{static_cast<std::int64_t>(static_cast<double>(rtt.count()) * part)};
    return {there, rtt - there};
  }

 private:
  std::int64_t shape_;  ///< 0 constant, 1 exponential, 2 lognormal, 3 heavy tail (Pareto, 1.2)
  Duration min_;
  double scale_ms_;
  double forward_;  ///< the part of the round trip that is the way there
};

/// The true course of a clock: server minus unslewed local time, drifting at `rate` ns per second.
struct Course {
  Duration offset{0};
  std::int64_t rate = 0;
};

/// The machine and all courses. After a step, the course as it would have continued is kept: the
/// earlier samples are about it.
class ClockHistory {
 public:
  explicit ClockHistory(Random& random)
      : time_(random.between(seconds{0}, seconds{1'000'000})),
        max_gap_(random.chance(0.5) ? Duration{0} : Duration{random.between(1, 100'000)}) {}

  std::vector<Course> courses;
  std::int64_t slew = 0;  ///< of CLOCK_BOOTTIME and _MONOTONIC against the crystal, ns per s
  Duration wall_ahead{0};

  void pass(Duration span) {
    time_ += span;
    slewed_ += drift(span, slew);
    for (Course& course : courses) course.offset += drift(span, course.rate);
  }
  /// Sleeps for `span` by our boot clock; in truth it was longer by `error` (negative: shorter).
  void suspend(Duration span, Duration error) {
    pass(span);
    slept_ += span;
    for (Course& course : courses) course.offset += error;
  }

  [[nodiscard]] UnslewedTime time() const { return UnslewedTime{time_}; }
  /// Reads all local clocks, each at its own moment within a small gap; the gap passes.
  [[nodiscard]] Now read(Random& random) {
    const auto moment = [&] {
      return max_gap_.count() == 0 ? Duration{0} : random.between(Duration{0}, max_gap_);
    };
    Now now;
    now.gap = max_gap_;
    now.raw = RawTime{time_ - slept_ + moment()};
    now.mono = MonotonicTime{time_ - slept_ + slewed_ + moment()};
    now.boot = Instant{time_ + slewed_ + moment()};
    now.wall = WallTime{seconds{1'700'000'000} + time_ + wall_ahead + moment()};
    pass(max_gap_);
    return now;
  }
  /// What a clock shows now if its date string is late by `late`.
  [[nodiscard]] std::chrono::seconds date_of(std::size_t course, Duration late) const {
    return std::chrono::floor<seconds>(time_ + courses[course].offset - late);
  }
  /// The true CLOCK_BOOTTIME now.
  [[nodiscard]] Duration boot() const { return time_ + slewed_; }
  [[nodiscard]] Duration wall() const { return seconds{1'700'000'000} + time_ + wall_ahead; }

  static Duration drift(Duration span, std::int64_t rate) {
    constexpr std::int64_t kSecond = 1'000'000'000;
    return Duration{span.count() / kSecond * rate + span.count() % kSecond * rate / kSecond};
  }

 private:
  Duration time_;      ///< the crystal through suspend: unslewed time
  Duration slept_{0};  ///< boot - mono
  Duration slewed_{0};
  Duration max_gap_;
};

}  // namespace skewguard::testing
