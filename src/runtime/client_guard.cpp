// Calls that the user's own HTTP stack sends.
#include <algorithm>
#include <exception>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "oauth/refusals.hpp"
#include "oauth/withhold.hpp"
#include "runtime/client_errors.hpp"
#include "runtime/client_impl.hpp"
#include "runtime/handover.hpp"
#include "runtime/operations.hpp"

namespace skewguard {
namespace {

using guard::action::Finish;
using runtime::Handover;

/// The loop asks the caller's thread to send.
struct Sending {
  Bearer bearer;
  Transport::Handler answer;
};

Request request_of(const GuardOptions& options) {
  Request request;
  request.method = options.method.empty() ? "POST" : options.method;  // whose retry is not safe
  request.path = options.path;
  request.timeout = options.timeout;
  return request;
}

engine::CallPlan plan_of(const GuardOptions& options, Instant deadline) {
  engine::CallPlan plan(deadline);
  plan.policy = options.policy;
  plan.first = options.first;
  return plan;
}

Bearer bearer_of(const HttpRequest& request, Instant deadline) {
  const std::string_view authorization = request.authorization.reveal();
  return {std::string(authorization.substr(oauth::kBearerScheme.size())),
          std::string(authorization), deadline};
}

void wipe(Bearer& bearer) {
  Secret::wipe(bearer.token);
  Secret::wipe(bearer.authorization);
}

/// `what` may repeat the token.
SendResult send_threw(std::string_view what, std::string_view token) {
  std::string detail = "the send function threw";
  if (!what.empty())
    detail.append(": ").append(oauth::withhold(oauth::visible(what, 200), {token}));
  return TransportFailure{TransportFailure::Kind::cancelled, std::move(detail), true};
}

/// Fills in what the user's stack left out: wider than what it could have measured, but correct.
void fill_in(SendResult& result, const Now& before, const Now& after) {
  auto* exchange = std::get_if<Exchange>(&result);
  if (exchange == nullptr) return;
  if (exchange->status < 100 || exchange->status > 999) {  // as one that was left out has it
    result =
        TransportFailure{TransportFailure::Kind::malformed,
                         "the send function gave the status " + std::to_string(exchange->status) +
                             ", which is not an HTTP status",
                         true};
    return;
  }
  if (exchange->sent.boot == Instant{}) exchange->sent = before;
  if (exchange->received.boot == Instant{}) exchange->received = after;
}

SendResult sent_by(const std::function<SendResult(const Bearer&)>& send, const Bearer& bearer,
                   ClockSource& clock) {
  const Now before = clock.now();
  try {
    SendResult result = send(bearer);
    fill_in(result, before, clock.now());
    return result;
  } catch (const std::exception& error) {
    return send_threw(error.what(), bearer.token);
  } catch (...) {
    return send_threw("", bearer.token);
  }
}

}  // namespace

Result<Response> Client::Impl::guard(const std::function<SendResult(const Bearer&)>& send,
                                     const GuardOptions& options) {
  const auto running = start();
  if (running->inside()) return runtime::called_on_own_loop();
  const Request request = request_of(options);
  const Duration timeout = time_for(request.timeout);
  auto handover = std::make_shared<Handover<std::variant<Finish, Sending>>>();
  runtime::start_call(
      running, request, plan_of(options, now() + timeout),
      [handover](Finish done) { handover->put(std::move(done)); },
      [handover](const HttpRequest& to_send, Instant deadline, Transport::Handler answer) {
        handover->put(Sending{bearer_of(to_send, deadline), std::move(answer)});
      });
  // Shared ownership from here on: the client may be destroyed while `send` runs.
  const auto clock = dependencies_.clock;
  const Instant end = clock->boot_now() + timeout + runtime::kGrace;
  // A send that may take longer than that leaves the loop time for what follows it.
  const Duration least = options.policy.limit_sends ? Duration{0} : runtime::kGrace;
  const auto left = [&] { return std::max(end - clock->boot_now(), least); };
  while (auto event = handover->wait(running->executor(), left())) {
    if (auto* finished = std::get_if<Finish>(&*event))
      return runtime::outcome(std::move(*finished));
    auto& sending = std::get<Sending>(*event);
    sending.answer(sent_by(send, sending.bearer, *clock));
    wipe(sending.bearer);
  }
  return runtime::overdue();
}

Operation Client::Impl::async_guard(Sender sender, const GuardOptions& options,
                                    ResponseHandler handler) {
  const auto running = start();
  const Request request = request_of(options);
  return runtime::start_call(
      running, request, plan_of(options, now() + time_for(request.timeout)),
      runtime::passing_outcome(std::move(handler)),
      [clock = dependencies_.clock, weak = std::weak_ptr(running), sender = std::move(sender)](
          const HttpRequest& to_send, Instant deadline, const Transport::Handler& answer) {
        const Now before = clock->now();
        const auto answered = [weak, before, answer](SendResult result) {
          const auto alive = weak.lock();
          if (!alive) return;  // the client has gone, and its loop perhaps too
          try {
            fill_in(result, before, alive->now());
            answer(std::move(result));
          } catch (...) {  // no memory: the deadline ends the call
            return;
          }
        };
        const auto token = to_send.authorization.reveal().substr(oauth::kBearerScheme.size());
        try {
          sender(bearer_of(to_send, deadline), answered);
        } catch (const std::exception& error) {
          answered(send_threw(error.what(), token));
        } catch (...) {
          answered(send_threw("", token));
        }
      });
}

}  // namespace skewguard
