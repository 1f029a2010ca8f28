#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "base/log.hpp"
#include "clocks/local_watch.hpp"
#include "engine/belief.hpp"
#include "engine/host_clocks.hpp"
#include "engine/sender.hpp"
#include "oauth/token_machine.hpp"

namespace skewguard::engine {

/// Learns about the clocks from every answer, and reports the consequences to the token machine.
/// For the control loop, within turns.
class ClockWatch {
 public:
  /// Its dependencies; all must outlive it.
  struct Uses {
    HostClocks& clocks;
    Sender& sender;
    const Log& log;
    DisruptionSource* disruptions = nullptr;  ///< null = nobody tells
    std::function<void(const oauth::TokenEvent&)> tell_tokens;
    /// Whether a token request is in progress: its answer will show the login host's clock anyway.
    std::function<bool()> fetching;
  };
  explicit ClockWatch(Uses uses);

  void observe(ServerId server, const clocks::Answer& answer);
  /// The same for an answer whose Date was read elsewhere.
  void observe(ServerId server, const time::DateSample& sample);
  /// A call or another process has learned this: it holds as long as the Dates allow it. Returns
  /// what to report to the token machine instead.
  [[nodiscard]] oauth::TokenEvent learned(const oauth::TokenEvent& fact);

  /// How often this machine's wall clock was seen to step.
  [[nodiscard]] std::uint64_t wall_steps() const noexcept { return local_.wall_steps(); }
  /// How often this machine stood still, and its boot clock with it.
  [[nodiscard]] std::uint64_t standstills() const noexcept { return standstills_; }

  /// Whether the hypervisor reports that the machine was stopped or restored since the last check.
  bool disrupted();
  /// The login host's Date will show whether the tokens are still valid; `then` runs after that.
  void check_after_disruption(std::function<void()> then);

 private:
  void look_at_wall(const Now& now);
  void confirm_jump();
  void compare(ServerId server, const time::DateSample& sample);
  void unlearn();
  [[nodiscard]] std::string known(ServerId server) const;

  Uses uses_;
  std::optional<std::uint64_t> marker_;  // of the hypervisor, as last seen
  std::optional<Instant> confirmed_;     // when the login host was last asked to bear a jump out
  std::optional<Instant> login_jumped_;  // the receipt of its last answer off all that was known
  Belief lag_;                           // of the API behind the issuer
  Belief lead_;                          // of the API ahead of the issuer
  /// The issuer's clock minus the API's, from only the newest answer of each.
  std::optional<OffsetBound> issuer_ahead_;
  clocks::LocalWatch local_;  // this machine
  std::uint64_t standstills_ = 0;
};

}  // namespace skewguard::engine
