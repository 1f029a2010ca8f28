#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "skewguard/client.hpp"

/// For tests of programs that use the library: a machine whose time is the test's own, and hosts in
/// memory whose clocks may be wrong. Nothing sleeps, nothing is sent. In an archive of its own
/// (skewguard::testing); needs the standard library alone.
namespace SKEWGUARD_API skewguard {
namespace testing {

/// A machine with its loop and its clocks, as a test wants them. It has no thread: the loop runs on
/// the threads that call advance(), run(), run_until() or a blocking call of a Client, and time
/// jumps from one thing that is due to the next. Of several threads one runs the loop at a time and
/// the others wait for it. Thread-safe. Held by a shared_ptr: it stands in Dependencies.
///
/// Wall, boot, monotonic, raw and true time move independently. All but true time are what the
/// program sees; true time is what the hosts' clocks are set against. The wall clock is right at
/// first. An exception of a function on the loop comes out where the loop runs.
class FakeMachine final : public Executor, public ClockSource, public DisruptionSource {
 public:
  /// 2026-01-01T00:00:00Z.
  static constexpr WallTime kStart{std::chrono::seconds{1'767'225'600}};
  /// `start`: true time at first.
  explicit FakeMachine(WallTime start = kStart);
  ~FakeMachine() override;
  FakeMachine(const FakeMachine&) = delete;
  FakeMachine& operator=(const FakeMachine&) = delete;

  // Time passes.

  /// Lets `span` (>= 0) of true time pass and runs, in order, what becomes due within it. Called by
  /// a function on the loop, it makes that function last as long: nothing else runs meanwhile.
  void advance(Duration span);
  /// Runs what is due now: advance(0).
  void run();
  /// Runs until `done()`, for at most `at_most` by CLOCK_BOOTTIME. False where it was not done by
  /// then, or where a function on the loop asks, which cannot wait for the loop.
  bool run_until(const std::function<bool()>& done, Duration at_most = std::chrono::hours{1});
  /// Runs `function` when `span` of true time has passed, beside the program: also while the
  /// machine is suspended or stands still. For what happens outside, such as a host's clock that
  /// is stepped.
  void after(Duration span, std::function<void()> function);

  // What can happen to the machine.

  /// Moves the wall clock by `by`; positive = forward. Nothing else moves.
  void step_wall(Duration by);
  /// Sets the wall clock.
  void set_wall(WallTime at);
  /// Suspends the machine for `span` (>= 0): the boot and wall clocks run on; the monotonic and raw
  /// clocks, timers and the loop stand still. What came meanwhile is run by the next who runs it.
  void suspend(Duration span);
  /// Stops the machine, as a hypervisor does a guest: true time alone runs on for `span` (>= 0).
  void stand_still(Duration span);
  /// From here on marker() tells of each stand_still(); a hypervisor need not.
  void tell_of_stops();
  /// From here on the boot, monotonic and wall clocks run `slew_ppm` faster than true time, and the
  /// raw clock `crystal_ppm`; negative = slower. Parts per million.
  void set_drift(double slew_ppm, double crystal_ppm);

  // What the clocks show.

  /// The program's clocks.
  Now now() override;
  /// What a right clock shows.
  [[nodiscard]] WallTime true_time() const;
  /// Nothing, unless tell_of_stops().
  std::optional<std::uint64_t> marker() override;

  // The loop.

  void post(std::function<void()> function) override;
  /// From any thread.
  Timer call_at(Instant at, std::function<void()> function) override;
  /// From any thread.
  void cancel(Timer timer) override;
  [[nodiscard]] bool inside() const noexcept override;
  bool run_here(const std::function<bool()>& done, Duration at_most) override;

 private:
  class Impl;
  const std::unique_ptr<Impl> impl_;
};

/// What a host does with one request: an HTTP answer, unless `failure` or `never` is set.
struct Answer {
  int status = 200;
  Headers headers{};  ///< a Date among them is left as it is
  std::string body{};
  std::optional<TransportFailure> failure{};  ///< instead of an answer
  bool never = false;                         ///< no answer comes: the deadline ends the request
  bool dated = true;                          ///< the host writes its Date
  Duration up{0};    ///< beyond the host's own delays, before the Date is written
  Duration down{0};  ///< the same, after it
};

/// A request as a host saw it. In a test its secrets may be looked at: `reveal()`.
struct Asked {
  HttpRequest request;
  Instant sent{};  ///< when it left, by the program's boot clock
  WallTime at{};   ///< when it arrived, by the host's clock
  int status = 0;  ///< of the answer; 0 = there was none
  /// Whether it carried an Authorization.
  [[nodiscard]] bool authorized() const noexcept { return !request.authorization.empty(); }
};

/// A host in memory, with a clock of its own. Each request takes the first of the answers that
/// next() has queued; else what the script says; else what the host does by itself. Thread-safe.
class Host {
 public:
  /// What it does by itself.
  using Behaviour = std::function<Answer(const Asked&)>;
  /// Nothing = what it does by itself.
  using Script = std::function<std::optional<Answer>(const Asked&)>;

  /// `url`: what the URLs of its requests begin with: scheme://host[:port].
  Host(std::shared_ptr<FakeMachine> machine, std::string url, Behaviour behaviour);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Its clock less true time; positive = ahead. At first 0.
  void set_offset(Duration offset);
  /// How old the Date strings are that it writes (>= 0): some hosts keep them for a while. At
  /// first 0.
  void set_date_late(Duration late);
  /// How long a request is under way to it, and an answer from it (>= 0). At first 10 ms each. On
  /// another loop than the machine's only 0 does without somebody who advances the machine.
  void set_delays(Duration up, Duration down);
  /// What its clock shows.
  [[nodiscard]] WallTime now() const;

  /// The next request that no answer is queued for gets this one.
  void next(Answer answer);
  /// Asked for each request that arrives and finds no answer queued; empty = none. Runs on the
  /// loop, or in send(), without a lock.
  void set_script(Script script);

  /// What has arrived so far, in order.
  [[nodiscard]] std::vector<Asked> asked() const;
  /// How many of them.
  [[nodiscard]] std::size_t requests() const;
  [[nodiscard]] const std::string& url() const noexcept { return url_; }

  /// One whole exchange, for who sends by itself: the machine advances while it lasts. A `timeout`
  /// at `deadline`. Exchange::sent and received are filled in.
  SendResult send(const HttpRequest& request, Instant deadline);

 private:
  friend class ScriptedTransport;
  struct Delays {
    Duration up;
    Duration down;
  };

  [[nodiscard]] Delays delays() const;
  Answer receive(const HttpRequest& request, Instant sent);
  SendResult written(Answer answer, const Now& sent) const;

  const std::shared_ptr<FakeMachine> machine_;
  const std::string url_;
  const Behaviour behaviour_;
  mutable std::mutex mutex_;  // over all that follows
  Duration offset_{0};
  Duration date_late_{0};
  Delays delays_{std::chrono::milliseconds{10}, std::chrono::milliseconds{10}};
  std::deque<Answer> queue_;
  std::shared_ptr<Script> script_;  // shared: it may have a state, and runs without the lock
  std::vector<Asked> asked_;
};

/// A network in memory that reaches these hosts alone; what goes elsewhere fails with `dns`.
/// Answers come on `loop`, which may be another one than the machine's.
class ScriptedTransport final : public Transport {
 public:
  ScriptedTransport(Executor& loop, std::shared_ptr<FakeMachine> machine,
                    std::vector<std::shared_ptr<Host>> hosts);
  ~ScriptedTransport() override;
  ScriptedTransport(const ScriptedTransport&) = delete;
  ScriptedTransport& operator=(const ScriptedTransport&) = delete;

  Ticket send(HttpRequest request, const SendOptions& options, Handler handler) override;
  void cancel(Ticket ticket) override;

 private:
  class State;
  std::shared_ptr<State> state_;  // what is under way knows it weakly
};

/// A token as the login host granted it.
struct Grant {
  std::size_t number = 0;  ///< 1, 2, ...
  WallTime begins{};       ///< by the login host's clock, in whole seconds, as `iat` and `nbf` are
  WallTime ends{};         ///< likewise
};

/// A machine, a login host and an API host. The login host grants a token to whoever posts. The API
/// host says 200 to those tokens, and 401 by its own clock before they have begun, from their end
/// on, and once they are revoked. Thread-safe; must not go while its send() runs.
class World {
 public:
  World();
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  FakeMachine& machine() noexcept { return *machine_; }
  Host& login() noexcept { return *login_; }  ///< https://login.test
  Host& api() noexcept { return *api_; }      ///< https://api.test

  /// All that a client of these hosts needs; change what the test is about. The dialect is
  /// rfc6749; the hosts' refusals are worded for genesys as well.
  [[nodiscard]] ClientOptions options() const;
  /// The machine as loop and clocks, and the hosts as the network; no Referee: nobody is asked what
  /// time it is. For make_client() of asio.hpp, which has its own loop: set the hosts' delays to 0.
  [[nodiscard]] Dependencies dependencies() const;

  /// Of the tokens that are granted from here on (whole seconds, > 0). At first an hour.
  void set_lifetime(Duration lifetime);
  /// How their text is made (characters of RFC 6750 section 2.1); empty = "token-1", "token-2", ...
  void set_tokens(std::function<std::string(const Grant&)> text);
  /// The API host refuses every token that was granted so far.
  void revoke_all();

  /// Requests that came to the login host to get a token.
  [[nodiscard]] std::size_t token_requests() const;
  /// Requests that came to the API host with a token.
  [[nodiscard]] std::size_t requests() const;
  /// Those of them that got a 401.
  [[nodiscard]] std::size_t refused_requests() const;

  /// What stands for the HTTP stack of a program, under Client::guard(): one request to the API
  /// host with that token. See Host::send().
  SendResult send(const Bearer& bearer, std::string method = "GET", const std::string& path = "/");

 private:
  class Tokens;

  const std::shared_ptr<FakeMachine> machine_;
  const std::shared_ptr<Tokens> tokens_;
  const std::shared_ptr<Host> login_;
  const std::shared_ptr<Host> api_;
};

}  // namespace testing
}  // namespace skewguard
