#include "clocks/clock_book.hpp"

#include <algorithm>

#include "clocks/bounds.hpp"

namespace skewguard::clocks {
namespace {

/// What NTP slews our boot clock by at most, in parts per 1 (chrony can do more).
constexpr double kBootSlew = 500e-6;

}  // namespace

ClockBook::ClockBook(EstimatorOptions options) : options_(options), rate_(options.drift) {}

ServerId ClockBook::id(std::string_view origin) {
  const auto found = std::find_if(servers_.begin(), servers_.end(),
                                  [&](const Server& server) { return server.origin == origin; });
  const auto index = static_cast<std::uint32_t>(found - servers_.begin());
  if (found == servers_.end()) {
    servers_.push_back(Server{std::string(origin), SkewEstimator(options_)});
  }
  return ServerId{index};
}

const std::string& ClockBook::origin(ServerId server) const {
  return servers_.at(server.index).origin;
}

std::vector<ServerId> ClockBook::servers() const {
  std::vector<ServerId> ids;
  ids.reserve(servers_.size());
  for (std::uint32_t i = 0; i < servers_.size(); ++i) ids.push_back(ServerId{i});
  return ids;
}

const SkewEstimator& ClockBook::estimator(ServerId server) const {
  return servers_.at(server.index).estimator;
}

bool ClockBook::takes_turns(ServerId id) const {
  const Server& server = servers_.at(id.index);
  return server.returned && server.estimator.picture() == Picture::several_clocks;
}

// Watching ----------------------------------------------------------------------------------------

Observation ClockBook::observe(ServerId id, const time::DateSample& sample) {
  Server& server = servers_.at(id.index);
  Observation observation{.server = id};
  const auto shown = SkewEstimator::interval_of(sample);
  if (!shown) return observation;
  const std::optional<Jump> jump = jump_of(server, sample, *shown);
  observation.outcome = server.estimator.observe(sample, *shown);
  if (observation.outcome == Observed::dropped) return observation;
  compare_with_last(server, sample);
  if (observation.outcome == Observed::stepped) observation.step = server.estimator.last_step();
  note_jump(server, jump, *shown, sample.received.unslewed());
  if (!jump) return observation;
  observation.jump = jump->size.middle();
  observation.machine_stood_still = take_standstill(id);
  return observation;
}

void ClockBook::compare_with_last(Server& server, const time::DateSample& sample) const {
  const auto& last = server.last;
  const Duration passed =
      last ? sample.sent.unslewed() - last->received.unslewed() : Duration::zero();
  if (last && passed - passed / 1000 <= time::kTick) return;
  const Duration moved = last ? Duration{sample.date - last->date} : Duration::zero();
  server.stalls = last && moved >= Duration{0} &&
                  moved < passed - passed / 1000 - time::kTick - options_.staleness;
  server.last = sample;
}

/// A jump is an answer whose interval (staleness counted) lies wholly off the hull: neither drift
/// nor a late date string nor a suspend explains it.
std::optional<ClockBook::Jump> ClockBook::jump_of(const Server& server,
                                                  const time::DateSample& sample,
                                                  OffsetBound shown) {
  const SkewEstimator& known = server.estimator;
  const UnslewedTime received = sample.received.unslewed();
  const auto before = known.hull(received);
  if (!before) return std::nullopt;
  const OffsetBound old = spread(*before, known.suspend_widening_at(sample.received));
  shown.high += known.options().staleness;
  if (shown.meets(old)) return std::nullopt;
  return Jump{.size = {shown.low - old.high, shown.high - old.low},
              .left = old,
              .landed = shown,
              .after = *known.last_sent(),
              .before = received,
              .new_from = sample.sent.unslewed()};
}

/// Remembers the jump; and where an answer shows that an earlier one was taken back, how far.
void ClockBook::note_jump(Server& server, const std::optional<Jump>& jump, const OffsetBound& shown,
                          UnslewedTime received) {
  if (!jump && !server.jump) return;
  const auto magnitude = [](const OffsetBound& size) {
    return size.low > Duration{0} ? size : OffsetBound{-size.high, -size.low};
  };
  if (jump) {
    if (jump->size.high < Duration{0}) server.returned = magnitude(jump->size);
    server.jump = jump;
    return;
  }
  const Duration age = received - server.jump->before;
  const Duration drift =
      DriftRate(server.estimator.options().drift).over(std::max(age, Duration{0}));
  if (shown.meets(spread(server.jump->landed, drift))) return;
  if (!shown.meets(spread(server.jump->left, drift))) return;
  server.returned = magnitude(server.jump->size);
  server.jump.reset();
}

/// This server has just jumped. If another one jumped forward by as much in the same stretch of
/// time, or the hypervisor tells of one, it was we who stood still: nothing from before bounds
/// anything.
std::optional<Duration> ClockBook::take_standstill(ServerId id) {
  const auto witness = [](const Server& server) {
    return server.jump && server.jump->size.low > Duration{0} &&
           !(server.returned && server.returned->meets(server.jump->size));
  };
  const Server& one = servers_[id.index];
  if (!witness(one)) return std::nullopt;
  OffsetBound size = one.jump->size;
  std::size_t witnesses = 1;
  for (const Server& other : servers_) {
    if (&other == &one || !witness(other) || !other.jump->size.meets(size)) continue;
    if (other.jump->after > one.jump->before || one.jump->after > other.jump->before) continue;
    size = {std::max(size.low, other.jump->size.low), std::min(size.high, other.jump->size.high)};
    ++witnesses;
  }
  const bool reported = disrupted_ && one.jump->after <= *disrupted_;
  if (witnesses < 2 && !reported) return std::nullopt;
  disrupted_.reset();
  const Jump last = *one.jump;
  for (Server& server : servers_) {
    server.estimator.forget_before(server.jump ? server.jump->new_from : last.before);
    server.jump.reset();
  }
  return size.middle();
}

// Asking ------------------------------------------------------------------------------------------

/// server minus unslewed local time at `now`.
std::optional<OffsetBound> ClockBook::bound(ServerId id, const Now& now, Trust trust) const {
  const SkewEstimator& known = estimator(id);
  const UnslewedTime at = now.unslewed();
  const auto bound = trust == Trust::every_clock ? known.hull(at) : known.plain(at);
  return bound ? std::optional(as_read(known, *bound, now)) : std::nullopt;
}

OffsetBound ClockBook::as_read(const SkewEstimator& of, const OffsetBound& known,
                               const Now& now) const {
  // Our reading of the time is off by up to two gaps, so the ends' age is.
  const Duration unread = rate_.over(2 * now.gap);
  return spread(known, of.suspend_widening_at(now) + unread);
}

std::optional<OffsetBound> ClockBook::to_boot(ServerId server, const Now& now, Trust trust) const {
  const auto known = bound(server, now, trust);
  if (!known) return std::nullopt;
  return clocks::to_boot(*known, now);
}

std::optional<OffsetBound> ClockBook::to_wall(ServerId server, const Now& now, Trust trust) const {
  const auto known = to_boot(server, now, trust);
  if (!known) return std::nullopt;
  return boot_to_wall(*known, now);
}

namespace {
std::optional<OffsetBound> difference(const std::optional<OffsetBound>& a,
                                      const std::optional<OffsetBound>& b) {
  if (!a || !b) return std::nullopt;
  return OffsetBound{minus(a->low, b->high), minus(a->high, b->low)};
}
}  // namespace

std::optional<OffsetBound> ClockBook::between(ServerId a, ServerId b, const Now& now) const {
  return difference(bound(a, now, Trust::every_clock), bound(b, now, Trust::every_clock));
}

std::optional<OffsetBound> ClockBook::between_plain(ServerId a, ServerId b, const Now& now) const {
  const auto of_a = bound(a, now, Trust::one_clock);
  if (a == b && of_a && estimator(a).picture() == Picture::one_clock) return OffsetBound{};
  return difference(of_a, bound(b, now, Trust::one_clock));
}

std::optional<ClockBook::ServerSpan> ClockBook::reading(ServerId server, const Now& now,
                                                        Trust trust) const {
  const auto known = to_boot(server, now, trust);
  if (!known) return std::nullopt;
  return span_of(server, *known, now);
}

std::optional<ClockBook::ServerSpan> ClockBook::recent_reading(ServerId server,
                                                               const Now& now) const {
  const SkewEstimator& of = estimator(server);
  const auto known = of.recent_hull(now.unslewed());
  if (!known) return std::nullopt;
  return span_of(server, clocks::to_boot(as_read(of, *known, now), now), now);
}

std::optional<Duration> ClockBook::silence(ServerId server, const Now& now) const {
  const auto sent = estimator(server).last_sent();
  return sent ? std::optional(now.unslewed() - *sent) : std::nullopt;
}

ClockBook::ServerSpan ClockBook::span_of(ServerId server, const OffsetBound& to_boot,
                                         const Now& now) {
  const Duration boot = now.boot.time_since_epoch();
  return {ServerTime(server, plus(boot, to_boot.low)),
          ServerTime(server, plus(boot, to_boot.high))};
}

std::optional<ClockBook::BootSpan> ClockBook::when(ServerTime time, const Now& now,
                                                   Trust trust) const {
  const auto span = reading(time.server(), now, trust);
  if (!span) return std::nullopt;
  const auto local = [&](Duration ahead, int sign) {
    const DriftRate rate(options_.drift + kBootSlew);
    const Duration distance = std::max(ahead, minus(Duration{0}, ahead));
    // 2 * rate also covers 1 / (1 - rate), since rates are at most 1 %.
    const Duration drift = 2 * rate.over(distance);
    return Instant{plus(now.boot.time_since_epoch(), plus(ahead, sign * drift))};
  };
  return BootSpan{local(minus(time.since_epoch(), span->latest.since_epoch()), -1),
                  local(minus(time.since_epoch(), span->earliest.since_epoch()), +1)};
}

}  // namespace skewguard::clocks
