#include "engine/calls.hpp"

#include <exception>
#include <string>
#include <utility>

#include "base/overloaded.hpp"
#include "engine/question.hpp"
#include "http/url.hpp"
#include "time/backoff.hpp"

namespace skewguard::engine {

Calls::~Calls() {
  const Error cancelled{ErrorKind::cancelled, "the client is shutting down", ""};
  for (auto& [id, call] : std::exchange(calls_, {})) {
    try {
      uses_.sender.cancel(call.ticket);
      call.handler({nullptr, cancelled, {}});
    } catch (...) {  // the next one is told all the same
      continue;
    }
  }
}

guard::CallOptions Calls::options_until(Instant deadline, const CallPolicy& policy) {
  const ClientOptions& options = uses_.options;
  guard::CallOptions out;
  out.deadline = deadline;
  out.max_wait = options.max_wait;
  out.attempts = options.attempts;
  out.staleness = options.staleness;
  out.region = options.region;
  out.client_id = options.client_id;
  out.given_token = uses_.tokens.given();
  out.seed = time::next_bits(random_);
  out.policy = policy;
  if (policy.replayable) return out;
  if (const Request check = question_of(options); !check.path.empty()) {
    out.check.method = check.method;
    out.check.url = http::join_url(options.api_url, check.path);
  }
  return out;
}

Calls::Id Calls::start(const Request& request, const guard::CallOptions& options, Handler handler,
                       OwnSender sender, std::optional<FirstAnswer> first) {
  const Id id = ++last_;
  HttpRequest http{request.method, http::join_url(uses_.options.api_url, request.path),
                   request.headers, Secret{}, Secret{std::string_view{request.body}}};
  // First: if it throws, the call has not begun, and its handler is not called twice.
  if (first) {
    uses_.loop.later(
        [this, id, first = *std::move(first)] { or_failed(id, [&] { resume(id, first); }); });
  } else {
    uses_.loop.later([this, id] { step(id, guard::event::Start{}); });
  }
  calls_.emplace(id, Call{guard::CallMachine(std::move(http), options, uses_.dialect,
                                             uses_.clocks.api(), uses_.clocks.login()),
                          std::move(handler), std::move(sender)});
  return id;
}

/// The answer has come outside the loop: its Date is observed first, as of any other.
void Calls::resume(Id id, FirstAnswer first) {
  Exchange& exchange = first.exchange;
  if (exchange.sent.boot == Instant{} || exchange.received.boot == Instant{}) {
    exchange.sent = exchange.received = uses_.clocks.now();
    exchange.early = true;  // no sample of a clock
  }
  exchange.origin = http::origin_of(exchange.origin);
  const auto answer = std::make_shared<clocks::Answer>(std::move(exchange));
  uses_.watch.observe(uses_.clocks.api(), *answer);
  step(id, guard::event::Resumed{ready(uses_.leases.published(first.generation)), answer});
}

void Calls::cancel(Id id) {
  uses_.loop.later([this, id] { step(id, guard::event::Cancelled{}); });
}

void Calls::step(Id id, const guard::CallEvent& event) {
  or_failed(id, [&] { advance(id, event); });
}

/// An exception (out of memory, or from the user's loop) ends the call: nothing else would.
template <typename What>
void Calls::or_failed(Id id, const What& what) {
  try {
    what();
  } catch (const std::exception& e) {
    fail(id, e.what());
  } catch (...) {
    fail(id, "an unknown exception");
  }
}

void Calls::fail(Id id, const char* why) {
  const auto failed = calls_.extract(id);
  if (failed.empty()) return;
  failed.mapped().handler(
      {nullptr,
       Error{ErrorKind::unavailable, std::string("the call could not go on: ") + why,
             "check this machine's limits on memory"},
       {}});
}

void Calls::advance(Id id, const guard::CallEvent& event) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  Call& call = found->second;
  uses_.loop.cancel(std::exchange(call.timer, 0));
  if (std::holds_alternative<guard::event::Cancelled>(event)) abandon(call);
  guard::CallStep step = call.machine.step(event, uses_.clocks.view());
  for (const auto& line : step.log) uses_.listeners.log().write(line);
  for (const auto& rejection : step.rejections) uses_.listeners.rejected(rejection);
  for (const auto& fact : step.facts) {
    uses_.loop.next([this, event = uses_.watch.learned(fact)] { uses_.tokens.step(event); });
  }
  act(id, call, step.action);
}

void Calls::act(Id id, Call& call, guard::CallAction& action) {
  std::visit(Overloaded{
                 [&](const guard::action::NeedToken& a) {
                   uses_.loop.next([this, id, a] { or_failed(id, [&] { want_token(id, a); }); });
                 },
                 [&](guard::action::Send& a) { send(id, call, a); },
                 [&](guard::action::Look& a) { ask(id, call, std::move(a.request), a.options); },
                 [&](guard::action::Check& a) { ask(id, call, std::move(a.request), a.options); },
                 [&](const guard::action::Sleep& a) {
                   call.timer =
                       uses_.loop.at(a.until, [this, id] { step(id, guard::event::Woke{}); });
                 },
                 [&](guard::action::Finish& a) { finish(id, std::move(a)); },
             },
             action);
}

oauth::event::Want Calls::want_of(const guard::action::NeedToken& needed) {
  oauth::event::Want wanted;
  wanted.waiter = uses_.tokens.new_waiter();
  wanted.deadline = needed.deadline;
  wanted.after = needed.after;
  wanted.refused = needed.refused;
  return wanted;
}

void Calls::want_token(Id id, const guard::action::NeedToken& needed) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const oauth::event::Want wanted = want_of(needed);
  found->second.waiter = wanted.waiter;
  uses_.tokens.want(wanted,
                    [this, id](TokenService::Answer answer) { take_token(id, std::move(answer)); });
}

/// A call that cannot use another token has this one replaced for later calls.
void Calls::replace(const guard::action::NeedToken& needed) {
  uses_.loop.next([this, wanted = want_of(needed)] {
    uses_.tokens.want(wanted, [](const TokenService::Answer&) {});
  });
}

void Calls::take_token(Id id, TokenService::Answer answer) {
  if (auto* failed = std::get_if<oauth::action::Fail>(&answer)) {
    return step(id, guard::event::TokenFailed{std::move(failed->failure), failed->token_requests,
                                              std::move(failed->attempts), failed->held_up});
  }
  auto& delivered = std::get<oauth::action::Deliver>(answer);
  guard::event::TokenReady event = ready(std::move(delivered.token));
  event.first_use = delivered.first_use;
  event.token_requests = delivered.token_requests;
  event.attempts = std::move(delivered.attempts);
  event.held_up = delivered.held_up;
  step(id, event);
}

/// A token (null = none), with what is known about it now.
guard::event::TokenReady Calls::ready(oauth::TokenPtr token) const {
  guard::event::TokenReady out;
  if (token) {
    const oauth::TokenMachine& tokens = uses_.tokens.tokens();
    out.accepted_before = tokens.was_accepted(token->generation);
    out.begins_ignored = tokens.begins_ignored();
    out.early_ends_before = tokens.early_ends_before(token->generation);
    out.older_until = tokens.older_until(token->generation, uses_.clocks.view());
  }
  out.token = std::move(token);
  return out;
}

/// By our own transport.
void Calls::ask(Id id, Call& call, HttpRequest request, const SendOptions& options) {
  call.ticket = uses_.sender.send(std::move(request), options, uses_.clocks.api(), options.deadline,
                                  answer_to(id, ++call.sent));
}

void Calls::send(Id id, Call& call, guard::action::Send& action) {
  if (!call.sender) return ask(id, call, std::move(action.request), action.options);
  auto handler = answer_to(id, ++call.sent);
  const Instant deadline = action.options.deadline;
  // If the user's stack never answers, nobody else ends the call.
  if (deadline != Instant::max()) {
    call.timer = uses_.loop.at(deadline, [handler] {
      handler(TransportFailure{TransportFailure::Kind::timeout, "no answer by the deadline", true});
    });
  }
  call.sender(std::move(action.request), deadline,
              uses_.sender.outside(uses_.clocks.api(), deadline, std::move(handler)));
}

/// Only the first answer to the n-th request counts: the user's stack may answer twice, or too
/// late.
Sender::Handler Calls::answer_to(Id id, std::uint64_t n) {
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

/// The caller has gone: what was started only for it ends; a token request continues.
void Calls::abandon(Call& call) {
  uses_.sender.cancel(call.ticket);
  uses_.tokens.withdraw(call.waiter);
}

void Calls::finish(Id id, guard::action::Finish finished) {
  const auto found = calls_.find(id);
  uses_.listeners.resolved(finished.report);
  if (finished.replace) replace(*finished.replace);
  // After the facts that this call learned, so that the next call knows them.
  uses_.loop.next([handler = std::move(found->second.handler),
                   finished = std::move(finished)]() mutable { handler(std::move(finished)); });
  calls_.erase(found);
}

}  // namespace skewguard::engine
