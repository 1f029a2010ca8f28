#include "guard/call_machine.hpp"

#include <algorithm>
#include <utility>

#include "base/error_kind.hpp"
#include "diagnosis/call_error.hpp"
#include "diagnosis/trials.hpp"
#include "guard/call_lines.hpp"
#include "guard/call_machine_impl.hpp"

namespace skewguard::guard {
namespace {

/// What the report shows as the action after a refusal. A look is not an attempt: the call may give
/// up after it.
Action action_of(Next next) {
  switch (next) {
    case Next::renew:
    case Next::back_off:
      return Action::refresh_and_retry;
    case Next::wait:
      return Action::wait_and_retry;
    case Next::look:
    case Next::give_up:
      break;
  }
  return Action::give_up;
}

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
  trials_.begin(now().boot);
  return need_token(options_.after);
}

/// The first send was somebody else's; from its answer on it is this call's.
CallAction CallMachine::Impl::on(const event::Resumed& resumed) {
  record_.begin(resumed.answer->sent);
  trials_.begin(resumed.answer->sent.boot);
  if (from_elsewhere(*resumed.answer)) return pass_on(resumed.answer);
  if (!resumed.with.token) return on_unknown_token(resumed.answer);
  use(resumed.with);
  return on(event::Answered{resumed.answer});
}

/// Nothing can be said of a token that was replaced several times since. After a 401 nothing has
/// been done: the request is sent with the present one.
CallAction CallMachine::Impl::on_unknown_token(const clocks::AnswerPtr& answer) {
  if (answer->status != 401 || !options_.policy.replayable) return pass_on(answer);
  last_answer_ = answer;
  const std::size_t attempt = record_.add(answer.get(), nullptr, *view_);
  note(attempt, Verdict::unknown,
       "The API refused a token that has been replaced several times since.");
  decide(attempt, Action::refresh_and_retry);
  announce(attempt, {Verdict::unknown});
  return need_token(options_.after);
}

/// Whether another host than the API answered: somebody redirected the request.
bool CallMachine::Impl::from_elsewhere(const clocks::Answer& answer) const {
  return !answer.origin.empty() && answer.origin != api_origin();
}

/// Ends the call with an answer that says nothing about a token of ours: whoever redirected the
/// request elsewhere, for example, gets no other token there.
CallAction CallMachine::Impl::pass_on(const clocks::AnswerPtr& answer) {
  record_.add(answer.get(), nullptr, *view_);
  if (answer->status < 400) return finish(std::nullopt, answer);
  return finish(diagnosis::failure_of(Verdict::ok, HostRole::api), answer);
}

CallAction CallMachine::Impl::on(const event::TokenReady& ready) {
  record_.add_login(ready.attempts, ready.token_requests);
  if (checking_) return on_new_token(ready);
  if (ready.held_up > Duration{0} && !trials_.all().empty())
    add_wait(trials_.last_attempt(), ready.held_up);
  use(ready);
  if (left() <= Duration{0}) return finish_overslept();
  if (one_too_many()) {
    give_up_on_refusal();
    trials_.hinder(Hindrance::attempts);
    return finish_refused();
  }
  // It may be a token that was refused just before, for example after trouble with another one.
  const Instant again = diagnosis::next_send(trials_.all(), ready.token->generation);
  if (again > now().boot) return sleep(std::min(again, options_.deadline), Then::first_use);
  const Duration wait = ready.first_use - now().boot;
  // If that takes too long, the API's own answer is worth more than what was learned about it.
  if (wait <= Duration{0} || wait > options_.max_wait || wait >= left()) return send();
  return sleep(ready.first_use, Then::first_use);
}

/// A wait that should have ended with the same token may have ended with another.
void CallMachine::Impl::use(const event::TokenReady& ready) {
  if (trials_.refused_other_than(ready.token->generation) &&
      pause_.waiting_after(trials_.last_attempt()))
    follow_refusal(Action::refresh_and_retry);
  token_ = {ready.token, ready.accepted_before, ready.early_ends_before, ready.begins_ignored,
            ready.older_until};
}

CallAction CallMachine::Impl::on(const event::TokenFailed& failed) {
  const oauth::TokenFailure& failure = failed.failure;
  record_.add_login(failed.attempts, failed.token_requests);
  if (failed.held_up > Duration{0} && !trials_.all().empty())
    add_wait(trials_.last_attempt(), failed.held_up);
  trials_.note_no_token(failure.verdict, std::nullopt);
  if (checking_) return finish_refused();
  // A 401 that cannot be cured is an answer: the caller gets it, with the reason why there is no
  // new token.
  if (!give_up_on_refusal() || !last_answer_)
    return finish_without_answer(failure.error, failure.verdict);
  if (!failure.next_request) return finish(failure.error.kind, last_answer_, failure.verdict);
  trials_.note_no_token(failure.verdict, failure.next_request);
  trials_.hinder(Hindrance::too_often);
  return finish_refused();
}

CallAction CallMachine::Impl::on(const event::Failed& failed) {
  if (std::exchange(looking_, false)) return on_seen(nullptr);
  if (checking_) return finish_refused();
  const TransportFailure& failure = failed.failure;
  using Kind = TransportFailure::Kind;
  if (failure.kind == Kind::cancelled) return on(event::Cancelled{failure.detail});
  const std::size_t attempt = record_.add(nullptr, token_.token.get(), *view_);
  const Verdict verdict = diagnosis::verdict_of(failure, now().wall);
  const bool broken = failure.kind == Kind::reset || failure.kind == Kind::truncated;
  const auto wait =
      broken && may_retry() ? retries_.after_gateway_trouble(std::nullopt, left()) : std::nullopt;
  const auto words =
      diagnosis::explain_failure(failure, api_origin(), now().wall, wait.has_value());
  note(attempt, verdict, words.text());
  decide(attempt, wait ? Action::wait_and_retry : Action::give_up);
  const bool unsendable = failure.kind == Kind::bad_request;
  if (!unsendable) announce(attempt, {verdict});  // else nobody has rejected anything
  if (wait) return retry_after(*wait);
  Error error;
  error.kind = unsendable ? ErrorKind::config : error_kind(verdict);
  error.message = words.what;
  error.remedy = words.remedy;
  return finish_without_answer(std::move(error), verdict);
}

CallAction CallMachine::Impl::on(const event::Woke& /*woke*/) {
  if (now().boot < pause_.until()) return action::Sleep{pause_.until()};
  if (left() <= Duration{0}) return checking_ ? finish_refused() : finish_overslept();
  switch (pause_.then()) {
    case Then::look:
      return look();
    case Then::first_use:
    case Then::send_again:
      return send_again();
    case Then::check:
      return check();
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

action::NeedToken CallMachine::Impl::need_new_token() const {
  const std::uint64_t newest = std::max(token_.token->generation, trials_.newest_refused());
  return {newest, options_.deadline, diagnosis::refused(evidence())};
}

CallAction CallMachine::Impl::send() {
  end_wait();
  action::Send send{request_, {}};
  send.request.authorization = oauth::bearer_authorization(token_.token->value);
  send.options.deadline = options_.policy.limit_sends ? options_.deadline : Instant::max();
  return send;
}

CallAction CallMachine::Impl::send_again() {
  if (token_.token->given) return send();
  if (!trials_.refused()) return need_token(0);  // any that serves
  // If it has gone by then, the refusal is the reason for requesting another.
  return action::NeedToken{token_.token->generation - 1, options_.deadline,
                           oauth::Refused{.sent = trials_.last().sent}};
}

/// True if the token of a wait has gone and this call may not have another token refused.
bool CallMachine::Impl::one_too_many() const {
  if (!trials_.refused_other_than(token_.token->generation) || !last_answer_) return false;
  const auto max = static_cast<std::size_t>(std::max(options_.attempts, 1));
  return diagnosis::tokens_refused(evidence()) >= max;
}

/// The call ends although a refused token should have been sent again or replaced. False if there
/// was no such token.
bool CallMachine::Impl::give_up_on_refusal() {
  if (!trials_.refused()) return false;
  follow_refusal(Action::give_up);
  return true;
}

CallAction CallMachine::Impl::sleep(Instant until, Then then) {
  pause_.sleep(until, then);
  if (until <= now().boot) return on(event::Woke{});
  const auto& attempts = record_.attempts();
  out_.log.push_back(waiting_line(pause_, attempts.empty() ? nullptr : &attempts.back(), now().boot,
                                  api_origin()));
  return action::Sleep{until};
}

/// HEAD of the request's own path, without its query and without a token: it takes the same route
/// as the request, so the same clock stamps it, it costs next to nothing, and it changes nothing.
CallAction CallMachine::Impl::look() {
  looking_ = true;
  action::Look look;
  look.request.method = "HEAD";
  look.request.url = request_.url.substr(0, request_.url.find_first_of("?#"));
  look.options.deadline = std::min(options_.deadline, now().boot + clocks::kLookTimeout);
  return look;
}

/// After the last attempt, for a cause other than the token.
CallAction CallMachine::Impl::retry_after(Duration wait) {
  pause_.begin_wait(last_attempt(), now().boot);
  return sleep(now().boot + wait, Then::send_again);
}

// A refused token ---------------------------------------------------------------------------------

CallAction CallMachine::Impl::on_refused_token(const clocks::Answer& answer,
                                               const Refusal& refusal) {
  const std::size_t attempt = last_attempt();
  trials_.note(answer, token_, &refusal, attempt, *view_);
  const Evidence known = evidence();
  const Assessment assessment = diagnosis::assess(known);
  note(attempt, assessment.verdict(), diagnosis::explain_provisional(known, assessment));
  decide(attempt, action_of(assessment.next));
  const ReportedAttempt& rejected = record_.at(attempt);
  if (rejected.analysis.status == WallClockAnalysis::Status::valid_locally)
    out_.log.push_back(valid_locally_line(rejected, api_origin()));
  announce(attempt, assessment.candidates);
  return follow(assessment);
}

CallAction CallMachine::Impl::follow(const Assessment& assessment) {
  const std::size_t attempt = trials_.last_attempt();
  trials_.hinder(assessment.hindrance);
  replace_ = assessment.replace;
  if (assessment.next != Next::look) follow_refusal(action_of(assessment.next));
  const bool waits = assessment.next != Next::give_up &&
                     (assessment.next != Next::renew || assessment.until > now().boot);
  if (waits) {
    pause_.begin_wait(attempt, now().boot);
  } else {
    end_wait();
  }
  switch (assessment.next) {
    case Next::look:
      return sleep(assessment.until, Then::look);
    case Next::wait:
      return sleep(assessment.until, Then::send_again);
    case Next::renew:
      return waits ? sleep(assessment.until, Then::renew) : need_new_token();
    case Next::back_off:
      return back_off(assessment.until);
    case Next::give_up:
      break;
  }
  if (!replace_ || options_.check.url.empty()) return finish_refused();
  replace_ = false;
  checking_ = true;
  return need_new_token();
}

/// For later calls; what becomes of it shows why the other one was refused.
CallAction CallMachine::Impl::on_new_token(const event::TokenReady& ready) {
  token_ = {ready.token, ready.accepted_before, ready.early_ends_before, ready.begins_ignored,
            ready.older_until};
  if (ready.first_use >= options_.deadline) return finish_refused();
  return sleep(ready.first_use, Then::check);
}

CallAction CallMachine::Impl::check() {
  action::Check check{options_.check, {}};
  check.request.authorization = oauth::bearer_authorization(token_.token->value);
  check.options.deadline = options_.deadline;
  return check;
}

/// Until some time in the second half of the pause, so that two processes that compete for a client
/// do not stay in step.
CallAction CallMachine::Impl::back_off(Instant until) {
  const Duration half = (until - now().boot) / 2;
  const Duration more{
      static_cast<Duration::rep>(static_cast<double>(half.count()) * jitter_.next())};
  return sleep(now().boot + half + more, Then::renew);
}

/// The answer to the look of evidence rule 5; null if there was none.
CallAction CallMachine::Impl::on_seen(const clocks::Answer* answer) {
  trials_.note_look(answer, now().boot);
  if (left() <= Duration{0}) return finish_overslept();
  return follow(diagnosis::assess(evidence()));
}

// Report and log ----------------------------------------------------------------------------------

void CallMachine::Impl::note(std::size_t attempt, Verdict verdict, std::string explanation) {
  record_.at(attempt).verdict = verdict;
  record_.at(attempt).explanation = std::move(explanation);
}

void CallMachine::Impl::follow_refusal(Action action) {
  trials_.follow_with(action);
  decide(trials_.last_attempt(), action);
}

void CallMachine::Impl::announce(std::size_t attempt, std::vector<Verdict> candidates) {
  const ReportedAttempt& rejected = record_.attempts()[attempt];
  out_.log.push_back(rejected_line(rejected, candidates, api_origin()));
  out_.rejections.push_back({request_.method, request_.url, rejected, std::move(candidates)});
}

/// The wait that followed an attempt is over.
void CallMachine::Impl::end_wait() {
  if (const auto ended = pause_.end_wait(now().boot)) add_wait(ended->attempt, ended->waited);
}

void CallMachine::Impl::add_wait(std::size_t attempt, Duration waited) {
  record_.at(attempt).waited += waited;
  trials_.add_wait(attempt, waited);
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
