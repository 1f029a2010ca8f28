#include "oauth/token_machine.hpp"

#include <algorithm>

#include "http/url.hpp"
#include "oauth/denials.hpp"
#include "oauth/issued_token.hpp"
#include "oauth/lifetime.hpp"
#include "oauth/login_failure.hpp"
#include "oauth/refresh_schedule.hpp"
#include "oauth/waiters.hpp"
#include "oauth/withhold.hpp"
#include "time/duration_text.hpp"

namespace skewguard::oauth {
namespace {

constexpr Duration kRepublishAfter = std::chrono::milliseconds{100};
/// A Retry-After beyond these is not believed: a gateway's "come back tomorrow" must not keep a
/// service without tokens when its login host is long up again.
constexpr Duration kLongestLimit = std::chrono::hours{1};     // of token requests
constexpr Duration kLongestOutage = std::chrono::minutes{5};  // of the login host

/// A token that is held, and what is known of it beside its own data.
struct Holding {
  TokenPtr token;
  Instant first_use{};
  double jitter = 0;  ///< [0, 1): where in its margin it is refreshed
  /// The second witness is believed. Not where it says that the token was dead when it came: an
  /// issuer whose exp and Date contradict each other would have us ask for ever.
  bool issuer_counts = true;
  bool accepted = false;  ///< the API has taken it
  bool wanted = false;    ///< someone asked for it, so it is worth a successor
};

/// No token request before `until`; who needs one is told `failure` at once.
struct Closed {
  Instant until{};
  TokenFailure failure;
};

std::string origin_of(const std::string& url) {
  const auto parsed = http::parse_url(url);
  return parsed ? parsed->origin() : url;
}

}  // namespace

class TokenMachine::Impl {
 public:
  Impl(TokenMachineOptions options, std::shared_ptr<const Grant> grant,
       std::shared_ptr<const Dialect> dialect, const clocks::ClockBook& book, ServerId login)
      : options_(std::move(options)),
        grant_(std::move(grant)),
        dialect_(std::move(dialect)),
        book_(&book),
        login_(login),
        backoff_(options_.backoff, options_.seed),
        jitter_(options_.seed + 1) {}

  TokenActions step(const TokenEvent& event, const Now& now) {
    actions_.clear();
    std::visit([&](const auto& e) { on(e, now); }, event);
    settle(now);
    return std::move(actions_);
  }

  TokenPtr usable(const Now& now) const {
    return current_ && current_->first_use <= now.boot && alive(*current_, now) ? current_->token
                                                                                : nullptr;
  }
  std::optional<Instant> ends_at(const Now& now) const {
    if (!current_) return std::nullopt;
    return end_for_api(life_of(*current_, now), learned_);
  }
  bool fetching() const noexcept { return fetch_.has_value(); }
  bool was_accepted(std::uint64_t generation) const noexcept {
    return std::find(accepted_.begin(), accepted_.end(), generation) != accepted_.end();
  }

 private:
  // Events ----------------------------------------------------------------------------------------
  void on(const event::Want& want, const Now& now);
  void on(const event::Withdraw& withdraw, const Now& now);
  void on(const event::Fetched& fetched, const Now& now);
  void on(const event::FetchFailed& failed, const Now& now);
  void on(const event::Tick& tick, const Now& now);
  void on(const event::Accepted& accepted, const Now& now);
  void on(const event::RefusedForGood& refused, const Now& now);
  void on(const event::ApiLags& fact, const Now& now);
  void on(const event::ApiLeads& fact, const Now& now);
  void on(const event::StoodStill& event, const Now& now);
  void on(const event::Adopt& adopt, const Now& now);

  // What follows from the state, after any event -----------------------------------------------
  void settle(const Now& now);
  void promote(const Now& now);
  void serve(const Now& now);
  bool answer(const Waiter& waiter, const Now& now);
  void start_fetch(const Now& now);
  void turn_away(const Now& now);
  void publish(const Now& now);
  void set_wake(const Now& now);

  // Tokens ----------------------------------------------------------------------------------------
  LifeSpan life_of(const Holding& holding, const Now& now) const;
  bool alive(const Holding& holding, const Now& now) const {
    return now.boot < usable_until(life_of(holding, now), options_, learned_);
  }
  Duration remaining(const Holding& holding, const Now& now) const {
    return end_for_api(life_of(holding, now), learned_) - now.boot;
  }
  bool serves(const std::optional<Holding>& holding, const event::Want& want,
              const Now& now) const {
    return holding && holding->token->generation > want.after && alive(*holding, now) &&
           remaining(*holding, now) >= want.min_life;
  }
  const Holding* newest() const { return next_ ? &*next_ : current_ ? &*current_ : nullptr; }
  std::uint64_t newest_generation() const { return newest() ? newest()->token->generation : 0; }
  bool given() const { return newest() != nullptr && newest()->token->given; }
  Holding hold(Token token, const Now& now);
  void take(TokenAnswer answer, const Exchange& exchange, const Now& now);
  void take_same_again(const Now& now);
  Refusal refusal_of(const Exchange& exchange) const;

  // Fetching --------------------------------------------------------------------------------------
  const Closed* closed(const Now& now) const;
  bool can_fetch() const { return grant_ != nullptr && !given(); }
  std::optional<Instant> refresh_due(const Now& now) const;
  Instant earliest_fetch(const Now& now) const;
  void finish_fetch();
  void fail(LoginFailure failure, const Exchange* exchange, const Now& now);
  LoginAttempt attempt_of(const LoginFailure& failure, const Exchange* exchange, Duration wait,
                          const Now& now) const;
  TokenFailure reason_to_turn_away(const Waiter& waiter, const Now& now) const;
  TokenFailure given_failure(const Waiter& waiter, const Now& now) const;
  void deliver(const Waiter& waiter, Holding& holding);
  void deny(Waiter waiter, TokenFailure failure, const Now& now);
  void log(LogLevel level, std::string message, std::optional<Verdict> verdict = std::nullopt,
           std::string correlation = {});

  TokenMachineOptions options_;
  std::shared_ptr<const Grant> grant_;
  std::shared_ptr<const Dialect> dialect_;
  const clocks::ClockBook* book_;
  ServerId login_;
  time::Backoff backoff_;
  time::Jitter jitter_;

  std::optional<Holding> current_;  ///< kept when dead, to know the same token when it comes again
  std::optional<Holding> next_;     ///< newer, not to be sent yet; only while current_ lives
  std::uint64_t generations_ = 0;
  std::vector<std::uint64_t> accepted_;  ///< the last few generations that the API took
  Learned learned_;

  std::optional<FetchId> fetch_;  ///< under way
  FetchId fetches_ = 0;
  Instant not_before_{};                      ///< backoff: no fetch earlier
  std::optional<TokenFailure> last_failure_;  ///< of the last fetch; nothing if it brought a token
  bool same_again_ = false;                   ///< the last fetch brought the token that we had
  std::optional<Closed> login_closed_;        ///< by a failure that no retry cures
  unsigned login_refusals_ = 0;               ///< in a row
  std::optional<Closed> api_closed_;          ///< by a fresh token that the API refused
  unsigned api_refusals_ = 0;                 ///< in a row
  std::uint64_t refused_generation_ = 0;

  std::vector<Waiter> waiters_;  ///< in order of arrival
  TokenPtr published_;
  Instant published_until_{};
  std::optional<Instant> wake_;
  TokenActions actions_;
};

// Events ------------------------------------------------------------------------------------------

void TokenMachine::Impl::on(const event::Want& want, const Now& /*now*/) {
  const auto same = [&](const Waiter& w) { return w.want.waiter == want.waiter; };
  if (std::any_of(waiters_.begin(), waiters_.end(), same)) return;
  Waiter waiter{.want = want, .newest_before = newest_generation()};
  if (want.force) waiter.want.after = std::max(want.after, waiter.newest_before);
  waiters_.push_back(std::move(waiter));
}

void TokenMachine::Impl::on(const event::Withdraw& withdraw, const Now& /*now*/) {
  std::erase_if(waiters_, [&](const Waiter& w) { return w.want.waiter == withdraw.waiter; });
}

void TokenMachine::Impl::on(const event::Fetched& fetched, const Now& now) {
  if (fetch_ != fetched.fetch) return;  // a late or doubled answer
  finish_fetch();
  const Exchange& exchange = fetched.exchange;
  if (exchange.status < 200 || exchange.status >= 300) {
    const Refusal refusal = refusal_of(exchange);
    const LoginContext context{origin_of(options_.token_url), options_.region, grant_->client_id()};
    fail(failure_of(refusal, exchange.status, context), &exchange, now);
    return;
  }
  auto answer = dialect_->token(exchange);
  if (answer) {
    take(std::move(answer).value(), exchange, now);
  } else {
    fail(failure_of(answer.error(), exchange), &exchange, now);
  }
}

/// Sorted, and without what we had sent: neither as the server's JSON writes it nor as it reads.
Refusal TokenMachine::Impl::refusal_of(const Exchange& exchange) const {
  const auto secret = grant_->client_secret().reveal();
  const HttpRequest sent = dialect_->request(*grant_, options_.token_url);
  const auto credentials = sent.authorization.reveal();
  const auto basic = credentials.substr(std::min(credentials.find(' ') + 1, credentials.size()));
  Refusal refusal = dialect_->login_refusal(without_secrets(exchange, {secret, basic}));
  refusal.description = without_secrets(std::move(refusal.description), {secret, basic});
  refusal.error_code = without_secrets(std::move(refusal.error_code), {secret, basic});
  return refusal;
}

void TokenMachine::Impl::on(const event::FetchFailed& failed, const Now& now) {
  if (fetch_ != failed.fetch) return;
  finish_fetch();
  fail(failure_of(failed.failure, now.wall), nullptr, now);
}

void TokenMachine::Impl::on(const event::Tick& /*tick*/, const Now& /*now*/) {
  wake_.reset();  // spent, or early: set it again
}

void TokenMachine::Impl::on(const event::Accepted& accepted, const Now& now) {
  if (!was_accepted(accepted.generation)) {
    constexpr std::size_t kKept = 8;
    if (accepted_.size() == kKept) accepted_.erase(accepted_.begin());
    accepted_.push_back(accepted.generation);
  }
  for (auto* holding : {&current_, &next_}) {
    if (!*holding || (*holding)->token->generation != accepted.generation) continue;
    (*holding)->accepted = (*holding)->wanted = true;
    (*holding)->first_use = std::min((*holding)->first_use, now.boot);
  }
  if (accepted.generation >= refused_generation_) {
    api_closed_.reset();
    api_refusals_ = 0;
    refused_generation_ = 0;
  }
}

void TokenMachine::Impl::on(const event::RefusedForGood& refused, const Now& now) {
  // Of many callers that got the same token the first counts; an older token has been replaced.
  if (refused.generation < newest_generation() || refused.generation <= refused_generation_) return;
  refused_generation_ = refused.generation;
  const Duration pause =
      growing_pause(options_.first_pause, options_.longest_pause, api_refusals_++);
  TokenFailure failure = fresh_token_refused(refused.verdict, pause);
  log(LogLevel::warn, failure.error.message, failure.verdict);
  api_closed_ = Closed{now.boot + pause, std::move(failure)};
}

void TokenMachine::Impl::on(const event::ApiLags& fact, const Now& /*now*/) {
  const Duration lag = learn(learned_.lag, fact.lag);
  if (lag == learned_.lag) return;
  learned_.lag = lag;
  for (auto* holding : {&current_, &next_}) {
    if (*holding && !(*holding)->accepted && !(*holding)->token->given) {
      (*holding)->first_use = first_use(*(*holding)->token, learned_);
    }
  }
  log(LogLevel::info, "the API's clock is behind the login host's by up to " +
                          time::human(learned_.lag) +
                          ": new tokens are first sent that much later");
}

void TokenMachine::Impl::on(const event::ApiLeads& fact, const Now& /*now*/) {
  const Duration lead = learn(learned_.lead, fact.lead);
  if (lead == learned_.lead) return;
  learned_.lead = lead;
  log(LogLevel::info, "the API's clock is ahead of the login host's by " +
                          time::human(learned_.lead) + ": tokens end that much earlier");
}

void TokenMachine::Impl::on(const event::StoodStill& event, const Now& /*now*/) {
  if (event.gap <= Duration{0}) return;
  const Duration gap = std::min(event.gap, kLongestLife);
  for (auto* holding : {&current_, &next_}) {
    if (!*holding) continue;
    // To a clock that did not stand still it was sent that much earlier.
    auto token = std::make_shared<Token>(*(*holding)->token);
    token->sent -= gap;
    token->received -= gap;
    (*holding)->token = std::move(token);
  }
  log(LogLevel::warn,
      "this machine stood still for about " + time::human(gap) + ": tokens end that much earlier");
}

void TokenMachine::Impl::on(const event::Adopt& adopt, const Now& now) {
  if (!adopt.token) return;
  Holding holding = hold(*adopt.token, now);
  holding.issuer_counts = true;  // of a token from before it is the better witness
  const Holding* held = newest();
  const bool better = adopt.token->given || held == nullptr || !alive(*held, now) ||
                      life_of(holding, now).end > life_of(*held, now).end;
  if (!better) return;
  holding.first_use = adopt.token->given ? now.boot : holding.first_use;
  auto token = std::make_shared<Token>(*holding.token);
  token->generation = ++generations_;
  holding.token = std::move(token);
  current_ = std::move(holding);
  next_.reset();
}

// What follows from the state ---------------------------------------------------------------------

void TokenMachine::Impl::settle(const Now& now) {
  promote(now);
  serve(now);
  if (!waiters_.empty() || refresh_due(now).value_or(Instant::max()) <= now.boot) {
    start_fetch(now);
  }
  turn_away(now);
  publish(now);
  set_wake(now);
}

void TokenMachine::Impl::promote(const Now& now) {
  if (!next_) return;
  if (now.boot < next_->first_use && alive(*current_, now)) return;
  current_ = std::move(next_);
  next_.reset();
}

void TokenMachine::Impl::serve(const Now& now) {
  std::erase_if(waiters_, [&](const Waiter& waiter) { return answer(waiter, now); });
}

/// Answers the waiter if that can be done now.
bool TokenMachine::Impl::answer(const Waiter& waiter, const Now& now) {
  const event::Want& want = waiter.want;
  const bool in_time = now.boot <= want.deadline;
  for (auto* holding : {&current_, &next_}) {
    if (!in_time || !serves(*holding, want, now)) continue;
    deliver(waiter, **holding);
    return true;
  }
  const Holding* fresh = newest();
  if (in_time && fresh != nullptr && !fresh->token->given && alive(*fresh, now) &&
      fresh->token->generation > std::max(want.after, waiter.newest_before)) {
    deny(waiter, new_token_too_short(remaining(*fresh, now), want.min_life), now);
    return true;
  }
  if (now.boot < want.deadline) return false;
  deny(waiter, reason_to_turn_away(waiter, now), now);
  return true;
}

void TokenMachine::Impl::start_fetch(const Now& now) {
  if (fetch_ || !can_fetch() || now.boot < earliest_fetch(now)) return;
  fetch_ = ++fetches_;
  actions_.emplace_back(action::StartFetch{*fetch_, dialect_->request(*grant_, options_.token_url),
                                           now.boot + options_.fetch_timeout});
}

/// Denies those whom no token request can serve in time.
void TokenMachine::Impl::turn_away(const Now& now) {
  if (fetch_) return;
  std::erase_if(waiters_, [&](const Waiter& waiter) {
    const bool hopeless =
        !can_fetch() || closed(now) != nullptr || waiter.want.deadline <= earliest_fetch(now);
    if (hopeless) deny(waiter, reason_to_turn_away(waiter, now), now);
    return hopeless;
  });
}

void TokenMachine::Impl::publish(const Now& now) {
  const TokenPtr token = usable(now);
  const Instant until =
      token ? usable_until(life_of(*current_, now), options_, learned_) : Instant{};
  // The second witness moves a little with each answer: earlier counts at once, later need not.
  const bool moved = until < published_until_ || until > published_until_ + kRepublishAfter;
  if (token == published_ && !moved) return;
  published_ = token;
  published_until_ = until;
  actions_.emplace_back(action::Publish{token, until});
}

void TokenMachine::Impl::set_wake(const Now& now) {
  std::optional<Instant> wake;
  const auto consider = [&](Instant at) { wake = std::min(at, wake.value_or(at)); };
  for (const auto& waiter : waiters_) consider(waiter.want.deadline);
  if (!fetch_) {
    if (!waiters_.empty()) consider(earliest_fetch(now));
    if (const auto due = refresh_due(now)) consider(std::max(*due, earliest_fetch(now)));
  }
  if (next_) consider(next_->first_use);
  if (current_ && alive(*current_, now)) {
    const Instant until = usable_until(life_of(*current_, now), options_, learned_);
    consider(now.boot < current_->first_use ? std::min(current_->first_use, until) : until);
  }
  if (!wake || wake == wake_) return;
  wake_ = wake;
  actions_.emplace_back(action::WakeAt{*wake});
}

// Tokens ------------------------------------------------------------------------------------------

LifeSpan TokenMachine::Impl::life_of(const Holding& holding, const Now& now) const {
  const Token& token = *holding.token;
  // Of a given token nobody here knows when it was made: only its issuer's clock can end it.
  const bool untold = token.given && !token.expires_in;
  LifeSpan life{token.sent, untold ? token.sent + kLongestLife : token.dead_at()};
  if (!holding.issuer_counts || !token.ends) return life;
  if (const auto ended = book_->when(*token.ends, now))
    life.end = std::min(life.end, ended->latest);
  return life;
}

Holding TokenMachine::Impl::hold(Token token, const Now& now) {
  Holding holding{.token = std::make_shared<Token>(std::move(token)), .jitter = jitter_.next()};
  holding.first_use = first_use(*holding.token, learned_);
  holding.issuer_counts = alive(holding, now);
  return holding;
}

void TokenMachine::Impl::take(TokenAnswer answer, const Exchange& exchange, const Now& now) {
  for (const auto* held : {&current_, &next_}) {
    if (*held && (*held)->token->value == answer.access_token) return take_same_again(now);
  }
  Holding fresh =
      hold(issued_token(std::move(answer), exchange, login_, options_.unknown_life), now);
  if (!alive(fresh, now)) {
    return fail(failure_of(Error{ErrorKind::protocol,
                                 "the token's life of " + time::human(fresh.token->life) +
                                     " (`expires_in`) had passed before its answer was there",
                                 "give the client a longer token lifetime"},
                           exchange),
                &exchange, now);
  }
  auto token = std::make_shared<Token>(*fresh.token);
  token->generation = ++generations_;
  fresh.token = token;
  if (!fresh.issuer_counts) {
    log(LogLevel::warn,
        "the token's exp is past by the login host's own Date: only its lifetime "
        "is counted");
  }
  log(LogLevel::info, "token " + std::to_string(token->generation) + " (" +
                          (token->jwt() ? "jwt" : "opaque") + ") lives " +
                          time::human(token->life));
  if (token->issuer_date) {
    actions_.emplace_back(
        action::Save{{token->value, token->issuer_date->since_epoch(), token->life}});
  }
  backoff_.reset();
  not_before_ = {};
  last_failure_.reset();
  same_again_ = false;
  login_closed_.reset();
  login_refusals_ = 0;
  const bool keep_old = current_ && alive(*current_, now) && fresh.first_use > now.boot;
  (keep_old ? next_ : current_) = std::move(fresh);
  if (!keep_old) next_.reset();
}

/// The token that we have: its life is what it was, and asking at once again would be a storm.
void TokenMachine::Impl::take_same_again(const Now& now) {
  const Duration wait = backoff_.next();
  not_before_ = now.boot + wait;
  log(LogLevel::warn,
      "the login host gave out the same token again: next try in " + time::human(wait));
  same_again_ = true;
  for (auto& waiter : waiters_) waiter.newest_before = 0;  // no fresher one is to be had
  serve(now);
  std::erase_if(waiters_, [&](Waiter& waiter) {
    const bool refused = waiter.want.after >= newest_generation() && alive(*newest(), now);
    if (!refused || !waiter.gives_up(Retry::twice)) return false;
    deny(waiter, refused_token_again(), now);
    return true;
  });
}

// Fetching ----------------------------------------------------------------------------------------

const Closed* TokenMachine::Impl::closed(const Now& now) const {
  for (const auto* door : {&api_closed_, &login_closed_}) {
    if (*door && now.boot < (*door)->until) return &**door;
  }
  return nullptr;
}

/// When the newest token is due for a successor; nothing where none is wanted.
std::optional<Instant> TokenMachine::Impl::refresh_due(const Now& now) const {
  if (next_ || !current_ || !current_->wanted || !can_fetch() || !alive(*current_, now)) {
    return std::nullopt;
  }
  return refresh_at(life_of(*current_, now), options_, learned_, current_->jitter);
}

Instant TokenMachine::Impl::earliest_fetch(const Now& now) const {
  const Closed* door = closed(now);
  return door == nullptr ? not_before_ : std::max(not_before_, door->until);
}

void TokenMachine::Impl::finish_fetch() {
  fetch_.reset();
  for (auto& waiter : waiters_) ++waiter.token_requests;
}

void TokenMachine::Impl::fail(LoginFailure failure, const Exchange* exchange, const Now& now) {
  const bool told_when = failure.retry_after && *failure.retry_after > Duration{0};
  const bool limited = failure.failure.verdict == Verdict::login_rate_limited;
  Duration wait = backoff_.next();
  if (told_when) wait = std::min(*failure.retry_after, limited ? kLongestLimit : kLongestOutage);
  if (failure.credentials) {
    wait = growing_pause(options_.first_pause, options_.longest_pause, login_refusals_++);
  }
  not_before_ = now.boot + wait;
  last_failure_ = failure.failure;
  same_again_ = false;
  if (failure.retry == Retry::never) login_closed_ = Closed{not_before_, failure.failure};
  log(LogLevel::warn, failure.failure.error.message, failure.failure.verdict,
      failure.correlation_id);

  const LoginAttempt attempt = attempt_of(failure, exchange, wait, now);
  actions_.emplace_back(action::Rejected{attempt});
  std::erase_if(waiters_, [&](Waiter& waiter) {
    waiter.attempts.push_back(attempt);
    waiter.failed_at = now.boot;
    if (!waiter.gives_up(failure.retry)) return false;
    deny(waiter, failure.failure, now);
    return true;
  });
}

LoginAttempt TokenMachine::Impl::attempt_of(const LoginFailure& failure, const Exchange* exchange,
                                            Duration wait, const Now& now) const {
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
  if (exchange != nullptr) {
    if (const auto sample = clocks::sample_of(*exchange)) {
      attempt.server_date = ServerTime{login_, sample->date};
    }
  }
  attempt.analysis.local_time = now.wall;
  attempt.analysis.skew = book_->to_wall(login_, now);
  return out;
}

TokenFailure TokenMachine::Impl::reason_to_turn_away(const Waiter& waiter, const Now& now) const {
  if (given()) return given_failure(waiter, now);
  if (grant_ == nullptr) return nothing_to_ask_with();
  if (fetch_ && waiter.attempts.empty()) return deadline_passed();
  if (const Closed* door = closed(now)) return door->failure;
  if (same_again_) return alive(*newest(), now) ? refused_token_again() : dead_token_again();
  if (!last_failure_) return deadline_passed();
  TokenFailure failure = *last_failure_;
  if (now.boot < not_before_) {
    failure.error.message +=
        "; the next try is in " + time::human(not_before_ - now.boot) + ", and " +
        time::human(std::max(waiter.want.deadline - now.boot, Duration{0})) + " are left";
  }
  return failure;
}

TokenFailure TokenMachine::Impl::given_failure(const Waiter& waiter, const Now& now) const {
  const Holding& token = *newest();
  if (waiter.want.force) return given_token_cannot_be_renewed();
  if (waiter.want.after < token.token->generation && alive(token, now)) {
    return given_token_too_short(remaining(token, now), waiter.want.min_life);
  }
  return alive(token, now) ? given_token_refused() : given_token_ended();
}

void TokenMachine::Impl::deliver(const Waiter& waiter, Holding& holding) {
  holding.wanted = true;
  actions_.emplace_back(action::Deliver{waiter.want.waiter, holding.token, holding.first_use,
                                        waiter.token_requests, waiter.attempts});
}

void TokenMachine::Impl::deny(Waiter waiter, TokenFailure failure, const Now& now) {
  if (fetch_ && now.boot >= waiter.want.deadline) {
    waiter.attempts.push_back(attempt_of(no_answer_yet(), nullptr, Duration{0}, now));
    waiter.failed_at = now.boot;
  }
  if (!waiter.attempts.empty()) {
    ReportedAttempt& last = waiter.attempts.back().attempt;
    last.action = Action::give_up;
    last.waited = now.boot - waiter.failed_at;
  }
  const int under_way = fetch_ ? 1 : 0;
  actions_.emplace_back(action::Deny{waiter.want.waiter, std::move(failure),
                                     waiter.token_requests + under_way,
                                     std::move(waiter.attempts)});
}

void TokenMachine::Impl::log(LogLevel level, std::string message, std::optional<Verdict> verdict,
                             std::string correlation) {
  actions_.emplace_back(action::Log{
      {level, std::move(message), verdict, origin_of(options_.token_url), std::move(correlation)}});
}

// The public face ---------------------------------------------------------------------------------

TokenMachine::TokenMachine(TokenMachineOptions options, std::shared_ptr<const Grant> grant,
                           std::shared_ptr<const Dialect> dialect, const clocks::ClockBook& book,
                           ServerId login)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(grant), std::move(dialect), book,
                                   login)) {}
TokenMachine::~TokenMachine() = default;
TokenMachine::TokenMachine(TokenMachine&&) noexcept = default;
TokenMachine& TokenMachine::operator=(TokenMachine&&) noexcept = default;

TokenActions TokenMachine::step(const TokenEvent& event, const Now& now) {
  return impl_->step(event, now);
}
TokenPtr TokenMachine::usable(const Now& now) const {
  return impl_->usable(now);
}
std::optional<Instant> TokenMachine::ends_at(const Now& now) const {
  return impl_->ends_at(now);
}
bool TokenMachine::fetching() const noexcept {
  return impl_->fetching();
}
bool TokenMachine::was_accepted(std::uint64_t generation) const noexcept {
  return impl_->was_accepted(generation);
}

}  // namespace skewguard::oauth
