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

/// For tests of programs that use the library: a machine with virtual time, and hosts in memory
/// whose clocks may be wrong. Nothing sleeps, nothing is sent. In its own static library
/// (skewguard::testing); needs only the standard library.
namespace SKEWGUARD_API skewguard {
namespace testing {

/// A machine with its loop and its clocks, controlled by the test. It has no thread: the loop runs
/// on the threads that call advance(), run(), run_until() or a blocking function of a Client, and
/// time jumps from one event to the next. Of several threads, one at a time runs the loop, and the
/// others wait for it. Thread-safe. Held by a shared_ptr, for Dependencies.
///
/// Wall, boot, monotonic, raw and true time move independently. The program sees all but true time;
/// the hosts' clocks are relative to true time. The wall clock is initially correct. An exception
/// of a function on the loop propagates where the loop runs.
class FakeMachine final : public Executor, public ClockSource, public DisruptionSource {
 public:
  /// 2026-01-01T00:00:00Z.
  static constexpr WallTime kStart{std::chrono::seconds{1'767'225'600}};
  /// `start`: the initial true time.
  explicit FakeMachine(WallTime start = kStart);
  ~FakeMachine() override;
  FakeMachine(const FakeMachine&) = delete;
  FakeMachine& operator=(const FakeMachine&) = delete;

  // Time passes.

  /// Lets `span` (>= 0) of true time pass and runs, in order, what becomes due. If called by a
  /// function on the loop, that function takes this long: nothing else runs meanwhile.
  void advance(Duration span);
  /// Runs what is due now: advance(0).
  void run();
  /// Runs until `done()`, for at most `at_most` by CLOCK_BOOTTIME. False if it was not done by
  /// then, or if called by a function on the loop, which cannot wait for the loop.
  bool run_until(const std::function<bool()>& done, Duration at_most = std::chrono::hours{1});
  /// Runs `function` when `span` of true time has passed, independently of the program: even while
  /// the machine is suspended or stands still. For outside events, such as a step of a host's
  /// clock.
  void after(Duration span, std::function<void()> function);

  // What can happen to the machine.

  /// Moves the wall clock by `by`; positive = forward. Nothing else moves.
  void step_wall(Duration by);
  /// Sets the wall clock.
  void set_wall(WallTime at);
  /// Suspends the machine for `span` (>= 0): the boot and wall clocks continue; the monotonic and
  /// raw clocks, timers and the loop stop. What arrives meanwhile runs the next time the loop runs.
  void suspend(Duration span);
  /// Stops the machine, as a hypervisor stops a guest: only true time continues, for `span` (>= 0).
  void stand_still(Duration span);
  /// From now on marker() reports each stand_still(); a hypervisor need not.
  void tell_of_stops();
  /// From now on the boot, monotonic and wall clocks run `slew_ppm` faster than true time, and the
  /// raw clock `crystal_ppm`; negative = slower. In parts per million.
  void set_drift(double slew_ppm, double crystal_ppm);

  // What the clocks show.

  /// The program's clocks.
  Now now() override;
  /// The time of a correct clock.
  [[nodiscard]] WallTime true_time() const;
  /// Empty, unless tell_of_stops().
  std::optional<std::uint64_t> marker() override;

  // The loop.

  void post(std::function<void()> function) override;
  /// May be called on any thread.
  Timer call_at(Instant at, std::function<void()> function) override;
  /// May be called on any thread.
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

/// A request as a host saw it. A test may look at its secrets: `reveal()`.
struct Asked {
  HttpRequest request;
  Instant sent{};  ///< when it left, by the program's boot clock
  WallTime at{};   ///< when it arrived, by the host's clock
  int status = 0;  ///< of the answer; 0 = there was none
  /// Whether it had an Authorization.
  [[nodiscard]] bool authorized() const noexcept { return !request.authorization.empty(); }
};

/// A host in memory, with its own clock. Each request gets the first answer queued by next(),
/// otherwise the script's, otherwise the host's own. Thread-safe.
class Host {
 public:
  /// The host's own behavior.
  using Behavior = std::function<Answer(const Asked&)>;
  /// Empty = the host's own behavior.
  using Script = std::function<std::optional<Answer>(const Asked&)>;

  /// `url`: the origin of its requests: scheme://host[:port].
  Host(std::shared_ptr<FakeMachine> machine, std::string url, Behavior behavior);
  ~Host();
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// Its clock minus true time; positive = ahead. Initially 0.
  void set_offset(Duration offset);
  /// How late its Dates are (>= 0): some hosts cache the date string. Initially 0.
  void set_date_late(Duration late);
  /// The time that a request takes to reach it, and an answer to come back (>= 0). Initially 10 ms
  /// each. On a loop other than the machine's, anything but 0 needs somebody to advance the
  /// machine.
  void set_delays(Duration up, Duration down);
  /// What its clock shows.
  [[nodiscard]] WallTime now() const;

  /// Queues an answer for the next request without one.
  void next(Answer answer);
  /// Called for each request without a queued answer; empty = none. Runs on the loop, or in send(),
  /// without a lock.
  void set_script(Script script);

  /// The requests that have arrived so far, in order.
  [[nodiscard]] std::vector<Asked> asked() const;
  /// The number of requests.
  [[nodiscard]] std::size_t requests() const;
  [[nodiscard]] const std::string& url() const noexcept { return url_; }

  /// One complete exchange, for programs that send themselves: the machine advances meanwhile. A
  /// `timeout` at `deadline`. Exchange::sent and received are filled in.
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
  const Behavior behavior_;
  mutable std::mutex mutex_;  // over all that follows
  Duration offset_{0};
  Duration date_late_{0};
  Delays delays_{std::chrono::milliseconds{10}, std::chrono::milliseconds{10}};
  std::deque<Answer> queue_;
  std::shared_ptr<Script> script_;  // shared: it may have a state, and runs without the lock
  std::vector<Asked> asked_;
};

/// A network in memory that reaches only these hosts; other requests fail with `dns`. Answers
/// arrive on `loop`, which may differ from the machine's.
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
  std::shared_ptr<State> state_;  // pending work holds it weakly
};

/// A token issued by the login host.
struct Grant {
  std::size_t number = 0;  ///< 1, 2, ...
  WallTime begins{};       ///< by the login host's clock, in whole seconds, as `iat` and `nbf` are
  WallTime ends{};         ///< likewise
};

/// A machine, a login host and an API host. The login host issues a token for every POST. The API
/// host answers 200 to these tokens, and 401 if by its own clock they are not valid yet or have
/// expired, or if they were revoked. Thread-safe; must not be destroyed while its send() runs.
class TestEnvironment {
 public:
  TestEnvironment();
  ~TestEnvironment();
  TestEnvironment(const TestEnvironment&) = delete;
  TestEnvironment& operator=(const TestEnvironment&) = delete;

  FakeMachine& machine() noexcept { return *machine_; }
  Host& login() noexcept { return *login_; }  ///< https://login.test
  Host& api() noexcept { return *api_; }      ///< https://api.test

  /// The options of a client for these hosts; change what the test is about. The dialect is
  /// rfc6749; the hosts' errors fit genesys as well.
  [[nodiscard]] ClientOptions options() const;
  /// The machine as loop and clocks, and the hosts as the network, without a Referee. For
  /// make_client() of asio.hpp, which has its own loop, set the hosts' delays to 0.
  [[nodiscard]] Dependencies dependencies() const;

  /// The lifetime of tokens issued from now on (whole seconds, > 0). Initially an hour.
  void set_lifetime(Duration lifetime);
  /// Makes the text of tokens (characters of RFC 6750 section 2.1); empty = "token-1", "token-2",
  /// ...
  void set_tokens(std::function<std::string(const Grant&)> text);
  /// Revokes every token issued so far.
  void revoke_all();

  /// The number of token requests to the login host.
  [[nodiscard]] std::size_t token_requests() const;
  /// The number of requests with a token to the API host.
  [[nodiscard]] std::size_t requests() const;
  /// Those that got a 401.
  [[nodiscard]] std::size_t refused_requests() const;

  /// Replaces the HTTP stack of a program in Client::guard(): one request to the API host with that
  /// token. See Host::send().
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
