#include <algorithm>
#include <chrono>
#include <utility>

#include "proxy/answer_facts.hpp"
#include "proxy/session.hpp"
#include "relay/header_rules.hpp"

/// A session's way to the API: a token, a connection, the judgement of the engine.
namespace skewguard::proxy {
namespace {

namespace event = relay::event;
namespace action = relay::action;
using Moved = Socket::Moved;

/// So much earlier than the session's own the deadline of a judgement ends: its verdict is worth
/// more than none.
constexpr std::chrono::milliseconds kJudgedBefore{200};

}  // namespace

void Session::carry_out(const action::Acquire& what) {
  fresh_ = what.fresh;
  seek();
}

/// A token first, since there is no use for a connection without one.
void Session::seek() {
  if (!has_token()) return hold();
  if (!fresh_) upstream_ = worker_.pool().take_idle();
  if (upstream_) return ready();
  last_wait_ = worker_.pool().full() ? Wait::turn : Wait::connection;
  dialing_ = worker_.pool().connect(fresh_,
                                    [this, self = shared_from_this()](UpstreamPool::Answer answer) {
                                      dialing_.reset();
                                      if (last_wait_ == Wait::turn) note_held();
                                      connected(std::move(answer));
                                    });
}

void Session::note_held() {
  if (machine_.attempts() == 0) record_.held = worker_.now() - machine_.started();
}

void Session::say_what_was_awaited(relay::Problem& problem) {
  const auto& why_no_token = worker_.gate().last_failure();
  if (last_wait_ == Wait::token)
    problem.retry_after = worker_.gate().next_token_in().value_or(problem.retry_after);
  if (last_wait_ == Wait::turn) {
    problem.code = "api.connections.busy";
    problem.message = "Other requests used all connections to the API.";
  } else if (last_wait_ == Wait::connection) {
    problem.message = "No connection to the API was made in time.";
  } else if (problem.retry && why_no_token) {
    refusal_ = refusal_of(*why_no_token);
    problem.message = refusal_.message;
  }
}

/// From the engine, if it wants this request to be sent again.
bool Session::has_token() {
  return (guard_ && guard_->sending()) || worker_.gate().lease(now()) != nullptr;
}

void Session::hold() {
  last_wait_ = Wait::token;
  held_ = worker_.gate().wait([this, self = shared_from_this()](const Error* why_not) {
    held_.reset();
    note_held();
    if (why_not == nullptr) {
      seek();
      return;
    }
    refusal_ = refusal_of(*why_not);
    respond(event::UpstreamDenied{refusal_.problem()});
  });
  if (held_) return;
  relay::Problem full{503, "too.many.waiting", "Too many requests wait for a token already.", true};
  full.retry_after = worker_.gate().next_token_in().value_or(full.retry_after);
  respond(event::UpstreamDenied{full});
}

void Session::connected(UpstreamPool::Answer answer) {
  if (auto* made = std::get_if<std::unique_ptr<Upstream>>(&answer)) {
    upstream_ = std::move(*made);
    return ready();
  }
  const auto& failure = std::get<TransportFailure>(answer);
  refusal_ = refusal_of(failure, worker_.rules().api_origin, worker_.service().clocks.now().wall);
  respond(event::UpstreamDenied{refusal_.problem()});
}

void Session::ready() {
  std::string_view authorization;
  if (guard_ && guard_->sending()) {
    authorization = guard_->authorization();
  } else if (const Lease* lease = worker_.gate().lease(now())) {
    authorization = lease->authorization;
    generation_ = lease->generation;
  } else {  // it ended while the connection was being made
    release(true);
    return hold();
  }
  worker_.sent_tokens().add(authorization);
  worker_.token_passed();
  upstream_->begin(*this);
  noted_ = write_failed_ = false;
  respond(event::UpstreamReady{authorization, generation_, upstream_->reused()});
}

bool Session::write_upstream() {
  if (!upstream_) return false;
  const Moved moved = upstream_->write(desk_->work.upstream_out);
  if (moved == Moved::nothing) return false;
  if (moved != Moved::failed) {
    take(event::UpstreamSent{});
    return true;
  }
  if (std::exchange(write_failed_, true)) return false;
  take(event::UpstreamWriteFailed{});
  return true;
}

bool Session::read_upstream() {
  if (!upstream_ || !machine_.reads_upstream(desk_->work)) return false;
  const Moved moved = upstream_->read(desk_->work.upstream_in);
  if (moved == Moved::nothing) return false;
  if (moved == Moved::some) {
    take(event::UpstreamBytes{});
  } else {
    take(event::UpstreamEnded{upstream_->nothing_sent(), moved == Moved::failed});
  }
  return true;
}

void Session::carry_out(const action::Release& what) {
  release(what.reusable);
}

void Session::release(bool reusable) {
  if (upstream_) worker_.pool().release(std::move(upstream_), reusable, kept_);
}

/// Also what was answered to an action of the same step.
void Session::carry_out(const action::Abandon&) {
  if (held_ || (dialing_ && last_wait_ == Wait::turn)) note_held();
  if (held_) worker_.gate().leave(*std::exchange(held_, std::nullopt));
  if (dialing_) worker_.pool().cancel(*std::exchange(dialing_, std::nullopt));
  if (answer_ && std::holds_alternative<event::UpstreamReady>(*answer_)) release(true);
  answer_.reset();
  ++page_wanted_;
  if (!std::exchange(judging_, false)) return;
  guard_.reset();
  verdict_ = Verdict::unknown;
}

// Answers -----------------------------------------------------------------------------------------

/// Looks once at the head of each answer. The engine sees itself those that it judges.
void Session::note_answer() {
  if (noted_ || !upstream_ || !machine_.answer_read()) return;
  noted_ = true;
  const auto& head = desk_->work.answer.head();
  kept_ = relay::keep_alive_time(head);
  const Instant received = upstream_->received();
  record_.upstream = received - upstream_->sent().boot;
  record_.added = received - machine_.started() - record_.upstream;
  const bool told = !guard_ && worker_.observer().wants(generation_, head.status, received);
  if (!told && !guard_) return;
  arrival_ = {upstream_->sent(), worker_.service().clocks.now(), upstream_->id(),
              upstream_->early()};
  if (told) worker_.observer().saw(generation_, head, arrival_);
}

void Session::carry_out(const action::Judge& what) {
  judging_ = true;
  can_retry_ = what.can_retry;
  Exchange exchange;
  static_cast<AnswerHead&>(exchange) = answer_head(desk_->work.answer.head(), arrival_);
  exchange.body = machine_.error_body();
  if (guard_ && guard_->sending()) return guard_->answer(std::move(exchange));
  GuardOptions options;
  options.method = desk_->work.request.head().method;
  options.path = machine_.target();
  const Duration hold = worker_.rules().hold;
  options.timeout = std::max(hold - kJudgedBefore, hold / 2);
  options.policy = {.replayable = can_retry_,
                    .wait_for_rate_limits = false,
                    .retry_errors = false,
                    .limit_sends = false};
  options.first = FirstAnswer{generation_, std::move(exchange)};
  GuardedCall::User& user = *this;
  guard_ = std::make_shared<GuardedCall>(worker_.loop(), worker_.service().client, user);
  guard_->start(std::move(options));
}

void Session::send_again() {
  if (!can_retry_) {  // an answer that it passes on
    return guard_->answer(TransportFailure{TransportFailure::Kind::cancelled,
                                           "the request cannot be sent again", true});
  }
  judging_ = false;
  step(event::Judged{"", true, generation_});
}

void Session::judged(Verdict verdict) {
  if (!std::exchange(judging_, false)) return;
  verdict_ = verdict;
  step(event::Judged{to_string(verdict)});
}

}  // namespace skewguard::proxy
