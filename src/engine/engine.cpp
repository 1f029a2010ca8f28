#include "engine/engine.hpp"

#include <algorithm>
#include <utility>

#include "diagnosis/evidence.hpp"
#include "diagnosis/standing.hpp"
#include "engine/clock_watch.hpp"
#include "engine/host_clocks.hpp"
#include "engine/leases.hpp"
#include "engine/listeners.hpp"
#include "engine/loop.hpp"
#include "engine/sender.hpp"
#include "engine/token_service.hpp"
#include "genesys/dialect.hpp"
#include "guard/call_record.hpp"
#include "http/url.hpp"
#include "oauth/rfc6749_dialect.hpp"

namespace skewguard::engine {
namespace {

std::shared_ptr<const oauth::Dialect> make_dialect(DialectName name) {
  if (name == DialectName::rfc6749) return std::make_shared<oauth::Rfc6749Dialect>();
  return std::make_shared<genesys::GenesysDialect>();
}

}  // namespace

/// The parts are created in this order and destroyed in reverse, so that the calls end while
/// everything that they use, and everyone who waits for them, still exists.
class Engine::Impl {
 public:
  Impl(ClientOptions options, oauth::Grants grants, Hooks hooks, const EngineDeps& deps)
      : options_(std::move(options)),
        dialect_(make_dialect(options_.dialect)),
        listeners_(std::move(hooks)),
        loop_(deps.executor, deps.clock),
        clocks_(options_, loop_),
        sender_({loop_, deps.transport, clocks_, listeners_.log(), *dialect_, deps.referee,
                 http::join_url(options_.login_url, options_.token_path),
                 [this](ServerId server, const clocks::Answer& answer) {
                   watch_.observe(server, answer);
                 }}),
        watch_({clocks_, sender_, listeners_.log(), deps.disruptions,
                [this](const oauth::TokenEvent& event) { tokens_.step(event); },
                [this] { return tokens_.tokens().fetching(); }}),
        tokens_(
            {loop_, sender_, clocks_, watch_, listeners_, options_, deps.store,
             [this](const oauth::TokenPtr& token, Instant until) { leases_.publish(token, until); },
             deps.fresh_secrets, deps.given_token},
            std::move(grants), dialect_, deps.boot, deps.seed),
        leases_({loop_, clocks_, tokens_, deps.publish}),
        requests_({loop_, clocks_, tokens_, listeners_, options_, sender_.token_url(),
                   [this](const TokenRequests::Question& question, CallHandler handler) {
                     return ask(question, std::move(handler));
                   }}),
        calls_({loop_, sender_, clocks_, watch_, tokens_, leases_, listeners_, options_, *dialect_},
               deps.seed + 3) {}

  Calls& calls() noexcept { return calls_; }
  TokenRequests& requests() noexcept { return requests_; }
  Leases& leases() noexcept { return leases_; }

  void renew(oauth::Grants grants) {
    loop_.later([this, grants = std::move(grants)] { tokens_.renew(grants); });
  }
  void observe(std::vector<Observation> observations) {
    loop_.enter([this, observations = std::move(observations)] {
      for (const Observation& observation : observations) learn_from(observation);
    });
  }
  ClientStatus status() {
    ClientStatus out;
    loop_.within([&] {
      const clocks::ClockView view = clocks_.view();
      out.token = leases_.current();
      if (const auto next = tokens_.tokens().next_chance(view); next && !out.token)
        out.next_token_in = std::max(*next - view.now().boot, Duration{0});
      out.clocks =
          guard::reported_clocks({clocks_.api(), clocks_.login()}, view, options_.staleness);
      for (const ServerId server : {clocks_.login(), clocks_.api()})
        out.clock_steps[clocks_.origin(server)] = view.estimator(server).steps();
      out.clock_steps.erase("");  // no login host is needed for a given token
      out.clock_steps["wall"] = watch_.wall_steps();
      out.clock_steps["boot"] = watch_.standstills();
      out.token_requests = tokens_.requests();
      out.last_token_request = tokens_.last_request();
    });
    return out;
  }
  void note_use() {
    loop_.later([this] { tokens_.step(oauth::event::Used{}); });
  }

 private:
  void learn_from(const Observation& seen) {
    if (seen.date) watch_.observe(clocks_.api(), *seen.date);
    const oauth::TokenPtr token = leases_.published(seen.accepted);
    if (!token) return;
    const bool before = tokens_.tokens().was_accepted(seen.accepted);
    tokens_.step(oauth::event::Accepted{seen.accepted});
    if (!seen.date) return;
    diagnosis::Trial trial;
    trial.token = diagnosis::facts_of(*token, before, clocks_.api());
    trial.sent = seen.date->sent.boot;
    trial.received = seen.date->received.boot;
    trial.date = ServerTime{clocks_.api(), seen.date->date};
    trial.refused = false;
    if (diagnosis::took_unbegun(trial, options_.staleness))
      tokens_.step(oauth::event::TakesUnbegun{});
  }
  /// A guarded call that checks whether the API accepts a token.
  CallId ask(const TokenRequests::Question& question, CallHandler handler) {
    guard::CallOptions with = calls_.options_until(question.deadline);
    with.after = question.after;
    if (question.waited) with.blind_wait = Duration{0};
    return calls_.start(question.request, with, std::move(handler));
  }

  const ClientOptions options_;
  const std::shared_ptr<const oauth::Dialect> dialect_;
  const Listeners listeners_;
  Loop loop_;
  HostClocks clocks_;
  Sender sender_;
  ClockWatch watch_;
  TokenService tokens_;
  Leases leases_;
  TokenRequests requests_;
  Calls calls_;
};

Engine::Engine(ClientOptions options, oauth::Grants grants, Hooks hooks, const EngineDeps& deps)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(grants), std::move(hooks), deps)) {
}
Engine::~Engine() = default;

Engine::CallId Engine::call(const Request& request, CallPlan plan, CallHandler handler,
                            OwnSender sender) {
  Calls& calls = impl_->calls();
  return calls.start(request, calls.options_until(plan.deadline, plan.policy), std::move(handler),
                     std::move(sender), std::move(plan.first));
}
void Engine::cancel(CallId call) {
  impl_->calls().cancel(call);
}
Engine::TokenId Engine::token(const TokenRequestOptions& options, Instant deadline,
                              TokenHandler handler) {
  return impl_->requests().start(options, deadline, std::move(handler));
}
void Engine::cancel_token(TokenId token) {
  impl_->requests().cancel(token);
}
Engine::WaitId Engine::await_lease(std::uint64_t after, Instant deadline, LeaseHandler handler) {
  return impl_->leases().await(after, deadline, std::move(handler));
}
void Engine::observe(std::vector<Observation> observations) {
  impl_->observe(std::move(observations));
}
void Engine::cancel_await(WaitId wait) {
  impl_->leases().cancel(wait);
}
void Engine::renew(oauth::Grants grants) {
  impl_->renew(std::move(grants));
}
ClientStatus Engine::status() {
  return impl_->status();
}
void Engine::note_use() {
  impl_->note_use();
}

}  // namespace skewguard::engine
