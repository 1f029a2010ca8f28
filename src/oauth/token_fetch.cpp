#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "oauth/issued_token.hpp"
#include "oauth/token_machine_impl.hpp"
#include "time/duration_text.hpp"

namespace skewguard::oauth {

// Answers of the login host -----------------------------------------------------------------------

void TokenMachine::Impl::on(const event::Fetched& fetched, const clocks::ClockView& view) {
  if (!fetch_.end(fetched.fetch)) return;
  waiters_.count_request();
  auto read = host_.read(fetched.answer);
  if (const auto* failure = std::get_if<LoginFailure>(&read)) {
    fail(*failure, &fetched.answer, view);
  } else {
    auto& answer = std::get<TokenAnswer>(read);
    tell_oddities(answer);
    take(std::move(answer), fetched.answer, view);
  }
  host_.forget_replaced();
}

void TokenMachine::Impl::on(const event::FetchFailed& failed, const clocks::ClockView& view) {
  if (!fetch_.end(failed.fetch)) return;
  waiters_.count_request();
  fail(host_.read(failed.failure, view.now().wall), nullptr, view);
  host_.forget_replaced();
}

void TokenMachine::Impl::take(TokenAnswer answer, const clocks::Answer& from,
                              const clocks::ClockView& view) {
  if (!host_.was_replaced()) host_.grants().note_worked();
  if (tokens_.holds(answer.access_token)) return take_same_again(view);
  const Lives now = lives(view);
  Holding fresh =
      tokens_.made(issued_token(std::move(answer), from, login_, options_.unknown_life), now);
  if (!now.alive(fresh)) {
    return fail(failure_of(Error{ErrorKind::protocol,
                                 "the token's life of " + time::human(fresh.token->life) +
                                     " (`expires_in`) had passed before its answer arrived",
                                 "give the client a longer token lifetime"},
                           from),
                &from, view);
  }
  fresh.took = from.received.boot - from.sent.boot;
  if (!fresh.issuer_counts) {
    log(LogLevel::warn,
        "the token's exp has passed by the login host's own Date: only its lifetime counts");
  }
  const TokenPtr token = fresh.token;
  // One that begins no sooner than the token that is held back for its begin would help nobody.
  if (!tokens_.begins_no_sooner(fresh, now)) unsaved_ = true;
  place(std::move(fresh), view);
  log(LogLevel::info, "token " + std::to_string(tokens_.generations()) + " (" +
                          (token->jwt() ? "jwt" : "opaque") + ") lives " +
                          time::human(token->life));
}

/// The token that is held already: its life is what it was.
void TokenMachine::Impl::take_same_again(const clocks::ClockView& view) {
  const Duration wait = login_door_.same_token_again(view.now().boot);
  log(LogLevel::warn,
      "the login host issued the same token again: next try in " + time::human(wait));
  for (Waiter& waiter : waiters_) waiter.newest_before = 0;  // there is no fresher one
  serve(view);
  const Holding& newest = *tokens_.newest();
  const bool alive = lives(view).alive(newest);
  waiters_.remove_if([&](Waiter& waiter) {
    const bool refused = waiter.want.after >= newest.token->generation && alive;
    if (!refused || !waiter.gives_up(Retry::twice)) return false;
    fail(waiter, refused_token_again(), view);
    return true;
  });
}

void TokenMachine::Impl::place(Holding fresh, const clocks::ClockView& view) {
  const bool accepted = fresh.accepted;
  login_door_.open();
  host_.grants().note_token();
  tokens_.place(std::move(fresh), lives(view));
  if (accepted) known_.note_accepted(tokens_.generations());
}

/// While a secret is being replaced, the other one may be the right one. That one that has been
/// replaced already is rejected says nothing about those of now.
bool TokenMachine::Impl::try_next_grant(const LoginFailure& failure, const clocks::Answer* answer,
                                        const clocks::ClockView& view) {
  if (failure.failure.verdict != Verdict::credentials_rejected) return false;
  GrantRotation& grants = host_.grants();
  std::string rejected = "a secret of this client that has been replaced: trying the new one";
  if (!host_.was_replaced()) {
    rejected = "secret " + std::to_string(grants.number()) + " of " +
               std::to_string(grants.all().size()) + " of this client: trying the next one";
    if (!grants.refused()) return false;
  }
  log(LogLevel::warn, "the login host rejects " + rejected, failure.failure.verdict,
      failure.correlation_id);
  LoginAttempt attempt = attempt_of(failure, answer, Duration{0}, view);
  attempt.attempt.action = Action::refresh_and_retry;
  actions_.emplace_back(action::Rejected{attempt});
  for (Waiter& waiter : waiters_) waiter.attempts.push_back(attempt);
  login_door_.try_at_once(view.now().boot);
  return true;
}

void TokenMachine::Impl::fail(const LoginFailure& failure, const clocks::Answer* answer,
                              const clocks::ClockView& view) {
  if (!try_next_grant(failure, answer, view)) fail_all(failure, answer, view);
}

void TokenMachine::Impl::fail_all(const LoginFailure& failure, const clocks::Answer* answer,
                                  const clocks::ClockView& view) {
  const Duration wait = login_door_.fail(failure, host_.grants().worked(), view.now());
  log(LogLevel::warn, failure.failure.error.message, failure.failure.verdict,
      failure.correlation_id);

  const LoginAttempt attempt = attempt_of(failure, answer, wait, view);
  actions_.emplace_back(action::Rejected{attempt});
  waiters_.remove_if([&](Waiter& waiter) {
    waiter.attempts.push_back(attempt);
    waiter.failed_at = view.now().boot;
    if (!waiter.gives_up(failure.retry)) return false;
    fail(waiter, failure.failure, view);
    return true;
  });
  if (waiters_.empty() || wait <= Duration{0}) return;
  log_wait(wait, "before asking the login host again", failure.failure.verdict);
}

// When a token may be requested -------------------------------------------------------------------

const Closed* TokenMachine::Impl::closed(Instant now) const {
  const Closed* api = api_door_.closed(now);
  const Closed* login = login_door_.closed(now);
  if (api == nullptr || login == nullptr) return api != nullptr ? api : login;
  return api->until < login->until ? login : api;
}

/// Whether nobody may wait for the next token request, however much time they have.
bool TokenMachine::Impl::turns_away(Instant now) const {
  const auto for_good = [](const Closed* door) { return door != nullptr && !door->may_pass; };
  return !can_fetch() || for_good(api_door_.closed(now)) || for_good(login_door_.closed(now));
}

/// Evidence rule 8: nobody would request a token `at` that time, now or later, if a server had not
/// refused one that lives.
/// The refusal may have discarded a renewal: then the older token is still due for one, and that it
/// is near its end, or past it, is not the reason either.
bool TokenMachine::Impl::paid_for(const clocks::ClockView& view, Instant at) const {
  if (waiters_.any_forces()) return false;
  if (tokens_.lacks_successor()) return true;
  const Holding* held = tokens_.newest();
  if (held == nullptr || !lives(view).alive(*held)) return false;
  const bool due = refresh_due(view).value_or(Instant::max()) <= at;
  if (due && !tokens_.fell_back()) return false;
  return waiters_.all_were_refused();
}

/// When a request may be sent that is wanted `at` that time, now or later.
Instant TokenMachine::Impl::earliest_fetch(const clocks::ClockView& view, Instant at) const {
  Instant earliest = login_door_.not_before();
  if (paid_for(view, at)) earliest = std::max(earliest, fetch_.next_paid());
  if (const Closed* door = closed(view.now().boot)) earliest = std::max(earliest, door->until);
  return earliest;
}

std::optional<TokenMachine::Pause> TokenMachine::Impl::pause(Instant now) const {
  if (const Closed* closed = login_door_.closed(now)) {
    const Verdict why = closed->failure.verdict;
    if (why == Verdict::credentials_rejected || why == Verdict::unknown_client)
      return Pause{closed->until, why, true};
  }
  const auto& failure = login_door_.last_failure();
  if (!failure) return std::nullopt;
  const bool of_the_host = failure->verdict == Verdict::auth_backend_unavailable ||
                           failure->verdict == Verdict::login_rate_limited;
  return of_the_host ? std::optional(Pause{login_door_.not_before(), failure->verdict})
                     : std::nullopt;
}

// What callers and the log are told ---------------------------------------------------------------

LoginAttempt TokenMachine::Impl::attempt_of(const LoginFailure& failure,
                                            const clocks::Answer* answer, Duration wait,
                                            const clocks::ClockView& view) const {
  LoginAttempt out;
  out.fetch = fetch_.latest();
  ReportedAttempt& attempt = out.attempt;
  attempt.host = HostRole::login;
  attempt.http_status = failure.http_status;
  attempt.error_code = failure.error_code;
  attempt.correlation_id = failure.correlation_id;
  attempt.verdict = failure.failure.verdict;
  attempt.explanation = failure.failure.error.message;
  attempt.action = Action::wait_and_retry;
  attempt.waited = wait;
  if (answer != nullptr && answer->sample())
    attempt.server_date = ServerTime{login_, answer->sample()->date};
  attempt.analysis.local_time = view.now().wall;
  attempt.analysis.skew = view.to_wall(login_);
  return out;
}

TokenFailure TokenMachine::Impl::reason_to_turn_away(const Waiter& waiter,
                                                     const clocks::ClockView& view) const {
  const Instant now = view.now().boot;
  if (tokens_.given()) return given_failure(waiter, view);
  if (host_.grants().empty()) return nothing_to_ask_with();
  if (fetch_.busy() && waiter.attempts.empty()) return deadline_passed();
  if (const Closed* door = closed(now)) return door->failure;
  if (login_door_.same_again()) {
    return lives(view).alive(*tokens_.newest()) ? refused_token_again() : dead_token_again();
  }
  if (!login_door_.last_failure()) return deadline_passed();
  TokenFailure failure = *login_door_.last_failure();
  const Instant next = login_door_.not_before();
  if (now < next) {
    failure.error.message += "; the next try is in " + time::human(next - now) + ", and " +
                             time::human(std::max(waiter.want.deadline - now, Duration{0})) +
                             " are left";
  }
  return failure;
}

TokenFailure TokenMachine::Impl::given_failure(const Waiter& waiter,
                                               const clocks::ClockView& view) const {
  const Holding& token = *tokens_.newest();
  const Lives now = lives(view);
  if (waiter.want.force) return given_token_cannot_be_refreshed();
  if (!now.alive(token)) return given_token_ended();
  if (waiter.want.after >= token.token->generation) return given_token_refused();
  return given_token_too_short(now.remaining(token), waiter.want.min_life);
}

void TokenMachine::Impl::deliver(const Waiter& waiter, Holding& holding) {
  holding.wanted = true;
  actions_.emplace_back(action::Deliver{waiter.want.waiter, holding.token, holding.first_use,
                                        waiter.token_requests, waiter.attempts, waiter.held_up});
}

void TokenMachine::Impl::fail(Waiter waiter, TokenFailure failure, const clocks::ClockView& view) {
  const Instant now = view.now().boot;
  if (fetch_.busy() && now >= waiter.want.deadline) {
    waiter.attempts.push_back(attempt_of(no_answer_yet(), nullptr, Duration{0}, view));
    waiter.failed_at = now;
  }
  if (!waiter.attempts.empty()) {
    ReportedAttempt& last = waiter.attempts.back().attempt;
    last.action = Action::give_up;
    last.waited = now - waiter.failed_at;
  }
  const int under_way = fetch_.busy() ? 1 : 0;
  actions_.emplace_back(action::Fail{waiter.want.waiter, std::move(failure),
                                     waiter.token_requests + under_way, std::move(waiter.attempts),
                                     waiter.held_up});
}

/// What is odd about an answer that is used all the same: each thing once.
void TokenMachine::Impl::tell_oddities(const TokenAnswer& answer) {
  for (const auto& [field, text] : answer.oddities) {
    if (std::ranges::find(odd_fields_, field) != odd_fields_.end()) continue;
    odd_fields_.push_back(field);
    log(field == kTokenTypeField ? LogLevel::info : LogLevel::warn, "the login host's " + text);
  }
}

void TokenMachine::Impl::log(LogLevel level, std::string message, std::optional<Verdict> verdict,
                             std::string correlation) {
  actions_.emplace_back(
      action::Log{{level, std::move(message), verdict, host_.origin(), std::move(correlation)}});
}

void TokenMachine::Impl::log_wait(Duration wait, std::string message,
                                  std::optional<Verdict> verdict) {
  log(LogLevel::info, "waiting " + time::human(wait) + " " + std::move(message), verdict);
  std::get<action::Log>(actions_.back()).line.wait = wait;
}

}  // namespace skewguard::oauth
