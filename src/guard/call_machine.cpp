#include "guard/call_machine.hpp"

#include <algorithm>
#include <utility>

#include "base/error_kind.hpp"
#include "diagnosis/call_error.hpp"
#include "diagnosis/trials.hpp"
#include "guard/call_machine_impl.hpp"
#include "time/duration_text.hpp"

namespace skewguard::guard {
namespace {

/// The look of evidence rule 5 is for a Date alone: one that takes longer tells too little.
constexpr Duration kLookTimeout = std::chrono::seconds{5};

}  // namespace

// Events ------------------------------------------------------------------------------------------

CallStep CallMachine::Impl::step(const CallEvent& event, const clocks::ClockView& view) {
  out_ = CallStep{action::Sleep{}, {}, {}, {}};
  view_ = &view;
  CallAction action = std::visit([this](const auto& e) { return on(e); }, event);
  out_.action = std::move(action);
  view_ = nullptr;
  return std::exchange(out_, {action::Sleep{}, {}, {}, {}});
}

CallAction CallMachine::Impl::on(const event::Start& /*start*/) {
  record_.begin(now());
  started_ = now().boot;
  return need_token(options_.after);
}

CallAction CallMachine::Impl::on(const event::TokenReady& ready) {
  record_.add_login(ready.attempts, ready.token_requests);
  if (ready.held_up > Duration{0} && !trials_.empty())
    add_wait(attempt_of_trial_.back(), ready.held_up);
  note_other_token(ready.token->generation);
  token_ = ready.token;
  token_accepted_ = ready.accepted_before;
  early_ends_before_ = ready.early_ends_before;
  begins_ignored_ = ready.begins_ignored;
  older_until_ = ready.older_until;
  if (left() <= Duration{0}) return finish_overslept();
  if (one_too_many()) {
    give_up_on_refusal();
    trials_.back().hindrance = Hindrance::attempts;
    settle();
    return finish(failure_of_refusals(), last_answer_);
  }
  // After another one's trouble, say, it may be one that was refused just before.
  const Instant again = diagnosis::next_send(trials_, ready.token->generation);
  if (again > now().boot) return sleep(std::min(again, options_.deadline), Then::first_use);
  const Duration wait = ready.first_use - now().boot;
  // Where that takes too long, the API's own answer is worth more than what was learned of it.
  if (wait <= Duration{0} || wait > options_.max_wait || wait >= left()) return send();
  return sleep(ready.first_use, Then::first_use);
}

CallAction CallMachine::Impl::on(const event::TokenDenied& denied) {
  record_.add_login(denied.attempts, denied.token_requests);
  if (denied.held_up > Duration{0} && !trials_.empty())
    add_wait(attempt_of_trial_.back(), denied.held_up);
  denied_ = denied.failure.verdict;
  // A 401 that stays is an answer: the caller gets it, with the reason why there is no new token.
  if (give_up_on_refusal() && last_answer_) {
    if (!denied.failure.next_request)
      return finish(denied.failure.error.kind, last_answer_, denied.failure.verdict);
    next_request_ = denied.failure.next_request;
    trials_.back().hindrance = Hindrance::too_often;
    settle();
    return finish(failure_of_refusals(), last_answer_);
  }
  return finish_without_answer(denied.failure.error, denied.failure.verdict);
}

CallAction CallMachine::Impl::on(const event::Failed& failed) {
  if (std::exchange(looking_, false)) return on_seen(nullptr);
  const TransportFailure& failure = failed.failure;
  using Kind = TransportFailure::Kind;
  if (failure.kind == Kind::cancelled) return on(event::Cancelled{failure.detail});
  const std::size_t attempt = record_.add(nullptr, token_.get(), *view_);
  const Verdict verdict = diagnosis::verdict_of(failure, now().wall);
  const bool broken = failure.kind == Kind::reset || failure.kind == Kind::truncated;
  const Duration wait = gateway_backoff_.next();
  const bool retry =
      broken && safe_method(request_.method) && gateway_retries_ < kGatewayRetries && wait < left();
  note(attempt, verdict, diagnosis::explain_failure(failure, api_origin(), now().wall, retry));
  decide(attempt, retry ? Action::wait_and_retry : Action::give_up);
  announce(attempt, {verdict});
  if (retry) {
    ++gateway_retries_;
    return retry_after(wait);
  }
  Error error;
  error.kind = failure.kind == Kind::bad_request ? ErrorKind::config : error_kind(verdict);
  error.message = record_.at(attempt).explanation;
  return finish_without_answer(std::move(error), verdict);
}

CallAction CallMachine::Impl::on(const event::Woke& /*woke*/) {
  if (now().boot < wake_at_) return action::Sleep{wake_at_};
  if (left() <= Duration{0}) return finish_overslept();
  switch (then_) {
    case Then::look:
      return look();
    case Then::first_use:
    case Then::send_again:
      return send_again();
    case Then::renew:
      break;
  }
  return need_new_token();
}

CallAction CallMachine::Impl::on(const event::Cancelled& cancelled) {
  give_up_on_refusal();
  Error error;
  error.kind = ErrorKind::cancelled;
  error.message = "the call was cancelled before it ended";
  if (!cancelled.why.empty()) error.message += ": " + cancelled.why;
  return finish_without_answer(std::move(error), Verdict::ok);
}

// What to do next ---------------------------------------------------------------------------------

CallAction CallMachine::Impl::need_token(std::uint64_t after) {
  return action::NeedToken{after, options_.deadline, {}};
}

CallAction CallMachine::Impl::need_new_token() {
  std::uint64_t newest = token_->generation;
  for (const Trial& trial : trials_)
    if (trial.refused) newest = std::max(newest, trial.token.generation);
  return action::NeedToken{newest, options_.deadline, diagnosis::refused(evidence())};
}

CallAction CallMachine::Impl::send() {
  end_wait();
  action::Send send{request_, {}};
  send.request.authorization = oauth::bearer_authorization(token_->value);
  send.options.deadline = options_.deadline;
  return send;
}

CallAction CallMachine::Impl::send_again() {
  if (token_->given) return send();
  if (trials_.empty() || !trials_.back().refused) return need_token(0);  // any that serves
  // Where it is gone by then, the refusal is why another is asked for.
  return action::NeedToken{token_->generation - 1, options_.deadline,
                           oauth::Refused{.sent = trials_.back().sent}};
}

/// A wait that was to end with the same token ended with another.
void CallMachine::Impl::note_other_token(std::uint64_t generation) {
  if (trials_.empty() || generation == trials_.back().token.generation) return;
  if (!trials_.back().refused || waiting_for_ != attempt_of_trial_.back()) return;
  trials_.back().followed = Action::refresh_and_retry;
  decide(waiting_for_, Action::refresh_and_retry);
}

/// The token of a wait is gone, and no further token of this call may be refused.
bool CallMachine::Impl::one_too_many() const {
  if (trials_.empty() || !trials_.back().refused || !last_answer_) return false;
  if (trials_.back().token.generation == token_->generation) return false;
  const auto most = static_cast<std::size_t>(std::max(options_.attempts, 1));
  return diagnosis::tokens_refused(evidence()) >= most;
}

/// The call ends while a refused token was to be sent again, or replaced. False: none was.
bool CallMachine::Impl::give_up_on_refusal() {
  if (trials_.empty() || !trials_.back().refused) return false;
  trials_.back().followed = Action::give_up;
  decide(attempt_of_trial_.back(), Action::give_up);
  return true;
}

CallAction CallMachine::Impl::sleep(Instant until, Then then) {
  wake_at_ = until;
  then_ = then;
  if (until <= now().boot) return on(event::Woke{});
  announce_sleep();
  return action::Sleep{until};
}

/// HEAD of the request's own path, without its query and without a token: it goes the way of the
/// request, so the same clock stamps it, costs next to nothing, and changes nothing.
CallAction CallMachine::Impl::look() {
  looking_ = true;
  action::Look look;
  look.request.method = "HEAD";
  look.request.url = request_.url.substr(0, request_.url.find_first_of("?#"));
  look.options.deadline = std::min(options_.deadline, now().boot + kLookTimeout);
  return look;
}

/// After the last attempt, for another cause than the token.
CallAction CallMachine::Impl::retry_after(Duration wait) {
  begin_wait(record_.attempts().size() - 1);
  return sleep(now().boot + wait, Then::send_again);
}

// A refused token ---------------------------------------------------------------------------------

CallAction CallMachine::Impl::on_refused_token(const clocks::Answer& answer,
                                               const Refusal& refusal) {
  note_trial(answer, &refusal);
  const std::size_t attempt = record_.attempts().size() - 1;
  const Evidence known = evidence();
  const Assessment assessment = diagnosis::assess(known);
  note(attempt, assessment.verdict(), diagnosis::explain_provisional(known, assessment));
  if (assessment.next == Next::renew || assessment.next == Next::back_off)
    decide(attempt, Action::refresh_and_retry);
  if (assessment.next == Next::wait) decide(attempt, Action::wait_and_retry);
  if (assessment.next == Next::look || assessment.next == Next::give_up)
    decide(attempt, Action::give_up);
  warn_if_valid_locally(record_.at(attempt));
  announce(attempt, assessment.candidates);
  return follow(assessment);
}

CallAction CallMachine::Impl::follow(const Assessment& assessment) {
  const std::size_t attempt = attempt_of_trial_.back();
  Trial& trial = trials_.back();
  trial.hindrance = assessment.hindrance;
  switch (assessment.next) {
    case Next::look:
      begin_wait(attempt);
      return sleep(assessment.until, Then::look);
    case Next::wait:
      decide(attempt, Action::wait_and_retry);
      trial.followed = Action::wait_and_retry;
      begin_wait(attempt);
      return sleep(assessment.until, Then::send_again);
    case Next::renew:
      decide(attempt, Action::refresh_and_retry);
      trial.followed = Action::refresh_and_retry;
      if (assessment.until > now().boot) {
        begin_wait(attempt);
        return sleep(assessment.until, Then::renew);
      }
      end_wait();
      return need_new_token();
    case Next::back_off:
      decide(attempt, Action::refresh_and_retry);
      trial.followed = Action::refresh_and_retry;
      begin_wait(attempt);
      return back_off(assessment.until);
    case Next::give_up:
      break;
  }
  end_wait();
  decide(attempt, Action::give_up);
  trial.followed = Action::give_up;
  settle();
  return finish(failure_of_refusals(), last_answer_);
}

/// Until some time in the later half of the pause, so that two that fight for a client part ways.
CallAction CallMachine::Impl::back_off(Instant until) {
  const Duration half = (until - now().boot) / 2;
  const Duration more{
      static_cast<Duration::rep>(static_cast<double>(half.count()) * jitter_.next())};
  return sleep(now().boot + half + more, Then::renew);
}

/// What the look of evidence rule 5 brought; null: nothing.
CallAction CallMachine::Impl::on_seen(const clocks::Answer* answer) {
  diagnosis::Look seen{now().boot, now().boot, std::nullopt};
  if (answer != nullptr) {
    seen.sent = answer->sent.boot;
    seen.received = answer->received.boot;
    if (answer->sample()) seen.date = ServerTime{hosts_.api, answer->sample()->date};
  }
  looks_.push_back(seen);
  if (left() <= Duration{0}) return finish_overslept();
  return follow(diagnosis::assess(evidence()));
}

// The shell ---------------------------------------------------------------------------------------

CallMachine::CallMachine(HttpRequest request, CallOptions options, const oauth::Dialect& dialect,
                         ServerId api, ServerId login)
    : impl_(std::make_unique<Impl>(std::move(request), std::move(options), dialect, api, login)) {}
CallMachine::~CallMachine() = default;
CallMachine::CallMachine(CallMachine&&) noexcept = default;
CallMachine& CallMachine::operator=(CallMachine&&) noexcept = default;

CallStep CallMachine::step(const CallEvent& event, const clocks::ClockView& view) {
  return impl_->step(event, view);
}

}  // namespace skewguard::guard
