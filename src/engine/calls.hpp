#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "engine/host_clocks.hpp"
#include "engine/leases.hpp"
#include "engine/listeners.hpp"
#include "engine/loop.hpp"
#include "engine/sender.hpp"
#include "engine/token_service.hpp"
#include "guard/call_machine.hpp"
#include "skewguard/client.hpp"

namespace skewguard::engine {

/// The guarded calls of an engine: asks each call's machine what to do next, does it, and reports
/// the result to the machine. For the control loop.
class Calls {
 public:
  using Id = std::uint64_t;
  using Handler = std::function<void(guard::action::Finish)>;
  /// Sends one request with the token, for callers with their own HTTP stack: calls the handler
  /// once, on any thread.
  using OwnSender = std::function<void(HttpRequest, Instant deadline, Transport::Handler)>;
  /// Its dependencies; all must outlive it.
  struct Uses {
    Loop& loop;
    Sender& sender;
    const HostClocks& clocks;
    ClockWatch& watch;
    TokenService& tokens;
    const Leases& leases;
    const Listeners& listeners;
    const ClientOptions& options;
    const oauth::Dialect& dialect;
  };

  /// `seed`: for the jitter of retries.
  Calls(const Uses& uses, std::uint64_t seed) : uses_(uses), random_(seed) {}
  /// Calls the handlers of calls in progress with `cancelled`.
  ~Calls();
  Calls(const Calls&) = delete;
  Calls& operator=(const Calls&) = delete;

  /// The call options for a call with this deadline, from the client's options.
  [[nodiscard]] guard::CallOptions options_until(Instant deadline, const CallPolicy& policy = {});
  /// `handler` is called exactly once, never from within this call. A request that carries the
  /// token goes through `sender` if there is one, else through the transport. With `first` the call
  /// begins with that answer.
  Id start(const Request& request, const guard::CallOptions& options, Handler handler,
           OwnSender sender = {}, std::optional<FirstAnswer> first = {});
  /// Cancels a call: its handler gets `cancelled`. Unknown ids are ignored.
  void cancel(Id id);

 private:
  struct Call {
    guard::CallMachine machine;
    Handler handler;
    OwnSender sender;              // empty = the transport
    Transport::Ticket ticket = 0;  // of the request under way
    std::uint64_t sent = 0;        // names the request under way: one more with each and its end
    Executor::Timer timer = 0;     // of the sleep under way
    oauth::WaiterId waiter = 0;    // of the token waited for
  };

  void resume(Id id, FirstAnswer first);
  [[nodiscard]] guard::event::TokenReady ready(oauth::TokenPtr token) const;
  void step(Id id, const guard::CallEvent& event);
  template <typename What>
  void or_failed(Id id, const What& what);
  void fail(Id id, const char* why);
  void advance(Id id, const guard::CallEvent& event);
  void act(Id id, Call& call, guard::CallAction& action);
  oauth::event::Want want_of(const guard::action::NeedToken& needed);
  void replace(const guard::action::NeedToken& needed);
  void want_token(Id id, const guard::action::NeedToken& needed);
  void take_token(Id id, TokenService::Answer answer);
  void send(Id id, Call& call, guard::action::Send& action);
  void ask(Id id, Call& call, HttpRequest request, const SendOptions& options);
  Sender::Handler answer_to(Id id, std::uint64_t n);
  void abandon(Call& call);
  void finish(Id id, guard::action::Finish finished);

  const Uses uses_;
  std::uint64_t random_;  ///< seeds the calls' retries
  Id last_ = 0;
  std::map<Id, Call> calls_;
};

}  // namespace skewguard::engine
