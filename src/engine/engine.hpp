#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/adopt.hpp"
#include "engine/calls.hpp"
#include "engine/leases.hpp"
#include "engine/token_requests.hpp"
#include "oauth/grant.hpp"
#include "skewguard/client.hpp"
#include "skewguard/executor.hpp"
#include "skewguard/token_store.hpp"
#include "skewguard/transport.hpp"
#include "time/date_sample.hpp"

namespace skewguard::engine {

/// The dependencies of an engine. They must outlive it.
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
  /// As in Dependencies; its result is valid.
  std::function<Dependencies::FreshSecrets()> fresh_secrets{};
  Referee* referee = nullptr;  ///< null = nobody is asked what time it is
  /// A token that the user obtained elsewhere, used instead of requested ones; null = none.
  std::shared_ptr<const Secret> given_token{};
};

/// What an answer to a request with a leased token shows.
struct Observation {
  std::uint64_t accepted = 0;  ///< the generation of the token, if the API has accepted it; else 0
  std::optional<time::DateSample> date{};  ///< if its Date is usable as a sample
};

/// What a guarded call may do, and what it begins with.
struct CallPlan {
  CallPlan(Instant until) : deadline(until) {}  // NOLINT(google-explicit-constructor): enough
  Instant deadline;
  CallPolicy policy{};
  std::optional<FirstAnswer> first{};  ///< empty = the call sends the request itself
};

/// Combines the parts that drive the machines. It has no thread and no socket, so a simulation can
/// run it in virtual time. For the control loop.
class Engine {
 public:
  using CallId = Calls::Id;
  using TokenId = TokenRequests::Id;
  using WaitId = Leases::Id;
  using CallHandler = Calls::Handler;
  using TokenHandler = TokenRequests::Handler;
  using LeaseHandler = Leases::Handler;
  using OwnSender = Calls::OwnSender;

  /// `options` must have passed runtime::check_options(). `grants`: as client_credentials() makes
  /// them; the secrets and the access token of `options` are not looked at.
  Engine(ClientOptions options, oauth::Grants grants, Hooks hooks, const EngineDeps& deps);
  /// Calls in progress get `cancelled`.
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Starts a guarded call; `handler` is called exactly once, never from within this call. Requests
  /// with the token go through `sender` if there is one, otherwise through the transport.
  CallId call(const Request& request, CallPlan plan, CallHandler handler, OwnSender sender = {});
  /// Cancels a call: its handler gets `cancelled`. Unknown ids are ignored.
  void cancel(CallId call);
  /// Requests a token; `handler` is called exactly once, at about `deadline` at the latest.
  TokenId token(const TokenRequestOptions& options, Instant deadline, TokenHandler handler);
  /// Cancels the request: its handler gets `cancelled`. Unknown ids are ignored.
  void cancel_token(TokenId token);
  /// Waits until a token of a later generation than `after` is published: Leases::await().
  WaitId await_lease(std::uint64_t after, Instant deadline, LeaseHandler handler);
  /// What came back with leased tokens, told outside the loop; runs as a turn.
  void observe(std::vector<Observation> observations);
  /// Cancels the wait: its handler gets `cancelled`. Unknown ids are ignored.
  void cancel_await(WaitId wait);
  /// Tokens are requested with these from now on; never empty.
  void renew(oauth::Grants grants);
  /// What is known now. Call it on the loop.
  [[nodiscard]] ClientStatus status();
  /// The published token is being used, so keep it fresh.
  void note_use();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skewguard::engine
