#include "guard/call_trials.hpp"

#include <algorithm>

#include "diagnosis/dates.hpp"
#include "diagnosis/standing.hpp"
#include "diagnosis/trials.hpp"

namespace skewguard::guard {
namespace {

/// A frozen Date looks like another clock with each answer. Clocks that are corrected, or that
/// differ a little from each other, are still clocks.
bool shows_a_clock(const clocks::ClockView& view, ServerId server) {
  constexpr Duration kFewSeconds = std::chrono::seconds{6};
  const clocks::SkewEstimator& known = view.estimator(server);
  if (known.picture() == clocks::Picture::incoherent) return false;
  if (known.picture() != clocks::Picture::several_clocks || !view.stalls(server)) return true;
  const auto all = known.prompt_hull(view.now().unslewed());
  return !all || all->high - all->low <= kFewSeconds;
}

/// For the numbers in messages: the narrow interval if a single clock answers under each name.
std::optional<OffsetBound> login_minus_api(const Hosts& hosts, const clocks::ClockView& view) {
  const auto one_clock = [&](ServerId server) {
    return view.estimator(server).picture() == clocks::Picture::one_clock;
  };
  return one_clock(hosts.api) && one_clock(hosts.login) ? view.between_plain(hosts.login, hosts.api)
                                                        : view.between(hosts.login, hosts.api);
}

}  // namespace

void CallTrials::note(const clocks::Answer& answer, const TokenInUse& token,
                      const oauth::Refusal* refusal, std::size_t attempt,
                      const clocks::ClockView& view) {
  diagnosis::Trial trial;
  trial.token = diagnosis::facts_of(*token.token, token.accepted, hosts_.api);
  trial.token.early_ends_before = token.early_ends_before;
  trial.sent = answer.sent.boot;
  trial.received = answer.received.boot;
  if (answer.sample()) trial.date = ServerTime{hosts_.api, answer.sample()->date};
  trial.wall = answer.received.wall;
  trial.api_minus_wall = view.at(answer.received).to_wall(hosts_.api);
  trial.refused = refusal != nullptr;
  if (refusal != nullptr) {
    const std::string& words = refusal->description;
    trial.said = {words.empty() ? refusal->error_code : words, refusal->gateway, refusal->page,
                  refusal->no_token_seen};
  }
  trials_.push_back(std::move(trial));
  attempts_.push_back(attempt);
}

void CallTrials::note_look(const clocks::Answer* answer, Instant now) {
  diagnosis::Look seen{now, now, std::nullopt};
  if (answer != nullptr) {
    seen.sent = answer->sent.boot;
    seen.received = answer->received.boot;
    if (answer->sample()) seen.date = ServerTime{hosts_.api, answer->sample()->date};
  }
  looks_.push_back(seen);
}

std::uint64_t CallTrials::newest_refused() const noexcept {
  std::uint64_t newest = 0;
  for (const diagnosis::Trial& trial : trials_)
    if (trial.refused) newest = std::max(newest, trial.token.generation);
  return newest;
}

void CallTrials::add_wait(std::size_t attempt, Duration waited) {
  if (refused() && last_attempt() == attempt) trials_.back().waited += waited;
}

diagnosis::Evidence CallTrials::evidence(const TokenInUse& token, const CallOptions& options,
                                         const clocks::ClockView& view) const {
  diagnosis::Evidence out;
  out.trials = trials_;
  out.looks = looks_;
  out.login_minus_api = login_minus_api(hosts_, view);
  const bool coherent = view.estimator(hosts_.api).picture() != clocks::Picture::incoherent;
  const auto begins = trials_.empty() ? std::nullopt : diagnosis::pending_begin(trials_.back());
  if (coherent && begins) {
    if (const auto span = view.when(*begins, clocks::Trust::one_clock)) out.begun_by = span->latest;
  }
  out.issuer_coherent = shows_a_clock(view, hosts_.login);
  out.begins_ignored = token.begins_ignored;
  out.older_until = token.older_until;
  out.takes_turns = view.takes_turns(hosts_.api);
  out.token_failure = no_token_;
  if (next_request_) out.next_request_in = *next_request_ - view.now().boot;
  out.started = started_;
  out.limits = {options.deadline, options.max_wait,  options.blind_wait,
                options.attempts, options.staleness, options.policy.replayable};
  out.now = view.now().boot;
  return out;
}

}  // namespace skewguard::guard
