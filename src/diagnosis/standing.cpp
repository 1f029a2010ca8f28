#include "diagnosis/standing.hpp"

#include <algorithm>

#include "diagnosis/dates.hpp"
#include "time/date_sample.hpp"

namespace skewguard::diagnosis {

std::optional<ServerTime> pending_begin(const Trial& trial) {
  const auto& begins = trial.token.begins;
  const auto& later = trial.token.begins_later;
  if (!begins || !later || !trial.date) return begins;
  const bool passed = begins->since(*trial.date) <= Duration{0};
  return passed && later->since(*trial.date) > Duration{0} ? later : begins;
}

std::optional<ServerTime> made_at(const Trial& trial) {
  return trial.token.iat ? trial.token.iat : trial.token.begins;
}

bool took_unbegun(const Trial& trial, Duration staleness) {
  if (trial.refused || !trial.date || !trial.token.begins) return false;
  const auto to_begin = trial.token.begins->since(*trial.date);
  return to_begin && *to_begin >= time::kTick + staleness;
}

bool begin_belied(const Evidence& evidence, const Trial& trial) {
  const auto begins = pending_begin(trial);
  if (!evidence.begins_ignored || !trial.date || !begins) return false;
  const auto to_begin = begins->since(*trial.date);
  return to_begin && *to_begin > Duration{0};
}

namespace {

/// An answer that was long on its way may have been written before our own deadline: then its Date
/// tells. `to_end`: from that Date, if it counts.
bool past_our_deadline(const Evidence& evidence, const Trial& trial,
                       const std::optional<Duration>& to_end) {
  const auto& dead_at = trial.token.dead_at;
  if (!dead_at || trial.received < *dead_at) return false;
  const bool certainly_before = to_end && *to_end >= time::kTick + evidence.limits.staleness;
  return trial.sent >= *dead_at || !certainly_before;
}

}  // namespace

Standing standing(const Evidence& evidence, const Trial& trial) {
  const bool dated = trial.date.has_value() && dates_count(evidence);
  const auto after_date = [&](const std::optional<ServerTime>& time) {
    return time && dated ? time->since(*trial.date) : std::nullopt;
  };
  const bool belied = begin_belied(evidence, trial);
  const bool issued = issuer_dates_count(evidence);
  const bool begin_known = !belied && (issued || !trial.token.begin_dated);
  const auto to_begin = begin_known ? after_date(pending_begin(trial)) : std::nullopt;
  const auto to_end =
      issued || !trial.token.end_dated ? after_date(trial.token.ends) : std::nullopt;
  if (to_begin && *to_begin >= time::kTick + evidence.limits.staleness) return Standing::not_begun;
  if (to_end && *to_end <= Duration{0}) return Standing::ended;
  if (past_our_deadline(evidence, trial, to_end)) return Standing::ended;
  if (to_begin && *to_begin > Duration{0}) return Standing::perhaps_not_begun;
  // A JWT without a claim has no limit on that side; for an opaque token the limit is unknown.
  const bool known = dated && !belied && (trial.token.jwt || (to_begin && to_end));
  return known ? Standing::agrees : Standing::undecided;
}

bool dead_on_arrival(const Evidence& evidence, const Trial& trial) {
  const auto made = made_at(trial);
  if (!trial.refused || !trial.date || !made || !trial.token.ends) return false;
  if (trial.token.given || !dates_count(evidence)) return false;
  const bool dated = trial.token.begin_dated || trial.token.end_dated;
  if (dated && !issuer_dates_count(evidence)) return false;
  const auto since_made = trial.date->since(*made);
  const auto since_end = trial.date->since(*trial.token.ends);
  return since_end && *since_end >= Duration{0} && since_made &&
         *since_made - time::kTick > trial.received - trial.token.asked;
}

bool ended_early(const Trial& trial) {
  if (!trial.refused || !trial.token.accepted_before || !trial.token.dead_at) return false;
  return trial.received - trial.token.asked < (*trial.token.dead_at - trial.token.asked) / 2;
}

bool local_clock_differs(const Evidence& evidence, const Trial& trial) {
  const auto& bound = trial.api_minus_wall;
  if (!trial.token.given || !trial.token.jwt || !trial.date || !bound) return false;
  if (!dates_count(evidence) || bound->meets({-time::kTick, time::kTick})) return false;
  const auto judged_at = [&](Duration clock) {
    if (trial.token.begins && clock < trial.token.begins->since_epoch()) return -1;
    return trial.token.ends && clock >= trial.token.ends->since_epoch() ? 1 : 0;
  };
  return judged_at(trial.wall.time_since_epoch()) != judged_at(trial.date->since_epoch());
}

std::optional<Instant> begins_by(const Evidence& evidence, const Trial& trial) {
  const auto begins = pending_begin(trial);
  if (!begins || !trial.date) return std::nullopt;
  std::optional<Instant> soonest;
  for (const Reading& r : readings(evidence)) {
    const auto left = begins->since(r.date);
    if (!left || r.received < trial.received) continue;
    const Instant at = r.received + std::max(*left, Duration{0});
    soonest = soonest ? std::min(*soonest, at) : at;
  }
  return soonest;
}

}  // namespace skewguard::diagnosis
