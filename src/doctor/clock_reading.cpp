#include "doctor/clock_reading.hpp"

#include <algorithm>

namespace skewguard::doctor {
namespace {

using clocks::Picture;

/// An unnoticed second clock that gives no more of the answers than this may be ignored: seven
/// flank probes on each side have passed.
constexpr double kShareThatMatters = 0.49;

OffsetBound against_wall(OffsetBound bound, const Now& now) {
  const Duration shift = now.unslewed().time_since_epoch() - now.wall.time_since_epoch();
  // The sum of four readings taken within one gap of each other.
  return {bound.low + shift - 3 * now.gap, bound.high + shift + 3 * now.gap};
}

/// A Date that is late by up to a few seconds.
void tell_by_renewals(ClockReading& reading, OffsetBound shown, const Now& now,
                      Duration staleness) {
  shown = against_wall(shown, now);
  if (reading.picture == Picture::late_or_second_clock) {  // it may still be a second clock
    reading.bound->high = std::max(reading.bound->high, shown.high);
    reading.hull->high = std::max(reading.hull->high, shown.high + staleness);
    return;
  }
  reading.picture = Picture::incoherent;
  reading.renewed_late = true;
  reading.alone = false;
  reading.excluded = {};
  reading.steps = 0;
  reading.bound = shown;
  reading.hull = OffsetBound{shown.low, shown.high + staleness};
  reading.best = shown.middle();
}

/// One for each clock behind the name.
std::vector<OffsetBound> clocks_of(const ClockReading& reading) {
  if (!reading.bound || reading.no_clock()) return {};
  if (reading.picture != Picture::several_clocks) return {*reading.bound};
  std::vector<OffsetBound> clocks;
  clocks.reserve(reading.groups.size());
  for (const clocks::ClockGroup& group : reading.groups) clocks.push_back(group.offset);
  return clocks;
}

}  // namespace

bool surely_off(const ClockReading& reading, Duration max_skew) {
  return std::ranges::any_of(clocks_of(reading),
                             [&](const auto& bound) { return surely_off(bound, max_skew); });
}

bool surely_apart(const ClockReading& one, const ClockReading& other, Duration max_skew) {
  const auto others = clocks_of(other);
  return std::ranges::any_of(clocks_of(one), [&](const OffsetBound& a) {
    return std::ranges::any_of(
        others, [&](const OffsetBound& b) { return surely_off(minus(a, b), max_skew); });
  });
}

ClockReading clock_reading(const clocks::ProbePlan& plan, const Now& now, Duration staleness) {
  const clocks::SkewEstimator& known = plan.estimator();
  const UnslewedTime at = now.unslewed();
  ClockReading reading;
  reading.asked = plan.probes_sent();
  reading.samples = known.samples();
  reading.rtt_min = known.rtt_min();
  reading.steps = plan.steps();
  reading.last_step = known.last_step();
  if (reading.samples == 0) return reading;
  reading.picture = known.picture();
  const bool one = reading.picture == Picture::one_clock;
  if (reading.picture == Picture::several_clocks && plan.kept_dates())
    reading.picture = Picture::incoherent;
  const OffsetBound hull = *known.prompt_hull(at);
  OffsetBound bound = plan.borne_out(at).value_or(hull);
  reading.staleness = plan.lateness(at);
  if (one) bound.high += reading.staleness - clocks::ProbePlan::kPrompt;
  reading.bound = against_wall(bound, now);
  if (!one) reading.staleness = std::max(reading.staleness, staleness);
  reading.excluded = plan.excluded(at);
  reading.alone = one && reading.excluded.share <= kShareThatMatters;
  const OffsetBound& sure = reading.alone ? bound : hull;
  reading.hull = against_wall({sure.low, sure.high + staleness}, now);
  const Duration shift = at.time_since_epoch() - now.wall.time_since_epoch();
  const auto best = plan.best(at);  // empty if a step has invalidated all answers
  reading.best = std::clamp(best ? *best + shift : reading.bound->middle(), reading.bound->low,
                            reading.bound->high);
  if (const auto shown = plan.by_renewals(at)) {
    tell_by_renewals(reading, *shown, now, staleness);
    reading.staleness = std::max(reading.staleness, plan.lateness(at));
  }
  if (reading.picture != Picture::several_clocks) return reading;
  reading.groups = known.groups(at);
  for (clocks::ClockGroup& group : reading.groups) {
    group.offset = against_wall(group.offset, now);
    group.best += shift;
  }
  return reading;
}

}  // namespace skewguard::doctor
