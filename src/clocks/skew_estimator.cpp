#include "clocks/skew_estimator.hpp"

#include <algorithm>
#include <utility>

namespace skewguard::clocks {
namespace {

constexpr Duration kSecond = std::chrono::seconds{1};
/// boot - mono may seem to grow by as much through the reading alone; no suspend is as short.
constexpr Duration kSuspendNoise = std::chrono::milliseconds{10};
/// A late date string or a second clock: below this gap nobody can tell
/// (docs/adr/0001-time-model.md).
constexpr Duration kLateGap = std::chrono::milliseconds{1100};

Duration boot_minus_mono(const Now& now) {
  return now.boot.time_since_epoch() - now.mono.time_since_epoch();
}

/// An unslewed time is a sum of three readings that lie up to `gap` apart.
Duration reading_error(const Now& now) {
  return 2 * now.gap;
}

bool within(Duration time, Duration limit) {
  return -limit <= time && time <= limit;
}

bool readable(const Now& now) {
  return now.gap >= Duration{0} && within(now.gap, std::chrono::hours{1}) &&
         within(now.boot.time_since_epoch(), SkewEstimator::kLatestLocal) &&
         within(now.mono.time_since_epoch(), SkewEstimator::kLatestLocal) &&
         within(now.raw.time_since_epoch(), SkewEstimator::kLatestLocal) &&
         within(now.unslewed().time_since_epoch(), SkewEstimator::kLatestLocal);
}

bool usable(const time::DateSample& sample) {
  return readable(sample.sent) && readable(sample.received) &&
         sample.date >= std::chrono::seconds{0} && sample.date <= SkewEstimator::kLatestDate &&
         sample.received.unslewed() - sample.sent.unslewed() >=
             -(reading_error(sample.received) + reading_error(sample.sent));
}

/// The server read `date` to date + 1 s at some moment between sent and received.
OffsetBound shown_by(const time::DateSample& sample) {
  const Duration date = sample.date;
  return {date - sample.received.unslewed().time_since_epoch() - reading_error(sample.received),
          date + kSecond - sample.sent.unslewed().time_since_epoch() + reading_error(sample.sent)};
}

}  // namespace

SkewEstimator::SkewEstimator(EstimatorOptions options) : options_(options), rate_(options.drift) {
  constexpr Duration kMax = std::chrono::hours{24};
  options_.staleness = std::clamp(options.staleness, Duration{0}, kMax);
  options_.prompt = std::clamp(options.prompt, Duration{0}, kMax);
}

std::optional<OffsetBound> SkewEstimator::interval_of(const time::DateSample& sample) {
  if (!usable(sample)) return std::nullopt;
  return shown_by(sample);
}

Observed SkewEstimator::observe(const time::DateSample& sample) {
  const auto shown = interval_of(sample);
  return shown ? observe(sample, *shown) : Observed::dropped;
}

Observed SkewEstimator::observe(const time::DateSample& sample, const OffsetBound& shown) {
  RawSample taken{.sent = sample.sent.unslewed(),
                  .received = sample.received.unslewed(),
                  .date = sample.date,
                  .connection = sample.connection};
  if (settled_ && taken.sent < *settled_) return Observed::dropped;
  taken.bound = DriftingBound::anchored({shown.low, shown.high + options_.prompt}, taken.received,
                                        taken.sent, rate_);
  note_suspends(sample, taken);
  const Duration rtt = std::max(taken.received - taken.sent, Duration{0});
  rtt_min_ = std::min(rtt_min_.value_or(rtt), rtt);
  const UnslewedTime newest = std::max(taken.received, taken.sent);
  latest_ = taken_ == 0 ? newest : std::max(latest_, newest);
  ++taken_;
  const bool first = ring_.empty();
  remember(taken);
  if (first) {
    regroup();
    return Observed::narrowed;
  }
  const bool tighter = plain_.narrow(taken.bound);
  if (groups_.size() == 1 && !contradicted()) {
    return tighter ? Observed::narrowed : Observed::consistent;
  }
  regroup();
  const auto split = find_split(groups_, ring_, latest_, rate_, late_limit());
  if (!split || (options_.close_together && may_be_renewed_late())) return Observed::rebuilt;
  leave_behind(*split);
  return Observed::stepped;
}

/// The two readings of boot - mono tell what was asleep since what was known, and whether this
/// sample itself spans a suspend (or comes from before one that is known already).
void SkewEstimator::note_suspends(const time::DateSample& sample, RawSample& taken) {
  const Duration at_sent = boot_minus_mono(sample.sent);
  const Duration at_received = boot_minus_mono(sample.received);
  const Duration noise = kSuspendNoise + sample.sent.gap + sample.received.gap;
  if (!suspended_) suspended_ = at_sent;
  if (at_received > *suspended_ + noise) {
    spread_all(options_.suspend_widening);
    suspended_ = at_received;
  }
  if (at_sent + noise < *suspended_) taken.bound.spread(options_.suspend_widening);
}

Duration SkewEstimator::suspend_widening_at(const Now& now) const noexcept {
  const bool slept = suspended_ && boot_minus_mono(now) > *suspended_ + kSuspendNoise + now.gap;
  return slept ? options_.suspend_widening : Duration{0};
}

void SkewEstimator::spread_all(Duration by) {
  ring_.spread(by);
  plain_.spread(by);
  classify();
}

/// Makes room, then adds.
void SkewEstimator::remember(const RawSample& sample) {
  const auto too_old = [&] {
    return ring_.size() >= kOldSamples && latest_ - ring_.oldest().received > kMemory;
  };
  while (ring_.full() || too_old()) ring_.pop_oldest();
  ring_.push(sample);
}

/// Groups and intersection anew, from what is remembered alone.
void SkewEstimator::regroup() {
  if (!ring_.empty()) plain_ = ring_[0].bound;
  for (std::size_t i = 1; i < ring_.size(); ++i) plain_.narrow(ring_[i].bound);
  classify();
}

void SkewEstimator::classify() {
  groups_ = Groups::of(ring_, latest_, rate_);
  if (groups_.size() == 0) {
    picture_ = Picture::none;
  } else if (groups_.incoherent()) {
    picture_ = Picture::incoherent;
  } else if (groups_.size() == 1) {
    picture_ = Picture::one_clock;
  } else if (groups_.gap(0, groups_.size() - 1, latest_, rate_) <= late_limit()) {
    picture_ = Picture::late_or_second_clock;
  } else {
    picture_ = Picture::several_clocks;
  }
}

/// A step was over when the first answer of the newest group was there. What was asked for before
/// and fits both sides may have been stamped on either: it goes with the old side.
void SkewEstimator::leave_behind(const Split& split) {
  const UnslewedTime over = ring_[split.start].received;
  const std::uint8_t newest = ring_[split.start].meets;
  ring_.keep_if([&](std::size_t i, const RawSample& sample) {
    return i >= split.start && (sample.meets == newest || sample.sent >= over);
  });
  settled_ = settled_ ? std::max(*settled_, over) : over;
  last_step_ = split.size;
  ++steps_;
  regroup();
}

void SkewEstimator::forget_before(UnslewedTime at) {
  ring_.keep_if([&](std::size_t, const RawSample& sample) { return sample.sent >= at; });
  settled_ = settled_ ? std::max(*settled_, at) : at;
  regroup();
}

// What is known, at a time ------------------------------------------------------------------------

/// Before the latest sample all ends spread out toward the past as well.
OffsetBound SkewEstimator::grown_at_odd_times(const DriftingBound& bound,
                                              UnslewedTime at) const noexcept {
  const UnslewedTime when = std::clamp(at, UnslewedTime{-kLatestAsked}, UnslewedTime{kLatestAsked});
  const UnslewedTime from = std::max(when, latest_);
  OffsetBound grown = bound.at(from, rate_);
  const Duration back = rate_.over(from - when);
  grown.low -= back;
  grown.high += back;
  return grown;
}

bool SkewEstimator::contradicted() const noexcept {
  const OffsetBound now = plain_.at(latest_, rate_);
  return now.low > now.high;
}

/// A gap that a late date string explains.
Duration SkewEstimator::late_limit() const noexcept {
  return std::max(kLateGap, options_.staleness + kLateGap - kSecond);
}

std::optional<OffsetBound> SkewEstimator::recent_hull(UnslewedTime at) const {
  if (ring_.empty()) return std::nullopt;
  DriftingBound recent = ring_.newest().bound;
  for (std::size_t i = ring_.size(); i-- > 0 && at - ring_[i].received <= kMemory;)
    recent.widen(ring_[i].bound);
  return with_staleness(grown(recent, at));
}

std::optional<OffsetBound> SkewEstimator::prompt_hull(UnslewedTime at) const {
  if (ring_.empty()) return std::nullopt;
  return grown(ring_.hull(), at);
}

OffsetBound SkewEstimator::hull_of_groups(UnslewedTime at) const {
  return grown(groups_.incoherent() ? ring_.hull() : groups_.hull(), at);
}

std::optional<OffsetBound> SkewEstimator::prompt_plain(UnslewedTime at) const {
  if (ring_.empty()) return std::nullopt;
  const OffsetBound one = grown(plain_, at);
  return one.low <= one.high ? one : hull_of_groups(at);
}

std::optional<OffsetBound> SkewEstimator::plain(UnslewedTime at) const {
  if (ring_.empty()) return std::nullopt;
  const OffsetBound one = with_staleness(grown(plain_, at));
  return one.low <= one.high ? one : with_staleness(hull_of_groups(at));
}

std::vector<SkewEstimator::ConnectionBound> SkewEstimator::by_connection(UnslewedTime at) const {
  std::vector<ConnectionBound> bounds;
  for (std::size_t i = 0; i < ring_.size(); ++i) {
    const RawSample& sample = ring_[i];
    if (sample.connection == 0) continue;
    const OffsetBound shown = grown(sample.bound, at);
    const auto known = std::ranges::find(bounds, sample.connection, &ConnectionBound::connection);
    if (known == bounds.end()) {
      bounds.push_back({sample.connection, 1, shown});
      continue;
    }
    ++known->samples;
    known->offset = {std::max(known->offset.low, shown.low),
                     std::min(known->offset.high, shown.high)};
  }
  return bounds;
}

std::optional<SkewEstimator::ConnectionBound> SkewEstimator::by_best_connection(
    UnslewedTime at) const {
  auto all = by_connection(at);
  std::erase_if(all,
                [](const ConnectionBound& bound) { return bound.offset.low > bound.offset.high; });
  const auto best = std::ranges::min_element(
      all, {}, [](const ConnectionBound& bound) { return bound.offset.width(); });
  if (best == all.end()) return std::nullopt;
  return *best;
}

std::optional<UnslewedTime> SkewEstimator::last_sent() const noexcept {
  if (ring_.empty()) return std::nullopt;
  return ring_.newest().sent;
}

/// Two clocks within a second of each other share samples. Those of one alone begin, or end, with
/// it; the ones that would tell its other end are shared.
Duration SkewEstimator::likeliest(std::size_t group, UnslewedTime at) const {
  const auto near = [&](std::size_t a, std::size_t b) {
    return groups_.gap(a, b, at, rate_) < std::chrono::seconds{1};
  };
  const bool below = group > 0 && near(group - 1, group);
  const bool above = group + 1 < groups_.size() && near(group, group + 1);
  const OffsetBound bound = grown(groups_[group], at);
  if (below == above) return bound.middle();
  return above ? bound.high : bound.low;
}

std::vector<ClockGroup> SkewEstimator::groups(UnslewedTime at) const {
  if (ring_.empty()) return {};
  if (groups_.incoherent()) return {{*hull(at), 1.0, ring_.size(), hull(at)->middle()}};
  if (groups_.size() == 1) return {{*plain(at), 1.0, ring_.size(), plain(at)->middle()}};
  std::vector<ClockGroup> result;
  const auto parts = shares(groups_, ring_);
  for (std::size_t g = 0; g < groups_.size(); ++g) {
    std::size_t own = 0;
    for (std::size_t i = 0; i < ring_.size(); ++i) own += ring_[i].meets == (1U << g) ? 1 : 0;
    result.push_back({with_staleness(grown(groups_[g], at)), parts[g], own, likeliest(g, at)});
  }
  std::sort(result.begin(), result.end(), [](const ClockGroup& a, const ClockGroup& b) {
    return std::pair(b.share, a.offset.low) < std::pair(a.share, b.offset.low);
  });
  return result;
}

}  // namespace skewguard::clocks
