#include "diagnosis/trials.hpp"

#include <algorithm>

#include "diagnosis/standing.hpp"

namespace skewguard::diagnosis {

bool same_token(const Trial& a, const Trial& b) {
  return a.token.generation == b.token.generation;
}

bool asked_for_after(const Trial& later, const Trial& earlier) {
  return later.token.asked >= earlier.sent;
}

bool is_new(const Trial& trial) {
  return !trial.token.given && !trial.token.accepted_before &&
         trial.received - trial.token.asked < kNewFor;
}

bool contended(const Trial& trial) {
  return ended_early(trial) && trial.token.early_ends_before > 0;
}

bool tried_twice(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  return std::any_of(evidence.trials.begin(), evidence.trials.end() - 1,
                     [&](const Trial& t) { return t.refused && same_token(t, last); });
}

const Trial* token_before(const Evidence& evidence, std::size_t index) {
  for (std::size_t i = index; i-- > 0;) {
    if (!same_token(evidence.trials[i], evidence.trials[index]))
      return evidence.trials[i].refused ? &evidence.trials[i] : nullptr;
  }
  return nullptr;
}

const Trial* token_after(const Evidence& evidence, std::size_t index) {
  for (std::size_t i = index + 1; i < evidence.trials.size(); ++i) {
    if (!same_token(evidence.trials[i], evidence.trials[index]))
      return evidence.trials[i].refused ? &evidence.trials[i] : nullptr;
  }
  return nullptr;
}

}  // namespace skewguard::diagnosis
