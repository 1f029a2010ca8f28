#include "diagnosis/call_error.hpp"
#include "diagnosis/standing.hpp"
#include "diagnosis/trials.hpp"
#include "guard/call_machine_impl.hpp"
#include "guard/learned.hpp"

namespace skewguard::guard {
namespace {

/// A Date that stands still looks like another clock with each answer. Clocks that are corrected,
/// or differ a little from each other, are still clocks.
bool shows_a_clock(const clocks::ClockView& view, ServerId server) {
  constexpr Duration kFewSeconds = std::chrono::seconds{6};
  const clocks::SkewEstimator& known = view.estimator(server);
  if (known.picture() == clocks::Picture::incoherent) return false;
  if (known.picture() != clocks::Picture::several_clocks || !view.stalls(server)) return true;
  const auto all = known.prompt_hull(view.now().unslewed());
  return !all || all->high - all->low <= kFewSeconds;
}

}  // namespace

void CallMachine::Impl::note_trial(const clocks::Answer& answer, const Refusal* refusal) {
  Trial trial;
  trial.token = diagnosis::facts_of(*token_, token_accepted_, hosts_.api);
  trial.token.early_ends_before = early_ends_before_;
  trial.sent = answer.sent.boot;
  trial.received = answer.received.boot;
  if (answer.sample()) trial.date = ServerTime{hosts_.api, answer.sample()->date};
  trial.wall = answer.received.wall;
  trial.api_minus_wall = view_->at(answer.received).to_wall(hosts_.api);
  trial.refused = refusal != nullptr;
  if (refusal != nullptr) {
    const std::string& words = refusal->description;
    trial.said = {words.empty() ? refusal->error_code : words, refusal->gateway, refusal->page,
                  refusal->no_token_seen};
  }
  trials_.push_back(trial);
  attempt_of_trial_.push_back(record_.attempts().size() - 1);
}

Evidence CallMachine::Impl::evidence() const {
  Evidence out;
  out.trials = trials_;
  out.looks = looks_;
  const auto one_clock = [&](ServerId server) {
    return view_->estimator(server).picture() == clocks::Picture::one_clock;
  };
  // For the numbers in sentences: the narrow interval if a single clock answers under each name.
  const bool plain = one_clock(hosts_.api) && one_clock(hosts_.login);
  out.login_minus_api = plain ? view_->between_plain(hosts_.login, hosts_.api)
                              : view_->between(hosts_.login, hosts_.api);
  const bool coherent = view_->estimator(hosts_.api).picture() != clocks::Picture::incoherent;
  const auto begins = trials_.empty() ? std::nullopt : diagnosis::pending_begin(trials_.back());
  if (coherent && begins) {
    if (const auto span = view_->when(*begins, clocks::Trust::one_clock))
      out.begun_by = span->latest;
  }
  out.issuer_coherent = shows_a_clock(*view_, hosts_.login);
  out.begins_ignored = begins_ignored_;
  out.older_until = older_until_;
  out.takes_turns = view_->takes_turns(hosts_.api);
  out.denied = denied_;
  if (next_request_) out.next_request_in = *next_request_ - now().boot;
  out.started = started_;
  out.limits = {options_.deadline, options_.max_wait, options_.blind_wait, options_.attempts,
                options_.staleness};
  out.now = now().boot;
  return out;
}

/// At the end of the call each refusal gets its final verdict (evidence rule 1), and later calls
/// learn from it.
void CallMachine::Impl::settle() {
  if (trials_.empty() || std::exchange(settled_, true)) return;
  const Evidence known = evidence();
  std::vector<Verdict> verdicts(trials_.size(), Verdict::ok);
  for (std::size_t i = 0; i < trials_.size(); ++i) {
    if (!trials_[i].refused) continue;
    verdicts[i] = diagnosis::settle(known, i);
    ReportedAttempt& attempt = record_.at(attempt_of_trial_[i]);
    attempt.verdict = verdicts[i];
    attempt.explanation = diagnosis::explain_settled(
        known, {i, verdicts[i]},
        {options_.region, view_->origin(hosts_.login), view_->origin(hosts_.api)});
    log(LogLevel::warn, attempt.explanation, verdicts[i], attempt.correlation_id);
  }
  learn(verdicts);
}

/// Another clock behind the name has accepted the token of that trial since.
bool CallMachine::Impl::taken_later(std::size_t trial) const {
  return std::any_of(trials_.begin() + static_cast<std::ptrdiff_t>(trial), trials_.end(),
                     [&](const Trial& later) {
                       return !later.refused && diagnosis::same_token(later, trials_[trial]);
                     });
}

void CallMachine::Impl::learn(const std::vector<Verdict>& verdicts) {
  const auto hull = view_->between(hosts_.login, hosts_.api);
  std::optional<oauth::event::ApiLags> lags;
  std::optional<oauth::event::ApiLeads> leads;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const Trial& trial = trials_[i];
    if (trial.token.given || !trial.refused) continue;
    const bool replaced =
        verdicts[i] == Verdict::token_revoked || verdicts[i] == Verdict::token_contended;
    if (replaced && diagnosis::ended_early(trial))
      out_.facts.push_back(oauth::event::EndedEarly{trial.token.generation});
    const auto apart = issuer_minus_api(trial, options_.staleness);
    if (!apart) continue;
    if (verdicts[i] == Verdict::issuer_clock_ahead) {
      const auto lag = learned_lag(trial, hull, options_.staleness);
      if (lag && (!lags || lags->lag < *lag)) lags = oauth::event::ApiLags{*lag, apart->low};
    }
    const bool ours_lives = trial.token.dead_at && trial.received < *trial.token.dead_at;
    if (verdicts[i] == Verdict::token_expired && ours_lives && !taken_later(i)) {
      const Duration life = *trial.token.dead_at - trial.token.asked;
      const auto lead = learned_lead(trial, hull, life, options_.staleness);
      if (lead && (!leads || leads->lead < *lead))
        leads = oauth::event::ApiLeads{*lead, -apart->high};
    }
  }
  if (lags) out_.facts.push_back(*lags);
  if (leads) out_.facts.push_back(*leads);
  // If a new token was refused to the end, nobody requests the next one at once.
  const Trial& last = trials_.back();
  const Verdict verdict = verdicts.back();
  const bool renewed = trials_.front().token.generation != last.token.generation &&
                       diagnosis::asked_for_after(last, trials_.front());
  const bool in_vain = verdict == Verdict::token_rejected ||
                       verdict == Verdict::issuer_clock_behind ||
                       verdict == Verdict::gateway_refused ||
                       (verdict == Verdict::unknown && renewed && !last.token.accepted_before);
  if (in_vain && last.followed == Action::give_up && !last.token.given)
    out_.facts.push_back(oauth::event::RefusedForGood{last.token.generation, verdict});
}

/// The error of a call that gives up on a refused token, from its last attempt. If that is a wrong
/// local clock, which made a given token look valid, the token is refused anyway.
ErrorKind CallMachine::Impl::failure_of_refusals() const {
  if (diagnosis::local_clock_differs(evidence(), trials_.back())) return ErrorKind::credentials;
  const auto& last = record_.attempts()[attempt_of_trial_.back()];
  return diagnosis::failure_of(last.verdict.value_or(Verdict::unknown), HostRole::api);
}

}  // namespace skewguard::guard
