#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/clients.hpp"
#include "emulator/event.hpp"
#include "emulator/fault.hpp"
#include "emulator/message.hpp"
#include "emulator/mint.hpp"
#include "emulator/rate_window.hpp"
#include "emulator/skewed_clock.hpp"
#include "emulator/stats.hpp"
#include "emulator/token_rules.hpp"
#include "emulator/tokens.hpp"

namespace skewguard::emulator {

struct Visit;

/// Which API backend answers.
enum class BackendChoice {
  per_request,     ///< one after the other, request by request
  per_connection,  ///< one after the other, connection by connection
};

std::string_view to_string(BackendChoice choice) noexcept;  ///< "request", "connection"

/// Time on the wire. `up` passes before the host reads the request, so that everything is judged
/// and dated after it; `down` passes after the answer got its Date.
struct Delays {
  Duration up{0};
  Duration down{0};
};

/// Settings that may change while the emulator runs.
struct Settings {
  TokenFormat token = TokenFormat::opaque;
  Duration lifetime = std::chrono::hours{24};  ///< the platform's default (docs/platform.md 1.5)
  TokenRules token_rules{};
  RateLimit login_limit{};  ///< of each client's token requests
  RateLimit api_limit{};    ///< of each token's requests; kApiAllowed if it has no number
  Duration nbf_offset{0};   ///< `nbf` minus `iat` of new tokens; negative = `nbf` is earlier
  bool strict_nbf = false;  ///< the API host refuses tokens before their `nbf` by its clock
  bool strict_iat = false;  ///< likewise before their `iat`
  BackendChoice choice = BackendChoice::per_request;
  std::optional<std::size_t> pinned_backend{};  ///< answers everything, whatever `choice` says
  Delays login_delays{};
  Delays api_delays{};
  /// Paths of the API host that need a permission, with its name.
  std::map<std::string, std::string> required_permissions{
      {"/api/v2/authorization/roles", "authorization:role:view"}};
  std::string organization = "Emulated Organization";
  std::size_t users = 60;                                 ///< that /api/v2/users lists
  std::string issuer = "https://login.emulator.invalid";  ///< `iss` of JWTs: the login host's URL
};

/// The default for `inin-ratelimit-allowed` (docs/platform.md 4).
constexpr std::uint64_t kApiAllowed = 300;

/// The last token that was issued to a client.
struct LastToken {
  std::uint64_t n = 0;
  Secret value;
  Duration lifetime{0};
};

/// The other program that shares a client: the number of its token, 0 = none yet.
using Rivals = std::map<std::string, std::uint64_t>;

struct CloudOptions {
  ClockOptions login_clock{};
  std::vector<ClockOptions> api_clocks{ClockOptions{}};  ///< one for each backend; at least one
  std::vector<Client> clients{};                         ///< none = demo:demo-secret
  std::vector<Event> events{};                           ///< control requests to come
  Settings settings{};
};

/// A small Genesys Cloud: one login host, one API host with one or more backends, and the clocks of
/// each. Pure: it uses no socket, thread or clock; every time comes in as `now`, and its behavior
/// depends only on its options, its seed and the requests. Not thread-safe.
///
/// A request is handled when it arrives, that is, `delays(host).up` after it was sent. Its answer
/// gets its Date then, and reaches the client `delays(host).down` later.
class CloudEmulator {
 public:
  static constexpr std::size_t kMaxBackends = 100;
  static constexpr Duration kMinRival = std::chrono::milliseconds{10};

  CloudEmulator(CloudOptions options, const Now& start, std::uint64_t seed);

  /// Handles a request to the login host, except for the control API.
  Reply handle_login(const ServerRequest& request, const Now& now);
  /// Handles a request to the API host; the backend is chosen by the settings, or passed in.
  Reply handle_api(const ServerRequest& request, const Now& now);
  Reply handle_api(const ServerRequest& request, const Now& now, std::size_t backend);
  /// The control API under /emulator/ (docs/guide/emulator.md).
  Reply handle_control(const ServerRequest& request, const Now& now);
  /// After how many bytes of its body this request is answered, if a fault says so.
  [[nodiscard]] std::optional<std::uint64_t> early(Host host, std::string_view target) const;
  /// How the connection ends now that `bytes` of a request to the API host have come, if a fault
  /// says so.
  std::optional<Delivery::Kind> take_cut(std::uint64_t bytes);
  /// Answers a request that could not be read: 400, 408, 413, 431.
  Reply refuse(Host host, int status, const Now& now);

  /// Performs everything that was due by now: events and the actions of rivals. The handle_
  /// functions call it themselves; call it before using anything else. A `now` that goes back does
  /// nothing.
  void advance(const Now& now);

  [[nodiscard]] static bool is_control(const ServerRequest& request);
  [[nodiscard]] const Delays& delays(Host host) const noexcept;

  [[nodiscard]] Settings& settings() noexcept { return settings_; }
  [[nodiscard]] SkewedClock& login_clock() noexcept { return login_clock_; }
  /// One for each backend, never empty.
  [[nodiscard]] std::vector<SkewedClock>& api_clocks() noexcept { return api_clocks_; }
  /// False if there are kMaxBackends already.
  bool add_backend(const ClockOptions& options, const Now& now);
  [[nodiscard]] ClientTable& clients() noexcept { return clients_; }
  [[nodiscard]] TokenTable& tokens() noexcept { return tokens_; }
  [[nodiscard]] Mint& mint() noexcept { return mint_; }
  [[nodiscard]] Stats& stats() noexcept { return stats_; }
  [[nodiscard]] FaultTable& faults() noexcept { return faults_; }
  [[nodiscard]] const FaultTable& faults() const noexcept { return faults_; }
  /// Adds a fault from now on. False if there are FaultTable::kMaxFaults already.
  bool add_fault(Fault fault, const Now& now);
  void set_token_rules(TokenRules rules, const Now& now);
  /// By client; only those that have requested one.
  [[nodiscard]] std::map<std::string, LastToken>& last_tokens() noexcept { return last_tokens_; }
  /// Token requests of each client.
  [[nodiscard]] std::map<std::string, RateWindow>& login_windows() noexcept { return windows_; }
  void schedule(std::vector<Event> events);  ///< in any order of time
  [[nodiscard]] std::size_t events_to_come() const noexcept { return events_.size(); }
  /// Events whose control request was refused: "at 20 s: clock: field 'host': ...".
  [[nodiscard]] const std::vector<std::string>& refused_events() const noexcept { return refused_; }
  /// True time (not any host's) since the start.
  [[nodiscard]] Duration age(const Now& now) const noexcept { return now.boot - start_.boot; }

 private:
  std::size_t pick_backend(const ServerRequest& request);
  Reply answer(const Visit& visit, const SkewedClock& clock);
  Reply finish(const Visit& visit, Reply reply, const Effect& effect, const SkewedClock& clock);
  void apply(const Event& event, const Now& now);
  void let_rivals_act(Duration age);
  [[nodiscard]] Now then(Duration age) const;

  Now start_;
  Settings settings_;
  SkewedClock login_clock_;
  std::vector<SkewedClock> api_clocks_;
  ClientTable clients_;
  TokenTable tokens_;
  Mint mint_;
  Stats stats_;
  std::uint64_t api_turn_ = 0;
  FaultTable faults_;
  std::map<std::string, LastToken> last_tokens_;
  std::map<std::string, RateWindow> windows_;
  std::deque<Event> events_;  // by time
  std::vector<std::string> refused_;
  Rivals rivals_;
  Duration next_rival_{0};
};

}  // namespace skewguard::emulator
