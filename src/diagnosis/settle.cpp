#include <algorithm>

#include "diagnosis/assess.hpp"
#include "diagnosis/dates.hpp"
#include "diagnosis/standing.hpp"
#include "diagnosis/trials.hpp"

namespace skewguard::diagnosis {
namespace {

/// Whether this proof of evidence rule 2 still stands at the end of the call. If it ended the call,
/// it needs evidence rule 5.
bool upheld(const Evidence& evidence, std::size_t index) {
  const bool came_through =
      std::any_of(evidence.trials.begin() + static_cast<std::ptrdiff_t>(index),
                  evidence.trials.end(), [](const Trial& t) { return !t.refused; });
  return came_through || date_seen_again(evidence);
}

Verdict settle_ended(const Evidence& evidence, std::size_t index) {
  if (dead_on_arrival(evidence, evidence.trials[index]) && date_seen_again(evidence)) {
    for (const Trial* other : {token_before(evidence, index), token_after(evidence, index)}) {
      if (other != nullptr && dead_on_arrival(evidence, *other) &&
          issuer_borne_out(evidence, *other, evidence.trials[index]))
        return Verdict::issuer_clock_behind;
    }
  }
  // An earlier call has shown it, so no other token is requested at once.
  const bool shown = evidence.token_failure == Verdict::issuer_clock_behind &&
                     dead_on_arrival(evidence, evidence.trials[index]);
  return shown ? Verdict::issuer_clock_behind : Verdict::token_expired;
}

/// What happened to a token and to newer ones after it was refused.
struct Outcome {
  bool same_accepted = false;
  bool same_refused = false;  ///< twice in all, before or after
  bool new_accepted = false;
  bool new_refused = false;               ///< and by no proof of a clock's fault
  bool new_refused_for_no_clock = false;  ///< and no clock explains that
};
Outcome outcome(const Evidence& evidence, std::size_t index) {
  const Trial& trial = evidence.trials[index];
  Outcome seen;
  for (std::size_t i = 0; i < evidence.trials.size(); ++i) {
    const Trial& other = evidence.trials[i];
    if (i == index) continue;
    if (same_token(other, trial)) {
      (other.refused ? seen.same_refused : seen.same_accepted) = true;
    } else if (i > index && !other.refused) {
      seen.new_accepted = true;
    } else if (i > index && asked_for_after(other, trial)) {
      const Standing how = standing(evidence, other);
      seen.new_refused |= how != Standing::not_begun && how != Standing::ended;
      seen.new_refused_for_no_clock |= how == Standing::agrees;
    }
  }
  return seen;
}

/// The trial's token was itself the new one, meant to cure an earlier refusal.
bool refused_as_new_one(const Evidence& evidence, std::size_t index, bool twice) {
  const Trial* before = token_before(evidence, index);
  return before != nullptr && asked_for_after(evidence.trials[index], *before) &&
         (twice || standing(evidence, *before) == Standing::agrees);
}

/// There is no proof against a clock: the outcome decides, as far as clocks are excluded.
Verdict settle_by_outcome(const Evidence& evidence, std::size_t index) {
  const Trial& trial = evidence.trials[index];
  const Standing how = standing(evidence, trial);
  const Outcome seen = outcome(evidence, index);
  if (seen.same_accepted) return is_new(trial) ? Verdict::token_not_yet_active : Verdict::unknown;
  const bool waited = how == Standing::perhaps_not_begun && seen.same_refused;
  if (trial.token.given && (how == Standing::undecided || how == Standing::agrees || waited))
    return Verdict::token_rejected;
  if (how != Standing::agrees && !waited) return Verdict::unknown;
  if (contended(trial) && how == Standing::agrees) return Verdict::token_contended;
  if (seen.new_accepted) return Verdict::token_revoked;
  const bool in_vain = seen.same_refused && seen.new_refused;
  if (in_vain || seen.new_refused_for_no_clock ||
      refused_as_new_one(evidence, index, seen.same_refused))
    return Verdict::token_rejected;
  return evidence.token_failure == Verdict::token_rejected ? Verdict::token_rejected
                                                           : Verdict::unknown;
}

/// A page refused this token and, in this call or before it, a new one: whatever answers does not
/// look at tokens.
bool only_pages(const Evidence& evidence, std::size_t index) {
  const Trial& trial = evidence.trials[index];
  if (!trial.said.page) return false;
  if (evidence.token_failure == Verdict::gateway_refused) return true;
  const bool all_pages =
      std::ranges::all_of(evidence.trials, [](const Trial& t) { return t.refused && t.said.page; });
  const Trial& first = evidence.trials.front();
  return all_pages && std::ranges::any_of(evidence.trials, [&](const Trial& t) {
           return !same_token(t, first) && asked_for_after(t, first);
         });
}

Verdict settle_token(const Evidence& evidence, std::size_t index) {
  const Trial& trial = evidence.trials[index];
  switch (standing(evidence, trial)) {
    case Standing::not_begun:
      if (upheld(evidence, index)) return Verdict::issuer_clock_ahead;
      break;
    case Standing::perhaps_not_begun:
      if (outcome(evidence, index).same_accepted) return Verdict::issuer_clock_ahead;
      break;
    case Standing::ended:
      return settle_ended(evidence, index);
    case Standing::agrees:
    case Standing::undecided:
      break;
  }
  return settle_by_outcome(evidence, index);
}

}  // namespace

Verdict settle(const Evidence& evidence, std::size_t index) {
  const Verdict verdict = settle_token(evidence, index);
  const bool no_cause = verdict == Verdict::token_rejected || verdict == Verdict::unknown;
  return no_cause && only_pages(evidence, index) ? Verdict::gateway_refused : verdict;
}

}  // namespace skewguard::diagnosis
