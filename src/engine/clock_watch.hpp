#pragma once

#include <functional>
#include <optional>

#include "base/log.hpp"
#include "clocks/local_watch.hpp"
#include "engine/belief.hpp"
#include "engine/host_clocks.hpp"
#include "engine/sender.hpp"
#include "oauth/token_machine.hpp"

namespace skewguard::engine {

/// Reads the clocks off every answer, and tells the tokens what follows for them. For the control
/// loop, within turns.
class ClockWatch {
 public:
  /// What it works with; all must outlive it.
  struct Uses {
    HostClocks& clocks;
    Sender& sender;
    const Log& log;
    DisruptionSource* disruptions = nullptr;  ///< null = nobody tells
    std::function<void(const oauth::TokenEvent&)> tell_tokens;
    /// Whether a token request is under way: its answer will show the login host's clock anyway.
    std::function<bool()> fetching;
  };
  explicit ClockWatch(Uses uses);

  void observe(ServerId server, const clocks::Answer& answer);
  /// A call, or another process, has learned this: it holds for as long as the Dates allow it. What
  /// the tokens are to be told in its place.
  [[nodiscard]] oauth::TokenEvent learned(const oauth::TokenEvent& fact);

  /// The hypervisor tells that the machine was stopped or restored since the last look.
  bool disrupted();
  /// Whether the tokens have outlived that, the login host's Date tells; `then` runs once it has.
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
  /// The issuer's clock minus the API's by the newest answer of either alone.
  std::optional<OffsetBound> issuer_ahead_;
  clocks::LocalWatch local_;  // this machine
};

}  // namespace skewguard::engine
