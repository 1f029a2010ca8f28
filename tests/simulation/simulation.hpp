#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "emulator/cloud_emulator.hpp"
#include "engine/engine.hpp"
#include "skewguard/transport.hpp"
#include "time/backoff.hpp"
#include "virtual_time/machine.hpp"
#include "virtual_time/process.hpp"
#include "virtual_time/timeline.hpp"

namespace skewguard::simulation {

inline constexpr const char* kLoginUrl = "https://login.test";
inline constexpr const char* kApiUrl = "https://api.test";

/// One direction of the network path: a delay of `min` plus an exponential tail of mean `jitter`.
struct Path {
  Duration min = std::chrono::milliseconds{10};
  Duration jitter{0};
};

/// What happens to a request on its way, besides the emulator's own answer.
struct Fate {
  enum class Kind { arrives, lost, answer_lost, refused } kind = Kind::arrives;
  Duration extra{0};                            ///< more delay on the way up
  Duration extra_down{0};                       ///< more delay on the way down
  std::function<void(emulator::Reply&)> spoil;  ///< changes the answer after it got its Date
};

/// A request as the network saw it.
struct Seen {
  Instant at;  ///< when it left, by the local boot clock
  std::string method;
  std::string url;
  std::string authorization;  ///< in plain text: this is a test
  std::string body;
  int status = 0;  ///< 0 = no answer
  [[nodiscard]] bool token_request() const {
    return url.starts_with(kLoginUrl) && method == "POST";
  }
};

class VirtualProcess;

/// The emulator's login and API hosts, the network to them, and one machine, on one timeline. More
/// machines and processes can be added.
class Simulation {
 public:
  using Machine = virtual_time::Machine;

  explicit Simulation(emulator::CloudOptions options = {}, std::uint64_t seed = 1);
  ~Simulation();
  Simulation(const Simulation&) = delete;
  Simulation& operator=(const Simulation&) = delete;

  [[nodiscard]] virtual_time::Timeline& timeline() noexcept { return timeline_; }
  [[nodiscard]] Machine& machine() noexcept { return machine_; }
  /// The network as another process on the machine uses it.
  Transport& transport() noexcept;

  void run_for(Duration span) { timeline_.run_for(span); }
  /// Runs while `busy`, for at most `at_most`; false if it was still busy then.
  bool run_while(const std::function<bool()>& busy, Duration at_most) {
    return timeline_.run_while(busy, at_most);
  }
  [[nodiscard]] Now now() { return machine_.now(); }
  [[nodiscard]] Instant boot() { return machine_.now().boot; }

  // What can happen to the machine.
  void step_wall(Duration by) { machine_.step_wall(by); }
  void set_wall(WallTime at) { machine_.set_wall(at); }
  void suspend(Duration span) { pass(span, Machine::State::suspended); }
  void stand_still(Duration span) { pass(span, Machine::State::stopped); }

  emulator::CloudEmulator& servers() noexcept { return servers_; }
  /// True time, as the emulator's clocks take it.
  [[nodiscard]] Now server_now() const;
  Path up;
  Path down;
  /// Called for each request as it leaves; empty = all arrive.
  std::function<Fate(const HttpRequest&)> fate;

  [[nodiscard]] const std::vector<Seen>& seen() const noexcept { return seen_; }
  [[nodiscard]] std::size_t token_requests() const;
  [[nodiscard]] std::size_t rejections() const;  ///< 401s to requests that carried a token
  [[nodiscard]] std::size_t max_token_requests_at_once() const noexcept { return max_at_once_; }

 private:
  friend class VirtualProcess;

  void pass(Duration span, Machine::State state);
  Duration leg(const Path& path);

  virtual_time::Timeline timeline_;
  Machine machine_;
  emulator::CloudEmulator servers_;
  time::Jitter jitter_;
  std::vector<Seen> seen_;
  std::size_t at_once_ = 0;
  std::size_t max_at_once_ = 0;
  std::unique_ptr<VirtualProcess> another_;
};

/// A process with its connections to the hosts. Once killed, it sends nothing and gets no answers;
/// what it has sent already still arrives.
class VirtualProcess {
 public:
  explicit VirtualProcess(Simulation& simulation)
      : VirtualProcess(simulation, simulation.machine()) {}
  VirtualProcess(Simulation& simulation, virtual_time::Machine& machine);
  ~VirtualProcess();
  VirtualProcess(const VirtualProcess&) = delete;
  VirtualProcess& operator=(const VirtualProcess&) = delete;

  virtual_time::Process loop;
  /// Called for each request as it leaves: how it fails, or nothing.
  std::function<std::optional<TransportFailure::Kind>(const HttpRequest&)> breaks;
  std::vector<std::string> broken;  ///< the methods of the requests that failed this way

  Transport& transport() noexcept;
  /// Freezes the process for `span` of true time.
  void freeze_for(Duration span);
  /// What an engine in this process runs on.
  [[nodiscard]] engine::EngineDeps engine_deps(std::uint64_t seed = 1);

 private:
  class Net;
  Simulation& simulation_;
  std::shared_ptr<Net> net_;  // what is on its way knows it weakly
};

/// One client of ours in a process of its own.
class VirtualClient {
 public:
  explicit VirtualClient(Simulation& simulation, const ClientOptions& options = default_options(),
                         std::uint64_t seed = 1);
  static ClientOptions default_options();

  struct Outcome {
    std::optional<int> status;
    std::optional<Error> error;
    CallReport report;
    std::string body;
    Instant ended{};
  };
  using Pending = std::shared_ptr<std::optional<Outcome>>;
  /// Starts a call; the outcome is there when it has ended.
  Pending start(const Request& request);
  /// One call from start to end, at most an hour of virtual time.
  Outcome call(const Request& request);
  Outcome get(const std::string& path = "/api/v2/tokens/me", const std::string& method = "GET");
  Result<BearerToken> token(const TokenRequestOptions& options = {});

  std::vector<Rejection> rejections;
  std::vector<CallReport> resolved;
  std::vector<LogLine> log;
  bool throw_in_hooks = false;
  VirtualProcess process;

 private:
  Simulation& simulation_;
  ClientOptions options_;
  engine::Engine engine_;
};

}  // namespace skewguard::simulation
