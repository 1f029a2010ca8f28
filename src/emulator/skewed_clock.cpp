#include "emulator/skewed_clock.hpp"

#include <algorithm>

namespace skewguard::emulator {
namespace {

Duration clamp_offset(Duration offset) noexcept {
  return std::clamp(offset, -SkewedClock::kMaxOffset, SkewedClock::kMaxOffset);
}

double clamp_drift(double ppm) noexcept {
  return std::clamp(ppm, -SkewedClock::kMaxDriftPpm, SkewedClock::kMaxDriftPpm);
}

/// a + b, at the end of the range where it leaves it.
Duration saturating_add(Duration a, Duration b) noexcept {
  Duration::rep sum = 0;
  if (!__builtin_add_overflow(a.count(), b.count(), &sum)) return Duration{sum};
  return b > Duration::zero() ? Duration::max() : Duration::min();
}

}  // namespace

SkewedClock::SkewedClock(const Now& start, const ClockOptions& options)
    : start_(start.boot),
      true_at_start_(start.wall.time_since_epoch()),
      anchor_(start.boot),
      offset_(clamp_offset(options.offset)),
      drift_ppm_(clamp_drift(options.drift_ppm)) {}

SkewedClock SkewedClock::sibling(const ClockOptions& options, const Now& now) const {
  SkewedClock other(*this);
  other.anchor_ = now.boot;
  other.offset_ = clamp_offset(options.offset);
  other.drift_ppm_ = clamp_drift(options.drift_ppm);
  other.steps_.clear();
  return other;
}

HostTime SkewedClock::reading(Instant at) const noexcept {
  return saturating_add(saturating_add(true_at_start_, at - start_), offset(at));
}

Duration SkewedClock::offset(Instant at) const noexcept {
  const auto elapsed = static_cast<double>((at - anchor_).count());
  const Duration drifted{static_cast<Duration::rep>(elapsed * drift_ppm_ * 1e-6)};
  auto offset = clamp_offset(saturating_add(offset_, drifted));
  for (const auto& step : steps_)
    if (step.when <= at) offset = clamp_offset(offset + step.by);
  return offset;
}

void SkewedClock::set_offset(Duration offset, Instant now) {
  settle(now);
  offset_ = clamp_offset(offset);
}

void SkewedClock::set_drift(double ppm, Instant now) {
  settle(now);
  drift_ppm_ = clamp_drift(ppm);
}

void SkewedClock::step(Duration by, Instant now) {
  settle(now);
  offset_ = clamp_offset(saturating_add(offset_, by));
}

bool SkewedClock::step_at(Instant when, Duration by) {
  if (steps_.size() >= kMaxSteps) return false;
  steps_.push_back({when, clamp_offset(by)});
  return true;
}

std::size_t SkewedClock::steps_to_come(Instant now) const noexcept {
  return static_cast<std::size_t>(std::count_if(
      steps_.begin(), steps_.end(), [now](const Step& step) { return step.when > now; }));
}

/// Makes `now` the anchor; what has happened by then is in the offset.
void SkewedClock::settle(Instant now) {
  offset_ = offset(now);
  anchor_ = now;
  std::erase_if(steps_, [now](const Step& step) { return step.when <= now; });
}

}  // namespace skewguard::emulator
