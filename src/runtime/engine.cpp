#include "runtime/engine.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <utility>

#include "clocks/clock_book.hpp"
#include "genesys/dialect.hpp"
#include "guard/call_record.hpp"
#include "http/url.hpp"
#include "oauth/denials.hpp"
#include "oauth/rfc6749_dialect.hpp"
#include "oauth/token_machine.hpp"
#include "runtime/adopt.hpp"
#include "store/key.hpp"
#include "time/duration_text.hpp"

namespace skewguard::runtime {
namespace {

constexpr std::size_t kLoginBodyLimit =
    std::size_t{1024} * 1024;  // a token answer is a few hundred bytes

/// A look at a Date alone: one that takes longer tells too little.
constexpr Duration kLookTimeout = std::chrono::seconds{5};
/// The same where calls wait for it that may have a good token.
constexpr Duration kCheckTimeout = std::chrono::seconds{2};
/// A login host is asked to bear out another's jump at most this often.
constexpr Duration kConfirmEvery = std::chrono::minutes{1};

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

std::shared_ptr<const oauth::Dialect> make_dialect(DialectName name) {
  if (name == DialectName::rfc6749) return std::make_shared<oauth::Rfc6749Dialect>();
  return std::make_shared<genesys::GenesysDialect>();
}

oauth::TokenMachineOptions machine_options(const ClientOptions& options, std::uint64_t seed) {
  oauth::TokenMachineOptions out;
  out.token_url = http::join_url(options.login_url, options.token_path);
  out.region = options.region;
  out.seed = seed;
  return out;
}

clocks::EstimatorOptions estimator_options(const ClientOptions& options) {
  clocks::EstimatorOptions out;
  out.staleness = options.staleness;
  return out;
}

}  // namespace

class Engine::Impl {
 public:
  Impl(ClientOptions options, Hooks hooks, EngineWorld world)
      : options_(std::move(options)),
        hooks_(std::move(hooks)),
        world_(world),
        book_(estimator_options(options_)),
        login_(book_.id(http::origin_of(options_.login_url))),
        api_(book_.id(http::origin_of(options_.api_url))),
        dialect_(make_dialect(options_.dialect)),
        tokens_(machine_options(options_, world.seed),
                std::make_shared<oauth::ClientCredentials>(
                    options_.client_id, options_.client_secret, options_.token_params),
                dialect_, book_, login_) {
    static_cast<void>(disrupted());  // from here on
  }

  ~Impl() {
    *alive_ = false;
    const Error cancelled{ErrorKind::cancelled, "the client is shutting down", ""};
    for (auto& [id, call] : std::exchange(calls_, {})) {
      world_.transport.cancel(call.ticket);
      call.handler({std::nullopt, cancelled, {}});
    }
    for (auto& [id, reader] : std::exchange(readers_, {})) reader.handler(cancelled);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  CallId call(const Request& request, Instant deadline, CallHandler handler) {
    const CallId id = ++last_id_;
    HttpRequest http{request.method, http::join_url(options_.api_url, request.path),
                     request.headers, Secret{}, Secret{std::string_view{request.body}}};
    calls_.emplace(id, Call{guard::CallMachine(std::move(http), call_options(deadline), *dialect_,
                                               book_, api_, login_),
                            std::move(handler)});
    later([this, id] { enter([this, id] { step_call(id, guard::event::Start{}); }); });
    return id;
  }

  void cancel(CallId id) {
    later([this, id] { enter([this, id] { step_call(id, guard::event::Cancelled{}); }); });
  }

  void token(const TokenRequestOptions& options, Instant deadline, TokenHandler handler) {
    const oauth::WaiterId reader = ++last_id_;
    guard::CallRecord record("POST", token_url(), {book_, api_, login_});
    record.begin(world_.clock.now());
    readers_.emplace(reader, Reader{std::move(handler), options, deadline, std::move(record)});
    later([this, reader] { enter([this, reader] { want_for_reader(reader); }); });
  }

 private:
  struct Call {
    guard::CallMachine machine;
    CallHandler handler;
    Transport::Ticket ticket = 0;  // of the request under way
    Executor::Timer timer = 0;     // of the sleep under way
    oauth::WaiterId waiter = 0;    // of the token waited for
  };
  /// Who asked for a token to use by himself.
  struct Reader {
    TokenHandler handler;
    TokenRequestOptions options;
    Instant deadline{};
    guard::CallRecord record;
  };
  using Answer = std::variant<oauth::action::Deliver, oauth::action::Deny>;
  using Waiter = std::function<void(Answer)>;

  // --- turns: one event at a time, so that a machine is never entered from within itself ---

  void enter(std::function<void()> first) {
    turn_.emplace_back(std::move(first));
    if (std::exchange(in_turn_, true)) return;  // the turn under way will come to it
    // Whatever throws, the next event is not taken for a nested one.
    const std::unique_ptr<bool, void (*)(bool*)> over(&in_turn_, [](bool* flag) { *flag = false; });
    while (!turn_.empty()) {
      const std::function<void()> event = std::move(turn_.front());
      turn_.pop_front();
      event();
    }
  }
  void next(std::function<void()> function) { turn_.emplace_back(std::move(function)); }

  void later(std::function<void()> function) {
    world_.executor.post([alive = alive_, function = std::move(function)] {
      if (*alive) function();
    });
  }
  Executor::Timer at(Instant when, std::function<void()> function) {
    return world_.executor.call_at(when, [alive = alive_, function = std::move(function)] {
      if (*alive) function();
    });
  }
  Transport::Ticket send(HttpRequest request, const SendOptions& options, ServerId server,
                         std::function<void(SendResult)> handler) {
    return world_.transport.send(
        std::move(request), options,
        [this, alive = alive_, server, handler = std::move(handler)](SendResult result) {
          if (!*alive) return;
          enter([this, server, handler, result = std::move(result)]() mutable {
            if (const auto* exchange = std::get_if<Exchange>(&result)) observe(server, *exchange);
            handler(std::move(result));
          });
        });
  }

  // --- clocks ---

  void observe(ServerId server, const Exchange& exchange) {
    look_at_wall(exchange.received);
    std::string why;
    const auto sample = clocks::sample_of(exchange, &why);
    if (!sample) {
      log({LogLevel::debug, "no clock sample from this answer: " + why, {}, book_.origin(server)});
      return;
    }
    const auto seen = book_.observe(server, *sample);
    const Instant received = exchange.received.boot;
    if (seen.jump && server == login_) login_jumped_ = received;
    if (seen.machine_stood_still) {
      log({LogLevel::warn,
           "the servers' clocks jumped forward together: this machine stood still (a VM that was "
           "stopped or restored)",
           {},
           book_.origin(server)});
      // A token whose answer showed the login host's new time was issued after the standstill.
      const Instant issued_from = std::exchange(login_jumped_, std::nullopt).value_or(received);
      step_tokens(oauth::event::StoodStill{*seen.machine_stood_still, issued_from});
    } else if (seen.step) {
      log({LogLevel::warn, "the clock of this server stepped", {}, book_.origin(server)});
    } else if (server == api_ && seen.jump.value_or(Duration{0}) > Duration{0}) {
      confirm_jump();
    }
    unlearn();
  }

  // Nothing depends on the wall clock, but people read it: a step explains what they see elsewhere.
  void look_at_wall(const Now& now) {
    constexpr Duration kLeast = std::chrono::seconds{1};  // no slew makes that between two answers
    const Duration ahead = now.wall.time_since_epoch() - now.boot.time_since_epoch();
    const Duration step = ahead - wall_minus_boot_.value_or(ahead);
    wall_minus_boot_ = ahead;
    if (step > -kLeast && step < kLeast) return;
    log({LogLevel::warn,
         "the local wall clock stepped " +
             std::string(step > Duration{0} ? "forward by " : "back by ") +
             time::human(step > Duration{0} ? step : -step) + ": no token's life depends on it",
         {},
         {}});
  }

  // The API's clock has jumped, or its Date is not to be trusted, or this machine stood still: the
  // login host's Date tells. Seldom, since an API may show two clocks in turn.
  void confirm_jump() {
    const Instant now = world_.clock.now().boot;
    const bool asked = confirmed_ && now - *confirmed_ < kConfirmEvery;
    if (asked || tokens_.fetching() || options_.login_url.empty() || login_ == api_) return;
    confirmed_ = now;
    look_at_login(now + kLookTimeout, [](const SendResult&) {});
  }

  // The hypervisor tells that the machine was stopped or restored since the last look.
  bool disrupted() {
    if (world_.disruptions == nullptr) return false;
    const auto marker = world_.disruptions->marker();
    return marker && std::exchange(marker_, marker).value_or(*marker) != *marker;
  }

  // Whether the tokens have outlived that, the login host's Date tells. Until then nobody gets one.
  void check_after_disruption() {
    log({LogLevel::warn,
         "the hypervisor tells that this machine was stopped or restored: looking at the login "
         "host's clock",
         {},
         book_.origin(login_)});
    book_.note_disruption(world_.clock.now().unslewed());
    ready_ = false;
    look_at_login(world_.clock.now().boot + kCheckTimeout, [this](const SendResult&) { ready(); });
  }

  // What was learned of the two servers' clocks holds for as long as their Dates allow it: once a
  // clock was set right no rejection would come to say so.
  void unlearn() {
    if (!lag_ && !lead_) return;
    const auto issuer_ahead = book_.between(login_, api_, world_.clock.now());
    if (!issuer_ahead) return;
    const Duration most_lag = std::max(issuer_ahead->high, Duration{0});
    const Duration most_lead = std::max(-issuer_ahead->low, Duration{0});
    if (lag_ && most_lag < *lag_ / 2) {
      lag_ = most_lag;
      step_tokens(oauth::event::ApiLags{most_lag});
    }
    if (lead_ && most_lead < *lead_ / 2) {
      lead_ = most_lead;
      step_tokens(oauth::event::ApiLeads{most_lead});
    }
  }

  // --- tokens ---

  void step_tokens(const oauth::TokenEvent& event) {
    for (auto& action : tokens_.step(event, world_.clock.now())) {
      std::visit(Overloaded{
                     [this](oauth::action::StartFetch& a) { start_fetch(a); },
                     [this](oauth::action::Deliver& a) { answer(std::move(a)); },
                     [this](oauth::action::Deny& a) { answer(std::move(a)); },
                     [](oauth::action::Publish&) {},
                     [this](oauth::action::WakeAt& a) { wake_tokens_at(a.at); },
                     [this](const oauth::action::Rejected& a) { tell_rejection(a.attempt); },
                     [this](oauth::action::Save& a) { save(a.token); },
                     [this](oauth::action::Log& a) { log(a.line); },
                 },
                 action);
    }
  }

  void start_fetch(oauth::action::StartFetch& fetch) {
    send(std::move(fetch.request), SendOptions{fetch.deadline, kLoginBodyLimit}, login_,
         [this, id = fetch.fetch](SendResult result) {
           if (auto* exchange = std::get_if<Exchange>(&result)) {
             step_tokens(oauth::event::Fetched{id, std::move(*exchange)});
           } else {
             step_tokens(
                 oauth::event::FetchFailed{id, std::move(std::get<TransportFailure>(result))});
           }
         });
  }

  void wake_tokens_at(Instant when) {
    world_.executor.cancel(token_timer_);
    token_timer_ = at(when, [this] {
      token_timer_ = 0;
      enter([this] { step_tokens(oauth::event::Tick{}); });
    });
  }

  void want(oauth::event::Want want, Waiter waiter) {
    waiters_.emplace(want.waiter, std::move(waiter));
    const bool may_check = ready_ && !options_.login_url.empty() && options_.access_token.empty();
    if (may_check && disrupted()) check_after_disruption();
    if (ready_) return step_tokens(want);
    early_wants_.push_back(want);
    if (!std::exchange(adopting_, true)) adopt();
    if (ready_) return;
    at(want.deadline, [this, id = want.waiter] { enter([this, id] { wait_no_longer(id); }); });
  }

  // The tokens may be judged (again): those who came too early are served.
  void ready() {
    ready_ = true;
    for (const auto& want : std::exchange(early_wants_, {})) step_tokens(want);
  }

  void wait_no_longer(oauth::WaiterId id) {
    const auto early = std::find_if(early_wants_.begin(), early_wants_.end(),
                                    [id](const auto& want) { return want.waiter == id; });
    if (early == early_wants_.end()) return;
    const oauth::event::Want want = *early;
    early_wants_.erase(early);
    step_tokens(want);
  }

  void answer(Answer answer) {
    const auto found = waiters_.find(std::visit([](const auto& a) { return a.waiter; }, answer));
    if (found == waiters_.end()) return;
    next([waiter = std::move(found->second), answer = std::move(answer)]() mutable {
      waiter(std::move(answer));
    });
    waiters_.erase(found);
  }

  void tell_rejection(const oauth::LoginAttempt& login) const {
    const ReportedAttempt& attempt = login.attempt;
    tell(hooks_.on_rejection,
         Rejection{"POST", token_url(), attempt, {attempt.verdict.value_or(Verdict::unknown)}});
  }

  void want_for_reader(oauth::WaiterId id) {
    const auto found = readers_.find(id);
    if (found == readers_.end()) return;
    const Reader& reader = found->second;
    oauth::event::Want wanted;
    wanted.waiter = id;
    wanted.deadline = reader.deadline;
    wanted.min_life = reader.options.min_life;
    wanted.force = reader.options.force_refresh;
    want(wanted, [this, id](Answer answer) {
      if (auto* deny = std::get_if<oauth::action::Deny>(&answer)) {
        note_for_reader(id, *deny);
        return refuse_reader(id, std::move(deny->failure));
      }
      const auto& delivered = std::get<oauth::action::Deliver>(answer);
      note_for_reader(id, delivered);
      hand_out(delivered, id);
    });
  }

  template <typename Told>
  void note_for_reader(oauth::WaiterId id, const Told& told) {
    const auto found = readers_.find(id);
    if (found == readers_.end()) return;
    found->second.record.add_login(told.attempts, told.token_requests);
  }

  // A token that the API would not take yet is no valid token: it is handed out when it has begun.
  void hand_out(const oauth::action::Deliver& delivered, oauth::WaiterId id) {
    const auto found = readers_.find(id);
    if (found == readers_.end()) return;
    Reader& reader = found->second;
    if (delivered.first_use <= world_.clock.now().boot) {
      BearerToken token = bearer_token(delivered);
      if (const auto why = unfit(token, reader.options.min_life)) {
        return refuse_reader(id, *why);
      }
      return answer_reader(id, std::move(token), 0, Verdict::ok);
    }
    if (delivered.first_use > reader.deadline) {
      return refuse_reader(
          id,
          {Verdict::issuer_clock_ahead,
           Error{ErrorKind::clock, "the new token begins, by the API's clock, after the deadline",
                 "raise --timeout, or have the clock of the login or the API host set"},
           4});
    }
    reader.options.force_refresh = false;  // it is there, and only has to begin
    at(delivered.first_use, [this, id] { enter([this, id] { want_for_reader(id); }); });
  }

  // Of a given token the machine knows no end, and its `exp` is for the wall clock to judge.
  static std::optional<oauth::TokenFailure> unfit(const BearerToken& token, Duration min_life) {
    if (token.source != BearerToken::Source::given) return std::nullopt;
    if (token.remaining <= Duration{0}) return oauth::given_token_ended_locally();
    if (token.remaining < min_life) return oauth::given_token_too_short(token.remaining, min_life);
    return std::nullopt;
  }

  void refuse_reader(oauth::WaiterId id, oauth::TokenFailure failure) {
    answer_reader(id, std::move(failure.error), failure.exit_code, failure.verdict);
  }

  void answer_reader(oauth::WaiterId id, Result<BearerToken> result, int exit_code,
                     Verdict otherwise) {
    const auto found = readers_.find(id);
    if (found == readers_.end()) return;
    Reader reader = std::move(found->second);
    readers_.erase(found);
    const auto report = std::make_shared<const CallReport>(
        reader.record.close(exit_code, otherwise, world_.clock.now(), options_.staleness));
    if (report->verdict != Verdict::ok) tell(hooks_.on_resolved, *report);
    if (!result) {
      Error error = std::move(result).error();
      error.report = report;
      result = std::move(error);
    }
    reader.handler(std::move(result));
  }

  BearerToken bearer_token(const oauth::action::Deliver& delivered) const {
    const Now now = world_.clock.now();
    const oauth::Token& token = *delivered.token;
    // The token handed out may be the next one, whose life only its own figures tell.
    const bool current = tokens_.usable(now) == delivered.token;
    const Instant end = current ? tokens_.ends_at(now).value_or(token.dead_at()) : token.dead_at();
    BearerToken out;
    out.value = token.value;
    out.token_type = "Bearer";
    out.remaining = std::max(Duration{0}, end - now.boot);
    out.expires_at = now.wall + out.remaining;
    if (token.given && token.claims && token.claims->exp) {
      out.expires_at = WallTime{*token.claims->exp};
      out.remaining = std::max(Duration{0}, out.expires_at - now.wall);
    }
    out.source = token.given    ? BearerToken::Source::given
                 : token.stored ? BearerToken::Source::store
                                : BearerToken::Source::login;
    return out;
  }

  // --- a token from elsewhere, once, before the first one is asked for ---

  void adopt() {
    if (!options_.access_token.empty()) {
      step_tokens(
          oauth::event::Adopt{given_token(options_.access_token, world_.clock.now(), login_)});
      return ready();
    }
    const auto stored = load();
    if (!stored) return ready();
    // Its life is told in the issuer's time.
    look_at_login(world_.clock.now().boot + kLookTimeout, [this, stored](const SendResult&) {
      if (auto token = stored_token(*stored, book_, login_, world_.clock.now())) {
        step_tokens(oauth::event::Adopt{std::move(token)});
      }
      ready();
    });
  }

  // One answer of the login host, asked for without credentials, says what time it is there.
  void look_at_login(Instant deadline, std::function<void(SendResult)> then) {
    send(HttpRequest{"HEAD", token_url(), {}, {}, {}}, SendOptions{deadline, kLoginBodyLimit},
         login_, std::move(then));
  }

  // A store that fails costs a token request, never a call.
  std::optional<StoredToken> load() const noexcept {
    try {
      return world_.store.load(store::key_of(options_));
    } catch (...) {
      return std::nullopt;
    }
  }
  void save(const StoredToken& token) const noexcept {
    try {
      world_.store.save(store::key_of(options_), token);
    } catch (...) {
      return;
    }
  }

  // --- calls ---

  guard::CallOptions call_options(Instant deadline) const {
    guard::CallOptions out;
    out.deadline = deadline;
    out.max_wait = options_.max_wait;
    out.attempts = options_.attempts;
    out.staleness = options_.staleness;
    out.region = options_.region;
    out.client_id = options_.client_id;
    out.given_token = !options_.access_token.empty();
    return out;
  }

  void step_call(CallId id, const guard::CallEvent& event) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    Call& call = found->second;
    world_.executor.cancel(std::exchange(call.timer, 0));
    if (std::holds_alternative<guard::event::Cancelled>(event)) abandon(call);
    guard::CallStep step = call.machine.step(event, world_.clock.now());
    for (const auto& line : step.log) log(line);
    for (const auto& rejection : step.rejections) tell(hooks_.on_rejection, rejection);
    for (const auto& fact : step.facts) {
      if (const auto* lags = std::get_if<oauth::event::ApiLags>(&fact)) lag_ = lags->lag;
      if (const auto* leads = std::get_if<oauth::event::ApiLeads>(&fact)) lead_ = leads->lead;
      next([this, fact] { step_tokens(fact); });
    }
    act(id, call, step.action);
  }

  void act(CallId id, Call& call, guard::CallAction& action) {
    std::visit(Overloaded{
                   [&](const guard::action::NeedToken& a) {
                     next([this, id, a] { want_for_call(id, a); });
                   },
                   [&](guard::action::Send& a) { send_for(id, call, a.request, a.options); },
                   [&](guard::action::Look& a) { send_for(id, call, a.request, a.options); },
                   [&](const guard::action::Sleep& a) {
                     call.timer = at(a.until, [this, id] {
                       enter([this, id] { step_call(id, guard::event::Woke{}); });
                     });
                   },
                   [&](guard::action::Finish& a) { finish(id, std::move(a)); },
               },
               action);
  }

  void want_for_call(CallId id, const guard::action::NeedToken& needed) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    oauth::event::Want wanted;
    wanted.waiter = ++last_id_;
    wanted.deadline = needed.deadline;
    wanted.after = needed.after;
    found->second.waiter = wanted.waiter;
    want(wanted, [this, id](Answer answer) {
      if (auto* deny = std::get_if<oauth::action::Deny>(&answer)) {
        return step_call(id,
                         guard::event::TokenDenied{std::move(deny->failure), deny->token_requests,
                                                   std::move(deny->attempts)});
      }
      auto& delivered = std::get<oauth::action::Deliver>(answer);
      const std::uint64_t generation = delivered.token->generation;
      step_call(id,
                guard::event::TokenReady{std::move(delivered.token), delivered.first_use,
                                         tokens_.was_accepted(generation), delivered.token_requests,
                                         std::move(delivered.attempts), tokens_.begins_ignored(),
                                         tokens_.early_ends_before(generation)});
    });
  }

  void send_for(CallId id, Call& call, HttpRequest& request, const SendOptions& options) {
    call.ticket = send(std::move(request), options, api_, [this, id](SendResult result) {
      if (auto* exchange = std::get_if<Exchange>(&result)) {
        step_call(id, guard::event::Answered{std::move(*exchange)});
      } else {
        step_call(id, guard::event::Failed{std::move(std::get<TransportFailure>(result))});
      }
    });
  }

  // The caller has left: what was started for it alone is ended; a token request goes on.
  void abandon(Call& call) {
    world_.transport.cancel(call.ticket);
    if (waiters_.erase(call.waiter) > 0) step_tokens(oauth::event::Withdraw{call.waiter});
  }

  void finish(CallId id, guard::action::Finish finished) {
    const auto found = calls_.find(id);
    if (finished.report.verdict != Verdict::ok) tell(hooks_.on_resolved, finished.report);
    // After the facts that this call has learned, so that the next call knows them.
    next([handler = std::move(found->second.handler), finished = std::move(finished)]() mutable {
      handler(std::move(finished));
    });
    calls_.erase(found);
  }

  std::string token_url() const { return http::join_url(options_.login_url, options_.token_path); }

  void log(const LogLine& line) const { tell(hooks_.log, line); }

  // Hooks are the user's: one that throws is the user's loss alone.
  template <typename Hook, typename What>
  static void tell(const Hook& hook, const What& what) noexcept {
    if (!hook) return;
    try {
      hook(what);
    } catch (...) {
      return;
    }
  }

  ClientOptions options_;
  Hooks hooks_;
  EngineWorld world_;
  clocks::ClockBook book_;
  ServerId login_;
  ServerId api_;
  std::shared_ptr<const oauth::Dialect> dialect_;
  oauth::TokenMachine tokens_;
  std::map<CallId, Call> calls_;
  std::map<oauth::WaiterId, Waiter> waiters_;
  std::map<oauth::WaiterId, Reader> readers_;
  std::vector<oauth::event::Want> early_wants_;  // until ready_
  bool adopting_ = false;
  bool ready_ = false;                   // the tokens at hand may be judged
  std::optional<std::uint64_t> marker_;  // of the hypervisor, as last seen
  std::optional<Instant> confirmed_;     // when the login host was last asked to bear out a jump
  std::optional<Instant> login_jumped_;  // the receipt of its last answer off all that was known
  std::optional<Duration> lag_;          // of the API behind the issuer, as last learned
  std::optional<Duration> lead_;         // of the API ahead of the issuer
  std::deque<std::function<void()>> turn_;
  bool in_turn_ = false;
  std::optional<Duration> wall_minus_boot_;  // as last read
  Executor::Timer token_timer_ = 0;
  std::uint64_t last_id_ = 0;
  // Outlives the engine in what was posted: it says that there is nobody to answer any more.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

Engine::Engine(ClientOptions options, Hooks hooks, EngineWorld world)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(hooks), world)) {}
Engine::~Engine() = default;

Engine::CallId Engine::call(const Request& request, Instant deadline, CallHandler handler) {
  return impl_->call(request, deadline, std::move(handler));
}
void Engine::cancel(CallId call) {
  impl_->cancel(call);
}
void Engine::token(const TokenRequestOptions& options, Instant deadline, TokenHandler handler) {
  impl_->token(options, deadline, std::move(handler));
}

}  // namespace skewguard::runtime
