#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "engine/adopt.hpp"
#include "engine/calls.hpp"
#include "engine/token_requests.hpp"
#include "oauth/grant.hpp"
#include "skewguard/client.hpp"
#include "skewguard/executor.hpp"
#include "skewguard/token_store.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::engine {

/// What an engine runs on. All that is referred to must outlive the engine.
struct EngineDeps {
  Executor& executor;
  ClockSource& clock;
  Transport& transport;
  TokenStore* store = nullptr;              ///< null = tokens are not shared
  std::uint64_t seed = 1;                   ///< for jitter and ids
  DisruptionSource* disruptions = nullptr;  ///< null = nobody tells
  Boot boot{};                              ///< in which Instants are told; empty = not known
  /// Gets the token that may be sent from now on, and until when; null = none.
  std::function<void(const oauth::TokenPtr&, Instant)> publish{};
  /// As Dependencies has it; what it returns can be sent.
  std::function<Dependencies::FreshSecrets()> fresh_secrets{};
  Referee* referee = nullptr;  ///< null = nobody is asked what time it is
};

/// Puts together the parts that drive the machines. It has no thread and no socket of its own, so a
/// simulation drives it on virtual time. For the control loop.
class Engine {
 public:
  using CallId = Calls::Id;
  using TokenId = TokenRequests::Id;
  using CallHandler = Calls::Handler;
  using TokenHandler = TokenRequests::Handler;
  using OwnSender = Calls::OwnSender;

  /// `options` must have passed runtime::check_options(). `grants`: as client_credentials() makes
  /// them; the secrets of `options` are not looked at.
  Engine(ClientOptions options, oauth::Grants grants, Hooks hooks, const EngineDeps& deps);
  /// What is under way gets `cancelled`.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Starts one guarded call; `handler` is called exactly once, never from within this call. What
  /// carries the token goes through `sender` if there is one, else through the transport.
  CallId call(const Request& request, Instant deadline, CallHandler handler, OwnSender sender = {});
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

}  // namespace skewguard::engine
