#include "diagnosis/dates.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "time/date_sample.hpp"

namespace skewguard::diagnosis {
namespace {

/// A running Date that is further away from another host's does not come from a clock, but from an
/// appliance without one, say, that starts in 1970. Far more than any token's lifetime on the
/// platforms that we know.
constexpr Duration kOffByMost = std::chrono::hours{24 * 7};

/// The time that certainly passed between two Dates, each written between sending and receiving;
/// minus a thousandth, for drift.
Duration elapsed_between(const Reading& earlier, const Reading& later) {
  const Duration elapsed = later.sent - earlier.received;
  return elapsed - elapsed / 1000;
}

/// Long enough apart for a clock's Date to have moved.
bool comparable(const Reading& earlier, const Reading& later) {
  return elapsed_between(earlier, later) > time::kTick;
}

/// Whether one clock can have shown both: `later` is about as long after `earlier` as the time
/// between them.
bool moves(const Reading& earlier, const Reading& later, Duration staleness) {
  if (!comparable(earlier, later)) return false;
  const auto moved = later.date.since(earlier.date);
  return moved && *moved > Duration{0} &&
         *moved >= elapsed_between(earlier, later) - time::kTick - staleness;
}

/// Whether the Date went back, as with two clocks behind one name, and never with a Date that
/// stands still.
bool goes_back(const Reading& earlier, const Reading& later) {
  const auto moved = later.date.since(earlier.date);
  return moved && *moved < Duration{0};
}

/// Whether the two are further apart, in either direction, than two clocks behind one name would
/// be: one of them does not come from a clock.
bool leaps(const Reading& earlier, const Reading& later) {
  constexpr Duration kLeap = std::chrono::hours{1};
  const auto moved = later.date.since(earlier.date);
  return moved && (*moved > later.received - earlier.sent + kLeap || *moved < -kLeap);
}

/// The API accepted a token that had expired by the Date of that same answer: it judges by another
/// clock.
bool took_an_ended_one(const Trial& trial) {
  if (trial.refused || !trial.date || !trial.token.ends) return false;
  const auto since_end = trial.date->since(*trial.token.ends);
  return since_end && *since_end >= Duration{0};
}

/// The login host's Dates, one for each token that it issued.
std::vector<Reading> issuer_readings(const Evidence& evidence) {
  std::vector<Reading> all;
  std::vector<std::uint64_t> seen;
  for (const Trial& t : evidence.trials) {
    if (!t.token.issued || t.token.given) continue;
    if (std::find(seen.begin(), seen.end(), t.token.generation) != seen.end()) continue;
    seen.push_back(t.token.generation);
    all.push_back({*t.token.issued, t.token.asked, t.token.received});
  }
  std::sort(all.begin(), all.end(),
            [](const Reading& a, const Reading& b) { return a.received < b.received; });
  return all;
}

template <typename Predicate>
bool any_pair(const std::vector<Reading>& all, Predicate predicate) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t j = i + 1; j < all.size(); ++j)
      if (predicate(all[i], all[j])) return true;
  }
  return false;
}

/// There are enough readings, and none of them fits a clock.
bool stands_still(const std::vector<Reading>& all, Duration staleness) {
  return any_pair(all, comparable) && !any_pair(all, goes_back) &&
         !any_pair(all, [&](const Reading& a, const Reading& b) { return moves(a, b, staleness); });
}

}  // namespace

std::vector<Reading> readings(const Evidence& evidence) {
  std::vector<Reading> all;
  for (const Trial& t : evidence.trials)
    if (t.date) all.push_back({*t.date, t.sent, t.received});
  for (const Look& l : evidence.looks)
    if (l.date) all.push_back({*l.date, l.sent, l.received});
  std::sort(all.begin(), all.end(),
            [](const Reading& a, const Reading& b) { return a.received < b.received; });
  return all;
}

bool dates_count(const Evidence& evidence) {
  const bool look_in_vain = std::any_of(evidence.looks.begin(), evidence.looks.end(),
                                        [](const Look& l) { return !l.date.has_value(); });
  const bool belied =
      std::any_of(evidence.trials.begin(), evidence.trials.end(),
                  [](const Trial& t) { return !t.token.end_dated && took_an_ended_one(t); });
  const auto all = readings(evidence);
  return !look_in_vain && !belied && !any_pair(all, leaps) &&
         !stands_still(all, evidence.limits.staleness);
}

bool issuer_dates_count(const Evidence& evidence) {
  const auto all = issuer_readings(evidence);
  // Being far ahead proves nothing: this machine may have stood still between two tokens.
  if (!evidence.issuer_coherent || stands_still(all, evidence.limits.staleness)) return false;
  if (!dates_count(evidence)) return true;
  return std::all_of(evidence.trials.begin(), evidence.trials.end(), [](const Trial& t) {
    if (!t.token.issued || !t.date || t.token.given) return true;
    if (t.token.end_dated && took_an_ended_one(t)) return false;
    const auto apart = t.date->since(*t.token.issued);
    const Duration age = t.received - t.token.asked;
    return !apart || (*apart - age <= kOffByMost && *apart >= -kOffByMost);
  });
}

bool date_seen_again(const Evidence& evidence) {
  return dates_count(evidence) &&
         any_pair(readings(evidence), [&](const Reading& a, const Reading& b) {
           return moves(a, b, evidence.limits.staleness);
         });
}

bool issuer_borne_out(const Evidence& evidence, const Trial& one, const Trial& other) {
  const auto dated = [](const Trial& t) { return t.token.begin_dated || t.token.end_dated; };
  if (!dated(one) && !dated(other)) return true;
  return any_pair(issuer_readings(evidence), [&](const Reading& a, const Reading& b) {
    return moves(a, b, evidence.limits.staleness);
  });
}

}  // namespace skewguard::diagnosis
