#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "emulator/world.hpp"
#include "runtime/engine.hpp"
#include "skewguard/executor.hpp"
#include "skewguard/transport.hpp"
#include "time/backoff.hpp"

namespace skewguard::simulation {

inline constexpr const char* kLoginUrl = "https://login.test";
inline constexpr const char* kApiUrl = "https://api.test";

/// One direction of the network path: `least` plus an exponential tail of mean `jitter`.
struct Path {
  Duration least = std::chrono::milliseconds{10};
  Duration jitter{0};
};

/// What a request meets on its way, beside the emulator's own answer.
struct Fate {
  enum class Kind { arrives, lost, answer_lost, refused } kind = Kind::arrives;
  Duration extra{0};                            ///< more delay on the way up
  std::function<void(emulator::Reply&)> spoil;  ///< changes the answer after it was stamped
};

/// A request as the network saw it.
struct Seen {
  Instant at;  ///< when it left, by the local boot clock
  std::string method;
  std::string url;
  std::string authorization;  ///< in the open: this is a test
  std::string body;
  int status = 0;  ///< 0 = no answer
  [[nodiscard]] bool token_request() const {
    return url.starts_with(kLoginUrl) && method == "POST";
  }
};

/// The whole world in one thread on virtual time: one machine with its clocks, the two hosts of the
/// emulator, and the network between them. Wall, boot, raw and true time move independently.
class VirtualWorld final : public Executor, public ClockSource, public DisruptionSource {
 public:
  explicit VirtualWorld(emulator::WorldOptions options = {}, std::uint64_t seed = 1);
  ~VirtualWorld() override;
  VirtualWorld(const VirtualWorld&) = delete;
  VirtualWorld& operator=(const VirtualWorld&) = delete;

  void post(std::function<void()> function) override;
  Timer call_at(Instant at, std::function<void()> function) override;
  void cancel(Timer timer) override;
  Now now() override;
  Transport& transport() noexcept;

  void run_for(Duration span);  ///< of true time
  /// Runs while `busy`, at most for `at_most`; false where it still was.
  bool run_while(const std::function<bool()>& busy, Duration at_most);
  [[nodiscard]] Instant boot() const noexcept { return boot_; }

  // What can happen to the machine.
  void step_wall(Duration by) { wall_ += by; }
  void set_wall(WallTime at) { wall_ = at; }
  /// Boot and wall time run on; CLOCK_MONOTONIC, RAW and all timers stand still.
  void suspend(Duration span);
  /// The hypervisor stops the machine: the servers' clocks run on, no local one does.
  void stand_still(Duration span);
  /// What a hypervisor that tells of such stops shows; absent = it does not.
  std::optional<std::uint64_t> vm_marker;
  std::optional<std::uint64_t> marker() override { return vm_marker; }
  double slew_ppm = 0;     ///< of MONOTONIC, BOOTTIME and the wall clock against true time
  double crystal_ppm = 0;  ///< of RAW against true time

  emulator::World& servers() noexcept { return servers_; }
  /// True time, as the emulator's clocks take it.
  [[nodiscard]] Now server_now() const;
  Path up;
  Path down;
  /// Asked for each request as it leaves; empty = all arrive.
  std::function<Fate(const HttpRequest&)> fate;

  [[nodiscard]] const std::vector<Seen>& seen() const noexcept { return seen_; }
  [[nodiscard]] std::size_t token_requests() const;
  [[nodiscard]] std::size_t rejections() const;  ///< 401s to requests that carried a token
  [[nodiscard]] std::size_t most_token_requests_at_once() const noexcept { return most_at_once_; }

 private:
  class Net;
  using Key = std::pair<Duration, std::uint64_t>;  // true time, order

  Key schedule(Duration at, std::function<void()> function);
  bool run_next(Duration limit);
  void advance_to(Duration at);
  void skip(Duration span);
  Duration leg(const Path& path);

  Duration true_{0};  // since the start
  Instant boot_{std::chrono::hours{1}};
  MonotonicTime mono_{std::chrono::hours{1}};
  RawTime raw_{std::chrono::minutes{59}};
  WallTime wall_;
  emulator::World servers_;
  time::Jitter jitter_;
  std::map<Key, std::function<void()>> due_;
  std::map<Timer, Key> timers_;
  std::uint64_t last_ = 0;
  std::vector<Seen> seen_;
  std::size_t at_once_ = 0;
  std::size_t most_at_once_ = 0;
  std::unique_ptr<Net> net_;
};

/// One client of ours in the virtual world.
class VirtualClient {
 public:
  explicit VirtualClient(VirtualWorld& world, ClientOptions options = default_options(),
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
  Outcome get(const std::string& path = "/api/v2/tokens/me");
  Result<BearerToken> token(const TokenRequestOptions& options = {});

  std::vector<Rejection> rejections;
  std::vector<CallReport> resolved;
  std::vector<LogLine> log;
  bool throw_in_hooks = false;

 private:
  VirtualWorld& world_;
  ClientOptions options_;
  runtime::Engine engine_;
};

}  // namespace skewguard::simulation
