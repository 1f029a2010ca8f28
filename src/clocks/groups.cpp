#include "clocks/groups.hpp"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <span>

namespace skewguard::clocks {
namespace {

constexpr std::uint8_t bit(std::size_t group) {
  return static_cast<std::uint8_t>(1U << group);
}

/// The one group that a sample meets, if it meets one alone.
std::optional<std::size_t> sole_group(const RawSample& sample) {
  if (!std::has_single_bit(sample.meets)) return std::nullopt;
  return static_cast<std::size_t>(std::countr_zero(sample.meets));
}

using Order = std::array<std::uint8_t, SampleRing::kCapacity>;

/// Indices into the ring, in the order that `before` gives. It holds for good: all ends drift
/// alike.
template <typename Before>
std::span<std::uint8_t> sorted(const SampleRing& samples, Order& order, Before before) {
  const std::span<std::uint8_t> used(order.data(), samples.size());
  for (std::size_t i = 0; i < used.size(); ++i) used[i] = static_cast<std::uint8_t>(i);
  std::sort(used.begin(), used.end(), [&](std::uint8_t a, std::uint8_t b) {
    return before(samples[a].bound, samples[b].bound);
  });
  return used;
}

bool meet(const DriftingBound& a, const DriftingBound& b, UnslewedTime at, DriftRate rate) {
  return a.at(at, rate).meets(b.at(at, rate));
}

}  // namespace

Groups Groups::of(SampleRing& samples, UnslewedTime at, DriftRate rate) {
  Groups groups;
  Order order{};
  const auto by_high = [](const auto& a, const auto& b) { return a.high < b.high; };
  for (const std::uint8_t i : sorted(samples, order, by_high)) {
    const DriftingBound& bound = samples[i].bound;
    if (groups.size_ > 0 &&
        bound.at(at, rate).low <= groups.bounds_[groups.size_ - 1].at(at, rate).high) {
      continue;
    }
    if (groups.size_ == kMax) {
      groups.incoherent_ = true;
      break;
    }
    groups.bounds_[groups.size_++] = bound;
  }
  if (!groups.incoherent_) groups.raise_lows(samples, at, rate);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::uint8_t meets = 0;
    for (std::size_t g = 0; g < groups.size_; ++g)
      if (meet(samples[i].bound, groups.bounds_[g], at, rate)) meets |= bit(g);
    samples.mark(i, meets);
  }
  return groups;
}

/// The same from the other side: it takes as many points, and each lies as low as it can.
void Groups::raise_lows(const SampleRing& samples, UnslewedTime at, DriftRate rate) {
  Order order{};
  std::size_t group = size_;
  const auto by_low = [](const auto& a, const auto& b) { return a.low > b.low; };
  for (const std::uint8_t i : sorted(samples, order, by_low)) {
    const DriftingBound& bound = samples[i].bound;
    if (group < size_ && bound.at(at, rate).high >= bounds_[group].at(at, rate).low) continue;
    if (group == 0) return;
    bounds_[--group].low = bound.low;
  }
}

Duration Groups::middle(std::size_t group, UnslewedTime at, DriftRate rate) const noexcept {
  return bounds_[group].at(at, rate).middle();
}

namespace {

/// The samples that meet one group alone, read in order of arrival.
struct Runs {
  bool clean = true;          ///< no group came back after another
  std::size_t start = 0;      ///< where the last run starts
  std::size_t group = 0;      ///< of the last run
  std::size_t before = 0;     ///< the group of the run before it
  std::size_t length = 0;     ///< of the last run
  std::size_t old_count = 0;  ///< in all runs before it
};

Runs runs_of(const SampleRing& samples) {
  Runs runs;
  std::uint8_t seen = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto group = sole_group(samples[i]);
    if (!group) continue;
    if (runs.length > 0 && *group == runs.group) {
      ++runs.length;
      continue;
    }
    runs.clean = runs.clean && (seen & bit(*group)) == 0;
    seen = static_cast<std::uint8_t>(seen | bit(*group));
    runs.old_count += runs.length;
    runs.before = runs.group;
    runs.group = *group;
    runs.start = i;
    runs.length = 1;
  }
  return runs;
}

}  // namespace

bool explained_by_late_renewals(const SampleRing& samples, UnslewedTime at, DriftRate rate) {
  DriftingBound clock = samples.hull();
  for (std::size_t newer = 0; newer < samples.size(); ++newer) {
    const RawSample& shown = samples[newer];
    clock.low = std::max(clock.low, shown.bound.low);
    const auto renewed_after = [&](UnslewedTime sent) {  // as if that had been asked for then
      return shown.bound.high + (shown.sent - sent) + rate.floor(shown.sent.time_since_epoch()) -
             rate.floor(sent.time_since_epoch());
    };
    for (std::size_t older = 0; older < samples.size(); ++older) {
      if (samples[older].date >= shown.date) continue;
      if (samples[older].sent > shown.received) return false;
      clock.high = std::min(clock.high, renewed_after(samples[older].sent));
    }
  }
  const OffsetBound now = clock.at(at, rate);
  return now.low <= now.high;
}

std::optional<Split> find_split(const Groups& groups, const SampleRing& samples, UnslewedTime at,
                                DriftRate rate, Duration late) {
  constexpr std::size_t kEachSide = 3;
  if (groups.size() < 2 || groups.incoherent()) return std::nullopt;
  const Runs runs = runs_of(samples);
  if (!runs.clean || runs.length < kEachSide || runs.old_count < kEachSide) return std::nullopt;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    if (g == runs.group) continue;
    const auto [low, high] = std::minmax(g, runs.group);
    if (groups.gap(low, high, at, rate) <= late) return std::nullopt;
  }
  if (samples[runs.start].date == samples[runs.start - 1].date) return std::nullopt;
  return Split{runs.start,
               groups.middle(runs.group, at, rate) - groups.middle(runs.before, at, rate)};
}

namespace {

/// The groups that the samples of this connection meet alone.
std::uint8_t groups_of_connection(const SampleRing& samples, std::uint64_t connection) {
  std::uint8_t met = 0;
  for (std::size_t i = 0; connection != 0 && i < samples.size(); ++i) {
    if (samples[i].connection == connection && std::has_single_bit(samples[i].meets))
      met |= samples[i].meets;
  }
  return met;
}

}  // namespace

std::array<double, Groups::kMax> shares(const Groups& groups, const SampleRing& samples) {
  std::array<double, Groups::kMax> sole{};
  for (std::size_t i = 0; i < samples.size(); ++i)
    if (const auto group = sole_group(samples[i])) sole[*group] += 1.0;

  std::array<double, Groups::kMax> counts = sole;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    std::uint8_t among = samples[i].meets;
    if (std::has_single_bit(among)) continue;
    const std::uint8_t known = among & groups_of_connection(samples, samples[i].connection);
    if (std::has_single_bit(known)) among = known;
    double total = 0;
    for (std::size_t g = 0; g < groups.size(); ++g)
      if ((among & bit(g)) != 0) total += sole[g];
    for (std::size_t g = 0; total > 0 && g < groups.size(); ++g)
      if ((among & bit(g)) != 0) counts[g] += sole[g] / total;
  }
  for (double& count : counts) count /= static_cast<double>(samples.size());
  return counts;
}

}  // namespace skewguard::clocks
