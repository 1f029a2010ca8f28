#pragma once

#include <cstdint>
#include <memory>

#include "engine/engine.hpp"
#include "runtime/running.hpp"
#include "skewguard/client.hpp"

/// Starts calls and token requests on the loop of a running client. The handler is called there,
/// exactly once; it gets `cancelled` if the client has ended. The Operation keeps nothing alive:
/// its holder may outlive the client and its loop. Thread-safe.
namespace skewguard::runtime {

/// With `sender`, the user's own HTTP stack sends.
Operation start_call(const std::shared_ptr<Running>& running, const Request& request,
                     engine::CallPlan plan, engine::Engine::CallHandler handler,
                     engine::Engine::OwnSender sender = {});

Operation start_token(const std::shared_ptr<Running>& running, const TokenRequestOptions& wanted,
                      Instant deadline, Client::TokenHandler handler);

/// Waits for a token that readers are shown: engine::Leases::await().
Operation start_await(const std::shared_ptr<Running>& running, std::uint64_t after,
                      Instant deadline, Client::LeaseHandler handler);

/// Looks at once: there is nothing to cancel.
void start_status(const std::shared_ptr<Running>& running, Client::StatusHandler handler);

}  // namespace skewguard::runtime
