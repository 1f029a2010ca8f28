#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "guard/call_machine.hpp"
#include "skewguard/client.hpp"
#include "skewguard/executor.hpp"
#include "skewguard/result.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::runtime {

/// What an engine runs on. All of it must outlive the engine.
struct EngineWorld {
  Executor& executor;
  ClockSource& clock;
  Transport& transport;
  TokenStore& store;
  std::uint64_t seed = 1;                   ///< for jitter
  DisruptionSource* disruptions = nullptr;  ///< null = nobody tells
};

/// The driver of the machines: asks them, switches on the answer, starts that one operation. It has
/// no thread and no socket of its own, so a simulation drives it on virtual time. All of it runs on
/// the control loop.
class Engine {
 public:
  using CallId = std::uint64_t;
  using CallHandler = std::function<void(guard::action::Finish)>;
  using TokenHandler = std::function<void(Result<BearerToken>)>;

  /// `options` must have passed check_options().
  Engine(ClientOptions options, Hooks hooks, EngineWorld world);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Starts one guarded call; `handler` is called exactly once, never from within this call.
  CallId call(const Request& request, Instant deadline, CallHandler handler);
  /// Ends a call early: its handler gets `cancelled`. Unknown ids are fine.
  void cancel(CallId call);
  /// Asks for a token; `handler` is called exactly once, at the latest at about `deadline`.
  void token(const TokenRequestOptions& options, Instant deadline, TokenHandler handler);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// A day: no call waits longer, and no time computed from it overflows.
inline constexpr Duration kLongestTimeout = std::chrono::hours{24};

/// Checks what only a person can correct: URLs, identity, bounds. Error: `config`.
Result<void> check_options(const ClientOptions& options);

}  // namespace skewguard::runtime
