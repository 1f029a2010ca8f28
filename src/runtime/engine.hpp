#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "guard/call_machine.hpp"
#include "oauth/grant.hpp"
#include "runtime/adopt.hpp"
#include "skewguard/client.hpp"
#include "skewguard/executor.hpp"
#include "skewguard/result.hpp"
#include "skewguard/token_store.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::runtime {

/// What an engine runs on. All that is referred to must outlive the engine.
struct EngineWorld {
  Executor& executor;
  ClockSource& clock;
  Transport& transport;
  TokenStore* store = nullptr;              ///< null = tokens are not shared
  std::uint64_t seed = 1;                   ///< for jitter
  DisruptionSource* disruptions = nullptr;  ///< null = nobody tells
  Boot boot{};                              ///< in which Instants are told; empty = not known
  /// Gets the token that may be sent from now on, and until when; null = none.
  std::function<void(const oauth::TokenPtr&, Instant)> publish{};
  std::function<Dependencies::FreshSecrets()> fresh_secrets{};  ///< as Dependencies has it
  Referee* referee = nullptr;  ///< null = what time it is, nobody is asked
};

/// The driver of the machines: asks them, switches on the answer, starts that one operation. It has
/// no thread and no socket of its own, so a simulation drives it on virtual time. All of it runs on
/// the control loop. Here are the calls; tokens are the desk's.
class Engine {
 public:
  using CallId = std::uint64_t;
  using TokenId = std::uint64_t;
  using CallHandler = std::function<void(guard::action::Finish)>;
  using TokenHandler = std::function<void(Result<BearerToken>)>;
  /// Sends one request that carries the token, for who has an HTTP stack of his own: calls the
  /// handler once, on any thread.
  using Sender = std::function<void(HttpRequest, Instant deadline, Transport::Handler)>;

  /// `options` must have passed check_options(). `grants`: as client_credentials() makes them; the
  /// secrets of `options` are not looked at.
  Engine(ClientOptions options, oauth::Grants grants, Hooks hooks, EngineWorld world);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Starts one guarded call; `handler` is called exactly once, never from within this call. What
  /// carries the token goes through `sender` where there is one, else through the transport.
  CallId call(const Request& request, Instant deadline, CallHandler handler, Sender sender = {});
  /// Ends a call early: its handler gets `cancelled`. Unknown ids are fine.
  void cancel(CallId call);
  /// Asks for a token; `handler` is called exactly once, at the latest at about `deadline`.
  TokenId token(const TokenRequestOptions& options, Instant deadline, TokenHandler handler);
  /// Its handler gets `cancelled`. Unknown ids are fine.
  void cancel_token(TokenId token);
  /// Tokens are requested with these from now on; never empty.
  void renew(oauth::Grants grants);
  /// Somebody uses the published token: it is kept fresh.
  void note_use();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

/// A day: no call waits longer, and no time computed from it overflows.
inline constexpr Duration kLongestTimeout = std::chrono::hours{24};

/// Checks what only a person can correct: URLs, identity, bounds. Error: `config`.
Result<void> check_options(const ClientOptions& options);
/// Secrets that are to replace a client's. Error (`config`): there is none, or one that cannot be
/// sent.
Result<void> check_new_secrets(const std::vector<Secret>& secrets);

}  // namespace skewguard::runtime
