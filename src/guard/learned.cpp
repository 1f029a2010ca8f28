#include "guard/learned.hpp"

#include <algorithm>

#include "diagnosis/dates.hpp"
#include "diagnosis/standing.hpp"
#include "diagnosis/trials.hpp"
#include "time/date_sample.hpp"

namespace skewguard::guard {
namespace {

/// The hull contains every clock that was ever observed; the trial concerns only the one that
/// refused the token.
std::optional<OffsetBound> apart_by_both(const diagnosis::Trial& trial,
                                         const std::optional<OffsetBound>& hull,
                                         Duration staleness) {
  const auto seen = issuer_minus_api(trial, staleness);
  if (!seen || !hull || !hull->meets(*seen)) return seen;
  return OffsetBound{std::max(hull->low, seen->low), std::min(hull->high, seen->high)};
}

/// Another clock behind the same name has since accepted the token of that trial.
bool accepted_later(const std::vector<diagnosis::Trial>& trials, std::size_t trial) {
  return std::any_of(trials.begin() + static_cast<std::ptrdiff_t>(trial), trials.end(),
                     [&](const diagnosis::Trial& later) {
                       return !later.refused && diagnosis::same_token(later, trials[trial]);
                     });
}

/// A new token was refused until the call ended, so nobody requests the next one at once.
bool refused_for_good(const std::vector<diagnosis::Trial>& trials, Verdict verdict) {
  const diagnosis::Trial& last = trials.back();
  if (last.followed != Action::give_up || last.token.given) return false;
  if (verdict == Verdict::unknown) {
    const bool renewed = trials.front().token.generation != last.token.generation &&
                         diagnosis::asked_for_after(last, trials.front());
    return renewed && !last.token.accepted_before;
  }
  return verdict == Verdict::token_rejected || verdict == Verdict::issuer_clock_behind ||
         verdict == Verdict::gateway_refused;
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
  // Whatever the bounds say, a token had expired for this API at that age. If they allow for no
  // lead at all, the truncation of `exp` may account for a second, which every token's margin
  // covers.
  const Duration truncated = least > Duration{0} ? Duration{0} : time::kTick;
  const Duration left_when_refused = life - (trial.sent - trial.token.asked) - truncated;
  const Duration lead = std::max(bound, left_when_refused);
  if (lead <= Duration{0} || lead >= life) return std::nullopt;
  return lead;
}

std::vector<oauth::TokenEvent> lessons(const std::vector<diagnosis::Trial>& trials,
                                       const std::vector<Verdict>& verdicts,
                                       const std::optional<OffsetBound>& hull, Duration staleness) {
  std::vector<oauth::TokenEvent> out;
  std::optional<oauth::event::ApiLags> lags;
  std::optional<oauth::event::ApiLeads> leads;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const diagnosis::Trial& trial = trials[i];
    if (trial.token.given || !trial.refused) continue;
    const bool replaced =
        verdicts[i] == Verdict::token_revoked || verdicts[i] == Verdict::token_contended;
    if (replaced && diagnosis::ended_early(trial))
      out.emplace_back(oauth::event::EndedEarly{trial.token.generation});
    const auto apart = issuer_minus_api(trial, staleness);
    if (!apart) continue;
    if (verdicts[i] == Verdict::issuer_clock_ahead) {
      const auto lag = learned_lag(trial, hull, staleness);
      if (lag && (!lags || lags->lag < *lag)) lags = oauth::event::ApiLags{*lag, apart->low};
    }
    const bool ours_lives = trial.token.dead_at && trial.received < *trial.token.dead_at;
    if (verdicts[i] == Verdict::token_expired && ours_lives && !accepted_later(trials, i)) {
      const Duration life = *trial.token.dead_at - trial.token.asked;
      const auto lead = learned_lead(trial, hull, life, staleness);
      if (lead && (!leads || leads->lead < *lead))
        leads = oauth::event::ApiLeads{*lead, -apart->high};
    }
  }
  if (lags) out.emplace_back(*lags);
  if (leads) out.emplace_back(*leads);
  if (refused_for_good(trials, verdicts.back()))
    out.emplace_back(oauth::event::RefusedForGood{trials.back().token.generation, verdicts.back()});
  return out;
}

}  // namespace skewguard::guard
