#include "guard/call_machine.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>
#include <type_traits>
#include <utility>

#include "diagnosis/assess.hpp"
#include "diagnosis/exit_code.hpp"
#include "diagnosis/explain.hpp"
#include "guard/call_record.hpp"
#include "guard/learned.hpp"
#include "http/url.hpp"
#include "oauth/withhold.hpp"
#include "time/backoff.hpp"
#include "time/duration_text.hpp"

namespace skewguard::guard {
namespace {

using diagnosis::Assessment;
using diagnosis::Evidence;
using diagnosis::Hindrance;
using diagnosis::Next;
using diagnosis::Trial;
using oauth::Refusal;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// Retries of a GET or HEAD after a broken connection or a gateway's 502, 503, 504: two, as
/// the same trouble seldom lasts shorter.
constexpr int kGatewayRetries = 2;
/// The look of rule 5 is for a Date alone: one that takes longer tells too little.
constexpr Duration kLookTimeout = seconds{5};
constexpr std::size_t kNone = static_cast<std::size_t>(-1);

std::string_view path_of(std::string_view url) {
  const auto scheme = url.find("://");
  const auto path = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
  if (path == std::string_view::npos) return "/";
  return url.substr(path, url.find_first_of("?#", path) - path);
}

/// GET and HEAD change nothing (RFC 9110 section 9.2.1), so sending them twice is safe.
bool safe_method(std::string_view method) {
  return method == "GET" || method == "HEAD";
}

bool gateway_trouble(int status) {
  return status == 502 || status == 503 || status == 504;
}

/// Whether this answer shows that the API had taken the token. Only what is decided after it was
/// looked at counts: a 429, a 400 or a 5xx, say, may come from a gateway that never did.
bool took_token(const Refusal& refusal, int status) {
  if (refusal.kind == Refusal::Kind::token_refused) return false;
  if (refusal.kind == Refusal::Kind::missing_permission ||
      refusal.kind == Refusal::Kind::no_user_context) {
    return true;
  }
  return (status >= 200 && status < 300) || status == 404 || status == 409 || status == 422;
}

/// Genesys' `inin-ratelimit-reset`: whole seconds until the limit is reset.
std::optional<Duration> rate_limit_reset(const Headers& headers) {
  const auto text = headers.find("inin-ratelimit-reset");
  if (!text) return std::nullopt;
  int count = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
  if (error != std::errc{} || end != text->data() + text->size() || count < 0) return std::nullopt;
  return seconds{count};
}

/// Some servers repeat the token in their words; ours go to logs and reports.
void withhold_token(Refusal& refusal, const Secret& token) {
  constexpr std::size_t kTelling = 12;  // characters
  const std::string_view start = token.reveal().substr(0, kTelling);
  const auto told = [&](const std::string& text) {
    return !start.empty() && text.find(start) != std::string::npos;
  };
  if (told(refusal.description)) refusal.description = "withheld: it repeats the token";
  if (told(refusal.error_code)) refusal.error_code.clear();
  if (told(refusal.correlation_id)) refusal.correlation_id.clear();
  std::erase_if(refusal.permissions, told);
}

}  // namespace

class CallMachine::Impl {
 public:
  Impl(HttpRequest request, CallOptions options, const oauth::Dialect& dialect,
       const clocks::ClockBook& book, ServerId api, ServerId login)
      : request_(std::move(request)),
        options_(std::move(options)),
        dialect_(dialect),
        where_{book, api, login},
        record_(request_.method, request_.url, where_) {}

  CallStep step(const CallEvent& event, const Now& now);

 private:
  /// What follows a sleep.
  enum class Then { send_same, send_again, look };

  CallAction on(const event::Start& start);
  CallAction on(const event::TokenReady& ready);
  CallAction on(const event::TokenDenied& denied);
  CallAction on(const event::Answered& answered);
  CallAction on(const event::Failed& failed);
  CallAction on(const event::Woke& woke);
  CallAction on(const event::Cancelled& cancelled);

  // What to do next -------------------------------------------------------------------------------
  CallAction need_token(std::uint64_t after);
  CallAction send();
  /// With the token that is good by then: the one in hand may have ended, or been replaced.
  CallAction send_again();
  CallAction sleep(Instant until, Then then);
  CallAction look();
  CallAction retry_after(Duration wait);
  void note_other_token(std::uint64_t generation);
  bool give_up_on_refusal();

  // Answers of the API ----------------------------------------------------------------------------
  CallAction on_refused_token(const Exchange& exchange, const Refusal& refusal);
  CallAction follow(const Assessment& assessment);
  CallAction on_seen(const Exchange* exchange);
  CallAction on_taken(const Exchange& exchange, const Refusal& refusal);
  CallAction on_rate_limit(const Exchange& exchange, const Refusal& refusal);
  CallAction on_auth_backend(const Exchange& exchange, const Refusal& refusal);
  CallAction on_api_error(const Exchange& exchange, const Refusal& refusal);

  // Evidence --------------------------------------------------------------------------------------
  [[nodiscard]] Refusal refusal_of(const Exchange& exchange) const;
  void note_trial(const Exchange& exchange, bool refused);
  [[nodiscard]] Evidence evidence() const;
  void settle();
  void learn(const std::vector<Verdict>& verdicts);
  [[nodiscard]] int exit_code_of_refusals() const;

  // Report ----------------------------------------------------------------------------------------
  void note(std::size_t attempt, Verdict verdict, std::string explanation);
  void decide(std::size_t attempt, Action action);
  void announce(std::size_t attempt, std::vector<Verdict> candidates);
  void warn_if_valid_locally(const ReportedAttempt& attempt);
  void begin_wait(std::size_t attempt);
  void end_wait();
  CallAction finish(int exit_code, std::optional<Exchange> answer, Verdict otherwise = Verdict::ok);
  CallAction finish_without_answer(Error error, int exit_code, Verdict otherwise);
  CallAction finish_overslept();
  void log(LogLevel level, std::string message, std::optional<Verdict> verdict = std::nullopt,
           std::string correlation_id = {});

  [[nodiscard]] Duration left() const { return options_.deadline - now_.boot; }
  [[nodiscard]] const std::string& api_origin() const { return where_.book.origin(where_.api); }

  HttpRequest request_;
  CallOptions options_;
  const oauth::Dialect& dialect_;
  Surroundings where_;
  CallRecord record_;

  Now now_{};
  CallStep out_;

  oauth::TokenPtr token_;
  bool token_accepted_ = false;

  // Sleeping
  Instant wake_at_{};
  Then then_ = Then::send_same;
  bool looking_ = false;
  /// The attempt that the wait under way follows, and since when.
  std::size_t waiting_for_ = kNone;
  Instant waiting_since_{};

  // Retries that are not about the token
  int gateway_retries_ = 0;
  time::Backoff gateway_backoff_{{milliseconds{250}, seconds{2}}, 0};
  time::Backoff limit_backoff_{{seconds{1}, seconds{30}}, 0};
  time::Backoff auth_backoff_{{milliseconds{500}, seconds{5}}, 0};

  std::vector<Trial> trials_;
  std::vector<std::size_t> attempt_of_trial_;
  std::vector<diagnosis::Look> looks_;
  std::optional<Verdict> denied_;
  Hindrance hindrance_ = Hindrance::none;
  bool settled_ = false;
  std::optional<Exchange> last_answer_;
};

// Events ------------------------------------------------------------------------------------------

CallStep CallMachine::Impl::step(const CallEvent& event, const Now& now) {
  out_ = CallStep{action::Sleep{}, {}, {}, {}};
  now_ = now;
  CallAction action = std::visit([this](const auto& e) { return on(e); }, event);
  out_.action = std::move(action);
  return std::exchange(out_, {action::Sleep{}, {}, {}, {}});
}

CallAction CallMachine::Impl::on(const event::Start& /*start*/) {
  record_.begin(now_);
  // Callers that were turned away together should not come back together.
  const auto seed = static_cast<std::uint64_t>(now_.raw.time_since_epoch().count());
  gateway_backoff_ = time::Backoff({milliseconds{250}, seconds{2}}, seed);
  limit_backoff_ = time::Backoff({seconds{1}, seconds{30}}, seed + 1);
  auth_backoff_ = time::Backoff({milliseconds{500}, seconds{5}}, seed + 2);
  return need_token(0);
}

CallAction CallMachine::Impl::on(const event::TokenReady& ready) {
  record_.add_login(ready.attempts, ready.token_requests);
  note_other_token(ready.token->generation);
  token_ = ready.token;
  token_accepted_ = ready.accepted_before;
  if (left() <= Duration{0}) return finish_overslept();
  const Duration wait = ready.first_use - now_.boot;
  // Where that takes too long, the API's own answer is worth more than what was learned of it.
  if (wait <= Duration{0} || wait > options_.max_wait || wait >= left()) return send();
  log(LogLevel::info, "waiting " + time::human(wait) +
                          " before the first use of a new token: the API's clock is behind the "
                          "login host's");
  return sleep(ready.first_use, Then::send_same);
}

CallAction CallMachine::Impl::on(const event::TokenDenied& denied) {
  record_.add_login(denied.attempts, denied.token_requests);
  denied_ = denied.failure.verdict;
  // A 401 that stays is an answer: the caller gets it, with the reason why there is no new token.
  if (give_up_on_refusal() && last_answer_) {
    return finish(denied.failure.exit_code, last_answer_, denied.failure.verdict);
  }
  return finish_without_answer(denied.failure.error, denied.failure.exit_code,
                               denied.failure.verdict);
}

CallAction CallMachine::Impl::on(const event::Answered& answered) {
  const Exchange& exchange = answered.exchange;
  if (std::exchange(looking_, false)) return on_seen(&exchange);
  const Refusal refusal = refusal_of(exchange);
  last_answer_ = exchange;
  const std::size_t attempt = record_.add(&exchange, token_.get(), now_);
  record_.at(attempt).error_code = refusal.error_code;
  record_.at(attempt).correlation_id = refusal.correlation_id;
  if (refusal.kind == Refusal::Kind::token_refused) return on_refused_token(exchange, refusal);
  if (took_token(refusal, exchange.status)) {
    note_trial(exchange, false);
    token_accepted_ = true;
    out_.facts.push_back(oauth::event::Accepted{token_->generation});
  }
  return on_taken(exchange, refusal);
}

/// Sorted, and without the token: neither whole nor, as far as it tells anything, cut or escaped.
Refusal CallMachine::Impl::refusal_of(const Exchange& exchange) const {
  const auto path = path_of(request_.url);
  const bool managed = !options_.given_token;
  if (exchange.status < 300) return dialect_.api_refusal(exchange, path, managed);
  Refusal refusal = dialect_.api_refusal(oauth::without_secrets(exchange, {token_->value.reveal()}),
                                         path, managed);
  withhold_token(refusal, token_->value);
  return refusal;
}

CallAction CallMachine::Impl::on(const event::Failed& failed) {
  if (std::exchange(looking_, false)) return on_seen(nullptr);
  const TransportFailure& failure = failed.failure;
  using Kind = TransportFailure::Kind;
  if (failure.kind == Kind::cancelled) return on(event::Cancelled{});
  const std::size_t attempt = record_.add(nullptr, token_.get(), now_);
  const Verdict verdict = diagnosis::verdict_of(failure);
  const bool broken = failure.kind == Kind::reset || failure.kind == Kind::truncated;
  const Duration wait = gateway_backoff_.next();
  const bool retry =
      broken && safe_method(request_.method) && gateway_retries_ < kGatewayRetries && wait < left();
  note(attempt, verdict, diagnosis::explain_failure(failure, retry));
  decide(attempt, retry ? Action::wait_and_retry : Action::give_up);
  announce(attempt, {verdict});
  if (retry) {
    ++gateway_retries_;
    return retry_after(wait);
  }
  const int code =
      failure.kind == Kind::bad_request ? 2 : diagnosis::exit_code(verdict, HostRole::api);
  Error error;
  error.kind = diagnosis::error_kind(code, verdict);
  error.message = record_.at(attempt).explanation;
  return finish_without_answer(std::move(error), code, verdict);
}

CallAction CallMachine::Impl::on(const event::Woke& /*woke*/) {
  if (now_.boot < wake_at_) return action::Sleep{wake_at_};
  if (left() <= Duration{0}) return finish_overslept();
  switch (then_) {
    case Then::look:
      return look();
    case Then::send_again:
      return send_again();
    case Then::send_same:
      break;
  }
  return send();
}

CallAction CallMachine::Impl::on(const event::Cancelled& /*cancelled*/) {
  give_up_on_refusal();
  Error error;
  error.kind = ErrorKind::cancelled;
  error.message = "the call was withdrawn before it had ended";
  return finish_without_answer(std::move(error), 6, Verdict::ok);
}

// What to do next ---------------------------------------------------------------------------------

CallAction CallMachine::Impl::need_token(std::uint64_t after) {
  return action::NeedToken{after, options_.deadline};
}

CallAction CallMachine::Impl::send() {
  end_wait();
  action::Send send{request_, {}};
  std::string value;
  value.reserve(token_->value.size() + 7);
  value.append("Bearer ").append(token_->value.reveal());
  send.request.authorization = Secret(std::move(value));
  send.options.deadline = options_.deadline;
  return send;
}

CallAction CallMachine::Impl::send_again() {
  if (token_->given) return send();
  return need_token(token_->generation - 1);
}

/// A wait that was to end with the same token ended with another.
void CallMachine::Impl::note_other_token(std::uint64_t generation) {
  if (trials_.empty() || generation == trials_.back().token.generation) return;
  if (!trials_.back().refused || waiting_for_ != attempt_of_trial_.back()) return;
  trials_.back().followed = Action::refresh_and_retry;
  decide(waiting_for_, Action::refresh_and_retry);
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
  if (until <= now_.boot) return on(event::Woke{});
  return action::Sleep{until};
}

/// HEAD of the request's own path, without its query and without a token: it goes the way of the
/// request, so the same clock stamps it, costs next to nothing, and changes nothing.
CallAction CallMachine::Impl::look() {
  looking_ = true;
  action::Look look;
  look.request.method = "HEAD";
  look.request.url = request_.url.substr(0, request_.url.find_first_of("?#"));
  look.options.deadline = std::min(options_.deadline, now_.boot + kLookTimeout);
  return look;
}

/// After the last attempt, for another cause than the token.
CallAction CallMachine::Impl::retry_after(Duration wait) {
  begin_wait(record_.attempts().size() - 1);
  return sleep(now_.boot + wait, Then::send_again);
}

// A refused token ---------------------------------------------------------------------------------

CallAction CallMachine::Impl::on_refused_token(const Exchange& exchange, const Refusal& refusal) {
  note_trial(exchange, true);
  const std::size_t attempt = record_.attempts().size() - 1;
  const Evidence known = evidence();
  const Assessment assessment = diagnosis::assess(known);
  note(attempt, assessment.verdict(), diagnosis::explain_provisional(known, assessment));
  if (assessment.next == Next::renew) decide(attempt, Action::refresh_and_retry);
  if (assessment.next == Next::wait) decide(attempt, Action::wait_and_retry);
  if (assessment.next == Next::look || assessment.next == Next::give_up)
    decide(attempt, Action::give_up);
  warn_if_valid_locally(record_.at(attempt));
  announce(attempt, assessment.candidates);
  log(LogLevel::debug, "the API's words: " + refusal.description, std::nullopt,
      refusal.correlation_id);
  return follow(assessment);
}

CallAction CallMachine::Impl::follow(const Assessment& assessment) {
  const std::size_t attempt = attempt_of_trial_.back();
  Trial& trial = trials_.back();
  hindrance_ = assessment.hindrance;
  switch (assessment.next) {
    case Next::look:
      begin_wait(attempt);
      return sleep(assessment.until, Then::look);
    case Next::wait:
      decide(attempt, Action::wait_and_retry);
      trial.followed = Action::wait_and_retry;
      begin_wait(attempt);
      return sleep(assessment.until, assessment.verdict() == Verdict::issuer_clock_ahead
                                         ? Then::send_same
                                         : Then::send_again);
    case Next::renew:
      end_wait();
      decide(attempt, Action::refresh_and_retry);
      trial.followed = Action::refresh_and_retry;
      return need_token(token_->generation);
    case Next::give_up:
      break;
  }
  end_wait();
  decide(attempt, Action::give_up);
  trial.followed = Action::give_up;
  settle();
  return finish(exit_code_of_refusals(), last_answer_);
}

/// What the look of rule 5 brought; null: nothing.
CallAction CallMachine::Impl::on_seen(const Exchange* exchange) {
  diagnosis::Look seen{now_.boot, now_.boot, std::nullopt};
  if (exchange != nullptr) {
    seen.sent = exchange->sent.boot;
    seen.received = exchange->received.boot;
    if (const auto sample = clocks::sample_of(*exchange))
      seen.date = ServerTime{where_.api, sample->date};
  }
  looks_.push_back(seen);
  if (left() <= Duration{0}) return finish_overslept();
  return follow(diagnosis::assess(evidence()));
}

// Any other answer --------------------------------------------------------------------------------

CallAction CallMachine::Impl::on_taken(const Exchange& exchange, const Refusal& refusal) {
  const std::size_t attempt = record_.attempts().size() - 1;
  const auto give_up = [&](Verdict verdict, std::string explanation) {
    note(attempt, verdict, std::move(explanation));
    decide(attempt, Action::give_up);
    announce(attempt, {verdict});
    return finish(diagnosis::exit_code(verdict), exchange);
  };
  switch (refusal.kind) {
    case Refusal::Kind::missing_permission:
      return give_up(Verdict::missing_permission, diagnosis::explain_missing_permission(refusal));
    case Refusal::Kind::no_user_context:
      return give_up(Verdict::no_user_context, diagnosis::explain_no_user_context(refusal));
    case Refusal::Kind::redirect:
      return give_up(Verdict::protocol, diagnosis::explain_redirect(refusal, exchange.status));
    case Refusal::Kind::unusable:
      return give_up(Verdict::protocol, diagnosis::explain_unusable(refusal, exchange.status));
    case Refusal::Kind::rate_limited:
      return on_rate_limit(exchange, refusal);
    case Refusal::Kind::backend_unavailable:
      return on_auth_backend(exchange, refusal);
    default:
      break;
  }
  if (exchange.status < 200)
    return give_up(Verdict::protocol, diagnosis::explain_unusable(refusal, exchange.status));
  if (exchange.status < 300) return finish(0, exchange);
  return on_api_error(exchange, refusal);
}

CallAction CallMachine::Impl::on_rate_limit(const Exchange& exchange, const Refusal& refusal) {
  const std::size_t attempt = record_.attempts().size() - 1;
  auto told = refusal.retry_after;
  if (!told) told = rate_limit_reset(exchange.headers);
  // One that keeps saying "at once" is not believed for ever.
  const bool believed = told && (*told > Duration{0} || limit_backoff_.steps() == 0);
  const Duration backoff = limit_backoff_.next();
  const Duration wait = believed ? *told : backoff;
  const bool retry = wait < left();
  note(attempt, Verdict::api_rate_limited, diagnosis::explain_rate_limit(refusal, wait, left()));
  decide(attempt, retry ? Action::wait_and_retry : Action::give_up);
  announce(attempt, {Verdict::api_rate_limited});
  if (retry) return retry_after(wait);
  return finish(diagnosis::exit_code(Verdict::api_rate_limited), exchange);
}

/// The API could not ask its own back end about the token: nothing was done, so any method may be
/// sent again.
CallAction CallMachine::Impl::on_auth_backend(const Exchange& exchange, const Refusal& refusal) {
  const std::size_t attempt = record_.attempts().size() - 1;
  const Duration wait = std::max(auth_backoff_.next(), refusal.retry_after.value_or(Duration{0}));
  const bool retry = wait < left();
  note(attempt, Verdict::auth_backend_unavailable, diagnosis::explain_auth_backend(refusal, retry));
  decide(attempt, retry ? Action::wait_and_retry : Action::give_up);
  announce(attempt, {Verdict::auth_backend_unavailable});
  if (retry) return retry_after(wait);
  return finish(diagnosis::exit_code(Verdict::auth_backend_unavailable), exchange);
}

CallAction CallMachine::Impl::on_api_error(const Exchange& exchange, const Refusal& refusal) {
  const std::size_t attempt = record_.attempts().size() - 1;
  const Duration wait =
      std::max(gateway_backoff_.next(), refusal.retry_after.value_or(Duration{0}));
  const bool retry = gateway_trouble(exchange.status) && safe_method(request_.method) &&
                     gateway_retries_ < kGatewayRetries && wait < left();
  note(attempt, Verdict::ok, diagnosis::explain_api_error(refusal, exchange.status, retry));
  if (!retry) return finish(1, exchange);
  ++gateway_retries_;
  decide(attempt, Action::wait_and_retry);
  return retry_after(wait);
}

// Evidence ----------------------------------------------------------------------------------------

void CallMachine::Impl::note_trial(const Exchange& exchange, bool refused) {
  Trial trial;
  trial.token = diagnosis::facts_of(*token_, token_accepted_, where_.api);
  trial.sent = exchange.sent.boot;
  trial.received = exchange.received.boot;
  if (const auto sample = clocks::sample_of(exchange))
    trial.date = ServerTime{where_.api, sample->date};
  trial.refused = refused;
  trials_.push_back(trial);
  attempt_of_trial_.push_back(record_.attempts().size() - 1);
}

Evidence CallMachine::Impl::evidence() const {
  Evidence out;
  out.trials = trials_;
  out.looks = looks_;
  const auto one_clock = [&](ServerId server) {
    return where_.book.estimator(server).picture() == clocks::Picture::one_clock;
  };
  // For the figures in sentences: the narrow interval where one clock answers for each name.
  const bool plain = one_clock(where_.api) && one_clock(where_.login);
  out.login_minus_api = plain ? where_.book.between_plain(where_.login, where_.api, now_)
                              : where_.book.between(where_.login, where_.api, now_);
  const bool coherent = where_.book.estimator(where_.api).picture() != clocks::Picture::incoherent;
  if (coherent && !trials_.empty() && trials_.back().token.begins) {
    if (const auto span =
            where_.book.when(*trials_.back().token.begins, now_, clocks::Trust::one_clock))
      out.begun_by = span->latest;
  }
  out.denied = denied_;
  out.limits = {options_.deadline, options_.max_wait, options_.blind_wait, options_.attempts,
                options_.staleness};
  out.now = now_.boot;
  return out;
}

/// The call ends: each refusal gets its final verdict (rule 1), and later calls learn from it.
void CallMachine::Impl::settle() {
  if (trials_.empty() || std::exchange(settled_, true)) return;
  const Evidence known = evidence();
  std::vector<Verdict> verdicts(trials_.size(), Verdict::ok);
  for (std::size_t i = 0; i < trials_.size(); ++i) {
    if (!trials_[i].refused) continue;
    verdicts[i] = diagnosis::settle(known, i);
    ReportedAttempt& attempt = record_.at(attempt_of_trial_[i]);
    const Hindrance why = i + 1 == trials_.size() ? hindrance_ : Hindrance::none;
    attempt.verdict = verdicts[i];
    attempt.explanation = diagnosis::explain_settled(known, {i, verdicts[i], why}, options_.region);
    log(LogLevel::warn, attempt.explanation, verdicts[i], attempt.correlation_id);
  }
  learn(verdicts);
}

void CallMachine::Impl::learn(const std::vector<Verdict>& verdicts) {
  const auto hull = where_.book.between(where_.login, where_.api, now_);
  std::optional<Duration> lag, lead;
  for (std::size_t i = 0; i < verdicts.size(); ++i) {
    const Trial& trial = trials_[i];
    if (trial.token.given) continue;
    if (verdicts[i] == Verdict::issuer_clock_ahead)
      lag = std::max(lag, learned_lag(trial, hull, options_.staleness));
    const bool ours_lives = trial.token.dead_at && trial.received < *trial.token.dead_at;
    if (verdicts[i] == Verdict::token_expired && ours_lives) {
      const Duration life = *trial.token.dead_at - trial.token.asked;
      lead = std::max(lead, learned_lead(trial, hull, life, options_.staleness));
    }
  }
  if (lag) out_.facts.push_back(oauth::event::ApiLags{*lag});
  if (lead) out_.facts.push_back(oauth::event::ApiLeads{*lead});
  // A new token that was refused to the end keeps everyone from asking for the next one at once.
  const Trial& last = trials_.back();
  const Verdict verdict = verdicts.back();
  const bool in_vain = verdict == Verdict::token_rejected ||
                       verdict == Verdict::issuer_clock_behind ||
                       (verdict == Verdict::unknown && !last.token.accepted_before);
  if (in_vain && last.followed == Action::give_up && !last.token.given)
    out_.facts.push_back(oauth::event::RefusedForGood{last.token.generation, verdict});
}

/// Of a call that gives up on a refused token. A token that no clock explains ends with 3, even if
/// a clock was in the way as well.
int CallMachine::Impl::exit_code_of_refusals() const {
  for (const std::size_t attempt : attempt_of_trial_) {
    if (record_.attempts()[attempt].verdict == Verdict::token_rejected)
      return diagnosis::exit_code(Verdict::token_rejected);
  }
  const auto& last = record_.attempts()[attempt_of_trial_.back()];
  return diagnosis::exit_code(last.verdict.value_or(Verdict::unknown));
}

// Report ------------------------------------------------------------------------------------------

void CallMachine::Impl::note(std::size_t attempt, Verdict verdict, std::string explanation) {
  record_.at(attempt).verdict = verdict;
  record_.at(attempt).explanation = std::move(explanation);
}

void CallMachine::Impl::decide(std::size_t attempt, Action action) {
  record_.at(attempt).action = action;
}

void CallMachine::Impl::announce(std::size_t attempt, std::vector<Verdict> candidates) {
  const ReportedAttempt& told = record_.attempts()[attempt];
  std::string names;
  for (const Verdict candidate : candidates)
    names.append(names.empty() ? "" : ", ").append(to_string(candidate));
  if (candidates.size() > 1) names.append(" (provisional)");
  log(LogLevel::warn, "rejected: " + names + ": " + told.explanation, told.verdict,
      told.correlation_id);
  out_.rejections.push_back({request_.method, request_.url, told, std::move(candidates)});
}

/// What the usual check would have missed, beside the verdict that rests on better evidence.
void CallMachine::Impl::warn_if_valid_locally(const ReportedAttempt& attempt) {
  const WallClockAnalysis& usual = attempt.analysis;
  if (usual.status != WallClockAnalysis::Status::valid_locally || !usual.time_remaining) return;
  const auto tenths = *usual.time_remaining / std::chrono::milliseconds{100};
  log(LogLevel::critical,
      "token valid locally but refused by " + api_origin() + ": " + std::to_string(tenths / 10) +
          "." + std::to_string(tenths % 10) +
          " s left by the local wall clock (verdict provisional)",
      attempt.verdict, attempt.correlation_id);
}

/// A look and the wait after it count as one.
void CallMachine::Impl::begin_wait(std::size_t attempt) {
  if (waiting_for_ == attempt) return;
  waiting_for_ = attempt;
  waiting_since_ = now_.boot;
}

/// The wait that followed an attempt is over.
void CallMachine::Impl::end_wait() {
  if (waiting_for_ == kNone) return;
  const Duration waited = now_.boot - waiting_since_;
  record_.at(waiting_for_).waited += waited;
  if (!trials_.empty() && attempt_of_trial_.back() == waiting_for_ && trials_.back().refused)
    trials_.back().waited += waited;
  waiting_for_ = kNone;
}

CallAction CallMachine::Impl::finish(int exit_code, std::optional<Exchange> answer,
                                     Verdict otherwise) {
  end_wait();
  settle();
  action::Finish end;
  end.answer = std::move(answer);
  end.report = record_.close(exit_code, otherwise, now_, options_.staleness);
  return end;
}

CallAction CallMachine::Impl::finish_without_answer(Error error, int exit_code, Verdict otherwise) {
  auto end = std::get<action::Finish>(finish(exit_code, std::nullopt, otherwise));
  error.report = std::make_shared<const CallReport>(end.report);
  end.error = std::move(error);
  return end;
}

/// The deadline passed in a wait (the machine was suspended, or its timer came late).
CallAction CallMachine::Impl::finish_overslept() {
  give_up_on_refusal();
  const auto& attempts = record_.attempts();
  const Verdict last =
      attempts.empty() ? Verdict::ok : attempts.back().verdict.value_or(Verdict::ok);
  if (!attempts.empty()) decide(attempts.size() - 1, Action::give_up);
  if (last_answer_ && last == Verdict::api_rate_limited)
    return finish(diagnosis::exit_code(last), last_answer_);
  if (last_answer_ && (last == Verdict::auth_backend_unavailable || last == Verdict::ok))
    return finish(1, last_answer_);
  Error error;
  error.kind = ErrorKind::timeout;
  error.message = "the deadline passed before the request could be sent";
  error.remedy = "raise --timeout";
  return finish_without_answer(std::move(error), diagnosis::exit_code(Verdict::timeout),
                               Verdict::timeout);
}

void CallMachine::Impl::log(LogLevel level, std::string message, std::optional<Verdict> verdict,
                            std::string correlation_id) {
  out_.log.push_back({level, std::move(message), verdict, api_origin(), std::move(correlation_id)});
}

// The shell ---------------------------------------------------------------------------------------

CallMachine::CallMachine(HttpRequest request, CallOptions options, const oauth::Dialect& dialect,
                         const clocks::ClockBook& book, ServerId api, ServerId login)
    : impl_(std::make_unique<Impl>(std::move(request), std::move(options), dialect, book, api,
                                   login)) {}
CallMachine::~CallMachine() = default;
CallMachine::CallMachine(CallMachine&&) noexcept = default;
CallMachine& CallMachine::operator=(CallMachine&&) noexcept = default;

CallStep CallMachine::step(const CallEvent& event, const Now& now) {
  return impl_->step(event, now);
}

}  // namespace skewguard::guard
