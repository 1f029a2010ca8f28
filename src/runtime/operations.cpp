#include "runtime/operations.hpp"

#include <functional>
#include <utility>

#include "runtime/client_errors.hpp"

namespace skewguard::runtime {
namespace {

using engine::Engine;

Operation operation(const std::shared_ptr<Running>& running, std::function<void(Engine&)> cancel) {
  return Operation([weak = std::weak_ptr(running), cancel = std::move(cancel)] {
    const auto alive = weak.lock();
    if (!alive) return;
    try {
      alive->on_loop([cancel](Engine* engine) {
        if (engine != nullptr) cancel(*engine);
      });
    } catch (...) {  // no memory: the operation goes on
      return;
    }
  });
}

}  // namespace

Operation start_call(const std::shared_ptr<Running>& running, const Request& request,
                     engine::CallPlan plan, Engine::CallHandler handler, Engine::OwnSender sender) {
  auto id = std::make_shared<Engine::CallId>(0);
  // Created first: once the loop has the handler, nothing may fail.
  auto in_progress = operation(running, [id](Engine& engine) { engine.cancel(*id); });
  running->on_loop([id, request, plan = std::move(plan), handler = std::move(handler),
                    sender = std::move(sender)](Engine* engine) {
    if (engine == nullptr) return handler({nullptr, shutting_down(), {}});
    try {
      *id = engine->call(request, plan, handler, sender);
    } catch (...) {
      handler({nullptr, not_started(), {}});
    }
  });
  return in_progress;
}

Operation start_token(const std::shared_ptr<Running>& running, const TokenRequestOptions& wanted,
                      Instant deadline, Client::TokenHandler handler) {
  auto id = std::make_shared<Engine::TokenId>(0);
  auto in_progress = operation(running, [id](Engine& engine) { engine.cancel_token(*id); });
  running->on_loop([id, wanted, deadline, handler = std::move(handler)](Engine* engine) {
    if (engine == nullptr) return handler(shutting_down());
    try {
      *id = engine->token(wanted, deadline, handler);
    } catch (...) {
      handler(not_started());
    }
  });
  return in_progress;
}

Operation start_await(const std::shared_ptr<Running>& running, std::uint64_t after,
                      Instant deadline, Client::LeaseHandler handler) {
  auto id = std::make_shared<Engine::WaitId>(0);
  auto in_progress = operation(running, [id](Engine& engine) { engine.cancel_await(*id); });
  running->on_loop([id, after, deadline, handler = std::move(handler)](Engine* engine) {
    if (engine == nullptr) return handler(shutting_down());
    try {
      *id = engine->await_lease(after, deadline, handler);
    } catch (...) {
      handler(not_started());
    }
  });
  return in_progress;
}

void start_status(const std::shared_ptr<Running>& running, Client::StatusHandler handler) {
  running->on_loop([handler = std::move(handler)](Engine* engine) {
    if (engine == nullptr) return handler(shutting_down());
    handler(engine->status());
  });
}

}  // namespace skewguard::runtime
