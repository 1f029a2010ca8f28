#include "runtime/engine.hpp"

#include <exception>
#include <map>
#include <utility>

#include "http/url.hpp"
#include "runtime/core.hpp"
#include "runtime/readers.hpp"
#include "runtime/token_desk.hpp"
#include "time/backoff.hpp"

namespace skewguard::runtime {

class Engine::Impl {
 public:
  Impl(ClientOptions options, oauth::Grants grants, Hooks hooks, EngineWorld world)
      : core_(std::move(options), std::move(hooks), std::move(world)),
        desk_(core_, std::move(grants), core_.world.seed),
        readers_(core_, desk_,
                 [this](const Readers::Question& question, CallHandler handler) {
                   guard::CallOptions with = call_options(question.deadline);
                   with.after = question.after;
                   if (question.waited) with.blind_wait = Duration{0};
                   return start(question.request, with, std::move(handler), {});
                 }),
        random_(core_.world.seed + 3) {
    core_.observe = [this](ServerId server, const clocks::Answer& answer) {
      desk_.clocks().observe(server, answer);
    };
  }
  ~Impl() {
    const Error cancelled{ErrorKind::cancelled, "the client is shutting down", ""};
    for (auto& [id, call] : std::exchange(calls_, {})) {
      try {
        core_.world.transport.cancel(call.ticket);
        call.handler({nullptr, cancelled, {}});
      } catch (...) {  // the next one is told all the same
        continue;
      }
    }
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  CallId call(const Request& request, Instant deadline, CallHandler handler, Sender sender) {
    return start(request, call_options(deadline), std::move(handler), std::move(sender));
  }
  CallId start(const Request& request, const guard::CallOptions& options, CallHandler handler,
               Sender sender) {
    const CallId id = core_.new_id();
    HttpRequest http{request.method, http::join_url(core_.options.api_url, request.path),
                     request.headers, Secret{}, Secret{std::string_view{request.body}}};
    // First: where it throws, the call has not begun, and nobody tells its handler twice.
    core_.later([this, id] { step(id, guard::event::Start{}); });
    calls_.emplace(id, Call{guard::CallMachine(std::move(http), options, *core_.dialect, core_.api,
                                               core_.login),
                            std::move(handler), std::move(sender)});
    return id;
  }

  void cancel(CallId id) {
    core_.later([this, id] { step(id, guard::event::Cancelled{}); });
  }

  Readers& readers() { return readers_; }
  void renew(oauth::Grants grants) {
    core_.later([this, grants = std::move(grants)] { desk_.renew(grants); });
  }
  void note_use() {
    core_.later([this] { desk_.step(oauth::event::Used{}); });
  }

 private:
  struct Call {
    guard::CallMachine machine;
    CallHandler handler;
    Sender sender;                 // empty = the transport
    Transport::Ticket ticket = 0;  // of the request under way
    std::uint64_t sent = 0;        // names the request under way: one more with each and its end
    Executor::Timer timer = 0;     // of the sleep under way
    oauth::WaiterId waiter = 0;    // of the token waited for
  };

  guard::CallOptions call_options(Instant deadline) {
    const ClientOptions& options = core_.options;
    guard::CallOptions out;
    out.deadline = deadline;
    out.max_wait = options.max_wait;
    out.attempts = options.attempts;
    out.staleness = options.staleness;
    out.region = options.region;
    out.client_id = options.client_id;
    out.given_token = !options.access_token.empty();
    out.seed = time::next_bits(random_);
    return out;
  }

  void step(CallId id, const guard::CallEvent& event) {
    or_failed(id, [&] { advance(id, event); });
  }

  /// What throws (no memory, or a loop of the user's) ends the call: nothing else would.
  template <typename What>
  void or_failed(CallId id, const What& what) {
    try {
      what();
    } catch (const std::exception& e) {
      fail(id, e.what());
    } catch (...) {
      fail(id, "an unknown exception");
    }
  }
  void fail(CallId id, const char* why) {
    const auto failed = calls_.extract(id);
    if (failed.empty()) return;
    failed.mapped().handler(
        {nullptr,
         Error{ErrorKind::unavailable, std::string("the call could not go on: ") + why,
               "check this machine's limits on memory"},
         {}});
  }

  void advance(CallId id, const guard::CallEvent& event) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    Call& call = found->second;
    core_.cancel(std::exchange(call.timer, 0));
    if (std::holds_alternative<guard::event::Cancelled>(event)) abandon(call);
    guard::CallStep step = call.machine.step(event, core_.view());
    for (const auto& line : step.log) core_.log(line);
    for (const auto& rejection : step.rejections) core_.tell_rejection(rejection);
    for (const auto& fact : step.facts) {
      core_.turns.next([this, told = desk_.clocks().learned(fact)] { desk_.step(told); });
    }
    act(id, call, step.action);
  }

  void act(CallId id, Call& call, guard::CallAction& action) {
    std::visit(Overloaded{
                   [&](const guard::action::NeedToken& a) {
                     core_.turns.next([this, id, a] { or_failed(id, [&] { want_token(id, a); }); });
                   },
                   [&](guard::action::Send& a) { send(id, call, a); },
                   [&](guard::action::Look& a) {
                     call.ticket = core_.send(std::move(a.request), a.options, core_.api,
                                              a.options.deadline, answer_to(id, ++call.sent));
                   },
                   [&](const guard::action::Sleep& a) {
                     call.timer = core_.at(a.until, [this, id] { step(id, guard::event::Woke{}); });
                   },
                   [&](guard::action::Finish& a) { finish(id, std::move(a)); },
               },
               action);
  }

  void want_token(CallId id, const guard::action::NeedToken& needed) {
    const auto found = calls_.find(id);
    if (found == calls_.end()) return;
    oauth::event::Want wanted;
    wanted.waiter = core_.new_id();
    wanted.deadline = needed.deadline;
    wanted.after = needed.after;
    wanted.refused = needed.refused;
    found->second.waiter = wanted.waiter;
    desk_.want(wanted, [this, id](TokenDesk::Answer answer) {
      if (auto* deny = std::get_if<oauth::action::Deny>(&answer)) {
        return step(id, guard::event::TokenDenied{std::move(deny->failure), deny->token_requests,
                                                  std::move(deny->attempts), deny->held_up});
      }
      auto& delivered = std::get<oauth::action::Deliver>(answer);
      const std::uint64_t generation = delivered.token->generation;
      const oauth::TokenMachine& tokens = desk_.tokens();
      step(id, guard::event::TokenReady{
                   std::move(delivered.token), delivered.first_use, tokens.was_accepted(generation),
                   delivered.token_requests, std::move(delivered.attempts), tokens.begins_ignored(),
                   tokens.early_ends_before(generation),
                   tokens.older_until(generation, core_.view()), delivered.held_up});
    });
  }

  void send(CallId id, Call& call, guard::action::Send& action) {
    auto handler = answer_to(id, ++call.sent);
    const Instant deadline = action.options.deadline;
    if (!call.sender) {
      call.ticket = core_.send(std::move(action.request), action.options, core_.api, deadline,
                               std::move(handler));
      return;
    }
    // Nobody but us ends what the user's stack never answers.
    call.timer = core_.at(deadline, [handler] {
      handler(TransportFailure{TransportFailure::Kind::timeout, "no answer by the deadline", true});
    });
    call.sender(std::move(action.request), deadline,
                core_.outside(core_.api, deadline, std::move(handler)));
  }

  /// To the n-th request of this call, once: the user's stack may answer twice, or too late.
  Core::Handler answer_to(CallId id, std::uint64_t n) {
    return [this, id, n](clocks::AnswerResult result) {
      const auto found = calls_.find(id);
      if (found == calls_.end() || found->second.sent != n) return;
      ++found->second.sent;
      if (auto* answer = std::get_if<clocks::Answer>(&result)) {
        step(id, guard::event::Answered{std::make_shared<clocks::Answer>(std::move(*answer))});
      } else {
        step(id, guard::event::Failed{std::move(std::get<TransportFailure>(result))});
      }
    };
  }

  // The caller has left: what was started for it alone is ended; a token request goes on.
  void abandon(Call& call) {
    core_.world.transport.cancel(call.ticket);
    desk_.withdraw(call.waiter);
  }

  void finish(CallId id, guard::action::Finish finished) {
    const auto found = calls_.find(id);
    core_.tell_resolved(finished.report);
    // After the facts that this call has learned, so that the next call knows them.
    core_.turns.next([handler = std::move(found->second.handler),
                      finished = std::move(finished)]() mutable { handler(std::move(finished)); });
    calls_.erase(found);
  }

  Core core_;
  TokenDesk desk_;
  Readers readers_;
  std::map<CallId, Call> calls_;
  std::uint64_t random_;  ///< seeds the calls' retries
};

Engine::Engine(ClientOptions options, oauth::Grants grants, Hooks hooks, EngineWorld world)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(grants), std::move(hooks),
                                   std::move(world))) {}
Engine::~Engine() = default;

Engine::CallId Engine::call(const Request& request, Instant deadline, CallHandler handler,
                            Sender sender) {
  return impl_->call(request, deadline, std::move(handler), std::move(sender));
}
void Engine::cancel(CallId call) {
  impl_->cancel(call);
}
Engine::TokenId Engine::token(const TokenRequestOptions& options, Instant deadline,
                              TokenHandler handler) {
  return impl_->readers().start(options, deadline, std::move(handler));
}
void Engine::cancel_token(TokenId token) {
  impl_->readers().cancel(token);
}
void Engine::renew(oauth::Grants grants) {
  impl_->renew(std::move(grants));
}
void Engine::note_use() {
  impl_->note_use();
}

}  // namespace skewguard::runtime
