#include "clocks/local_watch.hpp"

#include <algorithm>

namespace skewguard::clocks {
namespace {

/// How far `of` moved against `against` from one reading to the other.
OffsetBound moved(Duration of, Duration against, const Now& from, const Now& to) noexcept {
  const Duration by = of - against;
  const Duration unsure = from.gap + to.gap;
  return {by - unsure, by + unsure};
}

OffsetBound wall_against_boot(const Now& from, const Now& to) noexcept {
  return moved(to.wall - from.wall, to.boot - from.boot, from, to);
}

OffsetBound boot_against_mono(const Now& from, const Now& to) noexcept {
  return moved(to.boot - from.boot, to.mono - from.mono, from, to);
}

}  // namespace

LocalWatch::Seen LocalWatch::see(const Now& now) noexcept {
  Seen seen;
  if (first_) {
    const OffsetBound wall = wall_against_boot(last_, now);
    if (!wall.holds(Duration{0})) {
      seen.wall_step = wall.middle();
      ++wall_steps_;
    }
    const OffsetBound asleep = boot_against_mono(last_, now);
    if (asleep.low > Duration{0}) {
      seen.suspended = asleep.middle();
      ++suspends_;
    }
  } else {
    first_ = now;
  }
  last_ = now;
  return seen;
}

Duration LocalWatch::span() const noexcept {
  return first_ ? last_.boot - first_->boot : Duration{0};
}

OffsetBound LocalWatch::wall_moved() const noexcept {
  return first_ ? wall_against_boot(*first_, last_) : OffsetBound{};
}

OffsetBound LocalWatch::suspended() const noexcept {
  if (!first_) return {};
  const OffsetBound asleep = boot_against_mono(*first_, last_);
  return {std::max(asleep.low, Duration{0}), std::max(asleep.high, Duration{0})};
}

std::optional<LocalWatch::Rate> LocalWatch::rate() const noexcept {
  if (!first_) return std::nullopt;
  const Duration raw = last_.raw - first_->raw;
  const OffsetBound slewed = moved(last_.mono - first_->mono, raw, *first_, last_);
  if (raw <= Duration{0} || slewed.width() > raw) return std::nullopt;  // it would say nothing
  const auto ppm = [&](Duration by) {
    return static_cast<double>(by.count()) / static_cast<double>(raw.count()) * 1e6;
  };
  return Rate{ppm(slewed.low), ppm(slewed.high)};
}

}  // namespace skewguard::clocks
