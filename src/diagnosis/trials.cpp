#include "diagnosis/trials.hpp"

#include <algorithm>
#include <vector>

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

Instant next_send(const std::vector<Trial>& trials, std::uint64_t generation) {
  Instant next = Instant::min();
  for (const Trial& trial : trials) {
    if (trial.refused && trial.token.generation == generation)
      next = std::max(next, trial.sent + kSendsApart);
  }
  return next;
}

std::size_t refusals_of_last(const Evidence& evidence) {
  const Trial& last = evidence.trials.back();
  return static_cast<std::size_t>(
      std::count_if(evidence.trials.begin(), evidence.trials.end(),
                    [&](const Trial& t) { return t.refused && same_token(t, last); }));
}

namespace {

template <typename Counts>
std::size_t count_tokens(const Evidence& evidence, Counts counts) {
  std::vector<std::uint64_t> seen;
  for (const Trial& t : evidence.trials) {
    const bool known = std::find(seen.begin(), seen.end(), t.token.generation) != seen.end();
    if (t.refused && !known && counts(t)) seen.push_back(t.token.generation);
  }
  return seen.size();
}

}  // namespace

std::size_t tokens_refused(const Evidence& evidence) {
  return count_tokens(evidence, [](const Trial&) { return true; });
}

std::size_t cures_refused(const Evidence& evidence) {
  const auto first = std::find_if(evidence.trials.begin(), evidence.trials.end(),
                                  [](const Trial& t) { return t.refused; });
  return count_tokens(evidence, [&](const Trial& t) {
    return !same_token(t, *first) && asked_for_after(t, *first);
  });
}

const Trial* token_before(const Evidence& evidence, std::size_t index) {
  const Trial* found = nullptr;
  for (std::size_t i = 0; i < index; ++i) {
    const Trial& t = evidence.trials[i];
    if (t.token.generation >= evidence.trials[index].token.generation) continue;
    if (found == nullptr || t.token.generation >= found->token.generation) found = &t;
  }
  return found != nullptr && found->refused ? found : nullptr;
}

const Trial* token_after(const Evidence& evidence, std::size_t index) {
  const Trial* found = nullptr;
  for (std::size_t i = index + 1; i < evidence.trials.size(); ++i) {
    const Trial& t = evidence.trials[i];
    if (t.token.generation <= evidence.trials[index].token.generation) continue;
    if (found == nullptr || t.token.generation < found->token.generation) found = &t;
  }
  return found != nullptr && found->refused ? found : nullptr;
}

}  // namespace skewguard::diagnosis
