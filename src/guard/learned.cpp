#include "guard/learned.hpp"

#include <algorithm>

#include "diagnosis/dates.hpp"
#include "diagnosis/standing.hpp"
#include "time/date_sample.hpp"

namespace skewguard::guard {
namespace {

/// The hull contains every clock that was ever observed; the trial is about the one that refused
/// the token.
std::optional<OffsetBound> apart_by_both(const diagnosis::Trial& trial,
                                         const std::optional<OffsetBound>& hull,
                                         Duration staleness) {
  const auto seen = issuer_minus_api(trial, staleness);
  if (!seen || !hull || !hull->meets(*seen)) return seen;
  return OffsetBound{std::max(hull->low, seen->low), std::min(hull->high, seen->high)};
}

}  // namespace

std::optional<OffsetBound> issuer_minus_api(const diagnosis::Trial& trial, Duration staleness) {
  const auto made = diagnosis::made_at(trial);
  if (!trial.date || !made) return std::nullopt;
  const auto apart = made->since(*trial.date);
  if (!apart) return std::nullopt;
  const Duration width = time::kTick + staleness;
  return OffsetBound{*apart - width + (trial.sent - trial.token.received),
                     *apart + width + (trial.received - trial.token.asked)};
}

std::optional<Duration> learned_lag(const diagnosis::Trial& trial,
                                    const std::optional<OffsetBound>& hull, Duration staleness) {
  const auto seen = apart_by_both(trial, hull, staleness);
  if (!seen || seen->high <= Duration{0}) return std::nullopt;
  return seen->high;
}

std::optional<Duration> learned_lead(const diagnosis::Trial& trial,
                                     const std::optional<OffsetBound>& hull, Duration life,
                                     Duration staleness) {
  const auto seen = apart_by_both(trial, hull, staleness);
  if (!seen) return std::nullopt;
  const Duration most = -seen->low;
  const Duration least = -seen->high;
  if (most <= Duration{0}) return std::nullopt;  // no lead at all: another cause
  const Duration bound = life - most >= (life - std::max(least, Duration{0})) / 2 ? most : least;
  // Whatever the bounds say: at that age a token had expired for this API. If they allow that it
  // does not lead at all, the truncation of `exp` may account for a second, which every token's
  // margin covers.
  const Duration truncated = least > Duration{0} ? Duration{0} : time::kTick;
  const Duration left_when_refused = life - (trial.sent - trial.token.asked) - truncated;
  const Duration lead = std::max(bound, left_when_refused);
  if (lead <= Duration{0} || lead >= life) return std::nullopt;
  return lead;
}

}  // namespace skewguard::guard
