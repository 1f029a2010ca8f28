#include <memory>
#include <utility>

#include "runtime/client_errors.hpp"
#include "runtime/client_impl.hpp"
#include "runtime/handover.hpp"
#include "runtime/operations.hpp"

namespace skewguard {

using guard::action::Finish;
using runtime::Handover;

Result<Response> runtime::outcome(Finish finished) {
  if (!finished.answer) {
    Error error = finished.error ? std::move(*finished.error)
                                 : Error{ErrorKind::protocol, "no answer and no error", ""};
    if (!finished.report.method.empty()) {  // else the call had not begun
      error.report = std::make_shared<CallReport>(std::move(finished.report));
    }
    return error;
  }
  return Response{finished.answer->status, std::move(finished.answer->headers),
                  std::move(finished.answer->body), std::move(finished.report)};
}

engine::Engine::CallHandler runtime::passing_outcome(Client::ResponseHandler handler) {
  return [handler = std::move(handler)](Finish done) {
    call_handler(handler, [&] { return outcome(std::move(done)); });
  };
}

Result<Response> Client::Impl::call(const Request& request) {
  const auto running = start();
  if (running->inside()) return runtime::called_on_own_loop();
  const Duration timeout = time_for(request.timeout);
  auto handover = std::make_shared<Handover<Finish>>();
  runtime::start_call(running, request, now() + timeout,
                      [handover](Finish done) { handover->put(std::move(done)); });
  auto finished = handover->wait(running->executor(), timeout + runtime::kGrace);
  if (!finished) return runtime::overdue();
  return runtime::outcome(std::move(*finished));
}

Result<BearerToken> Client::Impl::token(const TokenRequestOptions& wanted) {
  const auto running = start();
  if (running->inside()) return runtime::called_on_own_loop();
  auto handover = std::make_shared<Handover<Result<BearerToken>>>();
  runtime::start_token(running, wanted, now() + options_.timeout,
                       [handover](Result<BearerToken> done) { handover->put(std::move(done)); });
  auto result = handover->wait(running->executor(), options_.timeout + runtime::kGrace);
  if (!result) return runtime::overdue();
  return std::move(*result);
}

Operation Client::Impl::async_call(const Request& request, ResponseHandler handler) {
  const auto running = start();
  return runtime::start_call(running, request, now() + time_for(request.timeout),
                             runtime::passing_outcome(std::move(handler)));
}

Operation Client::Impl::async_token(const TokenRequestOptions& wanted, TokenHandler handler) {
  const auto running = start();
  return runtime::start_token(running, wanted, now() + options_.timeout,
                              [handler = std::move(handler)](Result<BearerToken> done) {
                                runtime::call_handler(handler, [&] { return std::move(done); });
                              });
}

Result<ClientStatus> Client::Impl::status() {
  const auto running = start();
  if (running->inside()) return runtime::called_on_own_loop();
  auto handover = std::make_shared<Handover<Result<ClientStatus>>>();
  runtime::start_status(running,
                        [handover](Result<ClientStatus> seen) { handover->put(std::move(seen)); });
  auto result = handover->wait(running->executor(), options_.timeout);
  if (!result) return runtime::overdue();
  return std::move(*result);
}

void Client::Impl::async_status(StatusHandler handler) {
  runtime::start_status(start(), [handler = std::move(handler)](Result<ClientStatus> seen) {
    runtime::call_handler(handler, [&] { return std::move(seen); });
  });
}

}  // namespace skewguard
