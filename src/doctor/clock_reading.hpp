#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "clocks/probe_plan.hpp"
#include "clocks/skew_estimator.hpp"
#include "skewguard/time.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::doctor {

/// What one server's answers show about its clock. All offsets are server minus local wall clock at
/// the time of the reading: positive = the server is ahead = the local clock is behind.
struct ClockReading {
  std::string url;  ///< as requested
  /// Why there are no samples, or no more of them.
  std::optional<TransportFailure> failure{};
  std::size_t asked = 0;               ///< requests sent
  std::size_t samples = 0;             ///< answers whose Date could be used
  std::string no_sample;               ///< why the last of the others could not
  std::vector<std::string> addresses;  ///< of the server, or of the proxy, that were connected to
  std::string proxy{};                 ///< its place, "host:port"; empty = reached directly
  std::optional<Duration> rtt_min{};

  clocks::Picture picture = clocks::Picture::none;
  /// The server's offset: if one clock fits all answers, the narrow interval, with `staleness`
  /// added to its high end; otherwise the hull of all its clocks.
  std::optional<OffsetBound> bound{};
  std::optional<Duration> best{};  ///< the best single estimate; within `bound`
  Duration staleness{0};           ///< how late a date string may be, as `bound` counts it
  /// For verdicts: `bound` if flank probes have excluded a second clock with half of the answers,
  /// otherwise the hull of every clock that gave a sample. Its high end allows for Dates that are
  /// as late as the setting says.
  std::optional<OffsetBound> hull{};
  clocks::ProbePlan::Exclusion excluded{};
  bool alone = false;  ///< it has no second clock with half of the answers: `hull` rests on `bound`
  /// One for each clock if there are certainly several; a late Date does not count as a clock.
  std::vector<clocks::ClockGroup> groups;
  /// Its Date is updated only now and then: not a precise clock (`picture` is incoherent), but
  /// `bound` and `hull` contain its offset.
  bool renewed_late = false;
  std::size_t steps = 0;                ///< of its clock, while it was looked at
  std::optional<Duration> last_step{};  ///< positive = forward

  /// Its answers fit no clock: `bound` and `hull` are meaningless.
  [[nodiscard]] bool no_clock() const {
    return picture == clocks::Picture::incoherent && !renewed_late;
  }
  /// It shows one clock, or two that are too close to tell apart.
  [[nodiscard]] bool has_one_time() const {
    return hull && !no_clock() && picture != clocks::Picture::several_clocks;
  }
};

/// The difference of two offsets.
constexpr OffsetBound minus(const OffsetBound& one, const OffsetBound& other) {
  return {one.low - other.high, one.high - other.low};
}
/// Whether a clock within these bounds is certainly more than `max_skew` from the local one.
constexpr bool surely_off(const OffsetBound& bound, Duration max_skew) {
  return bound.low > max_skew || bound.high < -max_skew;
}
/// Whether any of its clocks is; false if it is not a clock.
bool surely_off(const ClockReading& reading, Duration max_skew);
/// Whether any clock of the one is certainly more than `max_skew` from any clock of the other.
bool surely_apart(const ClockReading& one, const ClockReading& other, Duration max_skew);

/// What a plan's answers show at `now`. The caller adds which server was asked and what went wrong.
/// `staleness`: for ClockReading::hull.
ClockReading clock_reading(const clocks::ProbePlan& plan, const Now& now, Duration staleness);

}  // namespace skewguard::doctor
