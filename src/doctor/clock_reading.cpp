#include "doctor/clock_reading.hpp"

#include <algorithm>

namespace skewguard::doctor {
namespace {

using clocks::Picture;

/// A second clock that nobody has noticed and that gives no more of the answers than this may be
/// left out of account: seven flank probes a side have passed.
constexpr double kShareThatMatters = 0.49;

OffsetBound against_wall(OffsetBound bound, const Now& now) {
  const Duration shift = now.unslewed().time_since_epoch() - now.wall.time_since_epoch();
  // A sum of four readings that lie within one gap of each other.
  return {bound.low + shift - 3 * now.gap, bound.high + shift + 3 * now.gap};
}

}  // namespace

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
  const auto best = plan.best(at);  // nothing where a step has left no answer to rest on
  reading.best = std::clamp(best ? *best + shift : reading.bound->middle(), reading.bound->low,
                            reading.bound->high);
  if (one) return reading;
  reading.groups = known.groups(at);
  for (clocks::ClockGroup& group : reading.groups) {
    group.offset = against_wall(group.offset, now);
    group.best += shift;
  }
  return reading;
}

}  // namespace skewguard::doctor
