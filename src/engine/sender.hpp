#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/log.hpp"
#include "clocks/answer.hpp"
#include "engine/host_clocks.hpp"
#include "engine/loop.hpp"
#include "engine/true_time_cache.hpp"
#include "oauth/dialect.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::engine {

/// Sends an engine's requests and receives the answers: each is logged, decoded and observed before
/// anyone else sees it. The failure of a certificate because of its dates is held back until the
/// time is known. For the control loop.
class Sender {
 public:
  using Handler = std::function<void(clocks::AnswerResult)>;
  /// Gets every answer of a server first.
  using Observer = std::function<void(ServerId, const clocks::Answer&)>;
  /// Its dependencies; all must outlive it.
  struct Uses {
    Loop& loop;
    Transport& transport;
    const HostClocks& clocks;
    const Log& log;
    const oauth::Dialect& dialect;
    Referee* referee = nullptr;  ///< null = nobody is asked what time it is
    std::string token_url;
    Observer observe;
  };
  explicit Sender(Uses uses);

  /// `handler` runs within a turn, or never if the loop is gone by then. `wanted`: when somebody
  /// waits no longer; what time it is, is asked for some seconds at most and never until then.
  Transport::Ticket send(HttpRequest request, const SendOptions& with, ServerId server,
                         Instant wanted, Handler handler);
  void cancel(Transport::Ticket ticket) { uses_.transport.cancel(ticket); }
  /// The same for an answer that comes another way. Call what this returns once, on any thread.
  Transport::Handler outside(ServerId server, Instant wanted, Handler handler);
  /// Asks the login host for an answer without credentials: it shows what time it is there.
  void look_at_login(Instant deadline, Handler then);
  [[nodiscard]] const std::string& token_url() const noexcept { return uses_.token_url; }

 private:
  void receive(ServerId server, Instant wanted, clocks::AnswerResult result, Handler handler);
  void ask_for_time(ServerId server, Instant wanted, const TransportFailure& failure,
                    const Handler& handler);
  void hand_on(ServerId server, clocks::AnswerResult result, const Handler& handler);
  [[nodiscard]] std::optional<TimeReport> time_by_other(ServerId server) const;

  Uses uses_;
  std::optional<TrueTimeCache> time_;
};

}  // namespace skewguard::engine
