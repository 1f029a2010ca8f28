#include <algorithm>

#include "clocks/bounds.hpp"
#include "http/url.hpp"
#include "oauth/secret_hint.hpp"
#include "oauth/sent_secrets.hpp"
#include "oauth/token_answer.hpp"
#include "oauth/token_machine_impl.hpp"
#include "oauth/withhold.hpp"
#include "time/duration_text.hpp"

namespace skewguard::oauth {
namespace {

/// A Retry-After beyond these is not believed: a gateway's "come back tomorrow" must not keep a
/// service without tokens when its login host is long up again.
constexpr Duration kLongestLimit = std::chrono::hours{1};     // of token requests
constexpr Duration kLongestOutage = std::chrono::minutes{5};  // of the login host
/// Credentials that have worked and are refused for longer than half a minute (the pauses double)
/// will hardly be taken again soon: from then on callers are told at once.
constexpr Duration kLongestToWaitThrough = std::chrono::seconds{20};

}  // namespace

void TokenMachine::Impl::on(const event::Fetched& fetched, const clocks::ClockView& view) {
  if (fetch_ != fetched.fetch) return;  // a late or doubled answer
  finish_fetch();
  const clocks::Answer& answer = fetched.answer;
  const bool good = answer.status >= 200 && answer.status < 300;
  auto token = good ? dialect_->token(answer) : Result<TokenAnswer>(Error{});
  if (token) {
    tell_oddities(*token);
    return take(std::move(token).value(), answer, view);
  }
  const Refusal refusal = refusal_of(answer);
  if (good && refusal.kind == Refusal::Kind::unusable) {
    LoginFailure failure = failure_of(token.error(), answer);
    hide_secrets({&failure.failure.error.message, &failure.correlation_id});
    return fail(std::move(failure), &answer, view);
  }
  fail(failure_of(refusal, answer.status, context()), &answer, view);
}

/// What is odd about an answer that is used all the same: each thing once.
void TokenMachine::Impl::tell_oddities(const TokenAnswer& answer) {
  for (const auto& [field, text] : answer.oddities) {
    if (std::find(odd_fields_.begin(), odd_fields_.end(), field) != odd_fields_.end()) continue;
    odd_fields_.push_back(field);
    std::string message = "the login host's " + text;
    hide_secrets({&message});
    log(field == kTokenTypeField ? LogLevel::info : LogLevel::warn, std::move(message));
  }
}

LoginContext TokenMachine::Impl::context() const {
  LoginContext out{http::origin_of(options_.token_url), options_.region, grant().client_id()};
  out.secret_hint = secret_hint(grant().client_secret().reveal(), grant().client_auth());
  out.client_auth = grant().client_auth();
  out.raw = options_.raw_basic;
  const auto plain = [](std::string_view text) { return http::form_encode(text) == text; };
  out.special = !plain(grant().client_id()) || !plain(grant().client_secret().reveal());
  return out;
}

/// Takes what the login host had been sent out of its `words`.
void TokenMachine::Impl::hide_secrets(std::initializer_list<std::string*> words) const {
  const auto hide = [&](const Grant& from) {
    const auto secrets = secrets_in(dialect_->request(from, options_.token_url));
    for (std::string* text : words) *text = withhold(std::move(*text), secrets);
  };
  hide(grant());
  for (const auto& known : grants_) hide(*known);
}

/// Sorted as it came; what is told of it says nothing secret.
Refusal TokenMachine::Impl::refusal_of(const Exchange& exchange) const {
  Refusal refusal = dialect_->login_refusal(exchange);
  hide_secrets(
      {&refusal.description, &refusal.error_code, &refusal.correlation_id, &refusal.gateway});
  return refusal;
}

void TokenMachine::Impl::on(const event::FetchFailed& failed, const clocks::ClockView& view) {
  if (fetch_ != failed.fetch) return;
  finish_fetch();
  fail(failure_of(failed.failure, http::origin_of(options_.token_url), view.now().wall), nullptr,
       view);
}

/// A certificate that failed by the local wall clock may be good by another.
void TokenMachine::Impl::reopen_where_clock_was_set(const clocks::ClockView& view) {
  if (!login_closed_ || login_closed_->failure.verdict != Verdict::tls_clock) return;
  if (!clocks::wall_was_set(login_closed_->wall_less_boot, view.now())) return;
  login_closed_.reset();
  not_before_ = view.now().boot;
}

const Closed* TokenMachine::Impl::closed(const clocks::ClockView& view) const {
  const Closed* longest = nullptr;
  for (const auto* door : {&api_closed_, &login_closed_}) {
    const bool shut = *door && view.now().boot < (*door)->until;
    if (shut && (longest == nullptr || longest->until < (*door)->until)) longest = &**door;
  }
  return longest;
}

/// Whether nobody may wait for the next token request, however much time they have.
bool TokenMachine::Impl::turns_away(const clocks::ClockView& view) const {
  if (!can_fetch()) return true;
  const auto for_good = [&](const std::optional<Closed>& door) {
    return door && view.now().boot < door->until && !door->may_pass;
  };
  return for_good(api_closed_) || for_good(login_closed_);
}

/// When the newest token is due for a successor; nothing where none is wanted.
std::optional<Instant> TokenMachine::Impl::refresh_due(const clocks::ClockView& view) const {
  if (next_ || !current_ || !current_->wanted || !can_fetch() || !alive(*current_, view)) {
    return std::nullopt;
  }
  return std::max(refresh_at(life_of(*current_, view), options_, learned_, current_->jitter),
                  current_->no_refresh_before);
}

std::optional<TokenMachine::Pause> TokenMachine::Impl::pause() const {
  if (!last_failure_) return std::nullopt;
  const Verdict verdict = last_failure_->verdict;
  const bool of_the_host =
      verdict == Verdict::auth_backend_unavailable || verdict == Verdict::login_rate_limited;
  return of_the_host ? std::optional(Pause{not_before_, verdict}) : std::nullopt;
}

/// Evidence rule 8: nobody would ask for a token now but that a server refused one that lives. The
/// refusal may have discarded a renewal: then the older token is still due for one, and that it is
/// near its end, or past it, is not the reason either.
bool TokenMachine::Impl::paid_for(const clocks::ClockView& view) const {
  const bool forced = std::any_of(waiters_.begin(), waiters_.end(),
                                  [](const Waiter& waiter) { return waiter.want.force; });
  if (forced) return false;
  if (discarded_generation_ != 0 && discarded_generation_ == generations_) return true;
  const Holding* held = newest();
  if (held == nullptr || !alive(*held, view)) return false;
  const bool due = refresh_due(view).value_or(Instant::max()) <= view.now().boot;
  if (due && discarded_generation_ == 0) return false;
  return std::all_of(waiters_.begin(), waiters_.end(),
                     [](const Waiter& waiter) { return waiter.want.refused.has_value(); });
}

Instant TokenMachine::Impl::earliest_fetch(const clocks::ClockView& view) const {
  Instant earliest = paid_for(view) ? std::max(not_before_, budget_.next()) : not_before_;
  if (const Closed* door = closed(view)) earliest = std::max(earliest, door->until);
  return earliest;
}

void TokenMachine::Impl::finish_fetch() {
  fetch_.reset();
  fetch_paid_ = false;
  for (auto& waiter : waiters_) ++waiter.token_requests;
}

/// A secret that is being replaced: the other one may be the right one.
bool TokenMachine::Impl::try_next_grant(const LoginFailure& failure, const clocks::Answer* answer,
                                        const clocks::ClockView& view) {
  if (failure.failure.verdict != Verdict::credentials_rejected) return false;
  const std::size_t refused = turn_ + 1;
  turn_ = grants_.empty() ? 0 : refused % grants_.size();
  if (++refused_ >= grants_.size()) {
    refused_ = 0;
    return false;
  }
  log(LogLevel::warn,
      "the login host rejects secret " + std::to_string(refused) + " of " +
          std::to_string(grants_.size()) + " of this client: trying the next one",
      failure.failure.verdict, failure.correlation_id);
  LoginAttempt attempt = attempt_of(failure, answer, Duration{0}, view);
  attempt.attempt.action = Action::refresh_and_retry;
  actions_.emplace_back(action::Rejected{attempt});
  for (auto& waiter : waiters_) waiter.attempts.push_back(attempt);
  not_before_ = view.now().boot;
  return true;
}

void TokenMachine::Impl::fail(LoginFailure failure, const clocks::Answer* answer,
                              const clocks::ClockView& view) {
  if (try_next_grant(failure, answer, view)) return;
  const bool told_when = failure.retry_after && *failure.retry_after > Duration{0};
  const bool limited = failure.failure.verdict == Verdict::login_rate_limited;
  Duration wait = backoff_.next();
  if (told_when) wait = std::min(*failure.retry_after, limited ? kLongestLimit : kLongestOutage);
  if (failure.credentials) {
    const Duration first = grants_worked_ ? options_.first_pause_after_good : options_.first_pause;
    wait = growing_pause(first, options_.longest_pause, login_refusals_++);
  }
  not_before_ = view.now().boot + wait;
  last_failure_ = failure.failure;
  same_again_ = false;
  if (failure.retry == Retry::never) {
    login_closed_ = Closed{not_before_, failure.failure, clocks::wall_less_boot(view.now()),
                           failure.credentials && grants_worked_ && wait <= kLongestToWaitThrough};
  }
  log(LogLevel::warn, failure.failure.error.message, failure.failure.verdict,
      failure.correlation_id);

  const LoginAttempt attempt = attempt_of(failure, answer, wait, view);
  actions_.emplace_back(action::Rejected{attempt});
  std::erase_if(waiters_, [&](Waiter& waiter) {
    waiter.attempts.push_back(attempt);
    waiter.failed_at = view.now().boot;
    if (!waiter.gives_up(failure.retry)) return false;
    deny(waiter, failure.failure, view);
    return true;
  });
  if (waiters_.empty() || wait <= Duration{0}) return;
  log(LogLevel::info, "waiting " + time::human(wait) + " before asking the login host again",
      failure.failure.verdict);
  std::get<action::Log>(actions_.back()).line.wait = wait;
}

LoginAttempt TokenMachine::Impl::attempt_of(const LoginFailure& failure,
                                            const clocks::Answer* answer, Duration wait,
                                            const clocks::ClockView& view) const {
  LoginAttempt out;
  out.fetch = fetches_;
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
  if (given()) return given_failure(waiter, view);
  if (grants_.empty()) return nothing_to_ask_with();
  if (fetch_ && waiter.attempts.empty()) return deadline_passed();
  if (const Closed* door = closed(view)) {
    TokenFailure failure = door->failure;
    if (api_closed_ && door == &*api_closed_) failure.next_request = door->until;
    return failure;
  }
  if (same_again_) return alive(*newest(), view) ? refused_token_again() : dead_token_again();
  if (!last_failure_) return deadline_passed();
  TokenFailure failure = *last_failure_;
  if (view.now().boot < not_before_) {
    failure.error.message +=
        "; the next try is in " + time::human(not_before_ - view.now().boot) + ", and " +
        time::human(std::max(waiter.want.deadline - view.now().boot, Duration{0})) + " are left";
  }
  return failure;
}

TokenFailure TokenMachine::Impl::given_failure(const Waiter& waiter,
                                               const clocks::ClockView& view) const {
  const Holding& token = *newest();
  if (waiter.want.force) return given_token_cannot_be_refreshed();
  if (waiter.want.after < token.token->generation && alive(token, view)) {
    return given_token_too_short(remaining(token, view), waiter.want.min_life);
  }
  return alive(token, view) ? given_token_refused() : given_token_ended();
}

void TokenMachine::Impl::deliver(const Waiter& waiter, Holding& holding) {
  holding.wanted = true;
  actions_.emplace_back(action::Deliver{waiter.want.waiter, holding.token, holding.first_use,
                                        waiter.token_requests, waiter.attempts, waiter.held_up});
}

void TokenMachine::Impl::deny(Waiter waiter, TokenFailure failure, const clocks::ClockView& view) {
  if (fetch_ && view.now().boot >= waiter.want.deadline) {
    waiter.attempts.push_back(attempt_of(no_answer_yet(), nullptr, Duration{0}, view));
    waiter.failed_at = view.now().boot;
  }
  if (!waiter.attempts.empty()) {
    ReportedAttempt& last = waiter.attempts.back().attempt;
    last.action = Action::give_up;
    last.waited = view.now().boot - waiter.failed_at;
  }
  const int under_way = fetch_ ? 1 : 0;
  actions_.emplace_back(action::Deny{waiter.want.waiter, std::move(failure),
                                     waiter.token_requests + under_way, std::move(waiter.attempts),
                                     waiter.held_up});
}

void TokenMachine::Impl::log(LogLevel level, std::string message, std::optional<Verdict> verdict,
                             std::string correlation) {
  actions_.emplace_back(action::Log{{level, std::move(message), verdict,
                                     http::origin_of(options_.token_url), std::move(correlation)}});
}

}  // namespace skewguard::oauth
