#pragma once

#include <functional>
#include <optional>

#include "clocks/local_watch.hpp"
#include "oauth/token_machine.hpp"
#include "runtime/belief.hpp"
#include "runtime/core.hpp"

namespace skewguard::runtime {

/// Reads the clocks off every answer, and tells the tokens what follows for them. Part of an
/// engine: on the control loop alone.
class ClockWatch {
 public:
  /// `tell_tokens` gets what was learned; `fetching`: a token request is under way, whose answer
  /// will show the login host's clock anyway.
  ClockWatch(Core& core, std::function<void(const oauth::TokenEvent&)> tell_tokens,
             std::function<bool()> fetching);

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

  Core& core_;
  std::function<void(const oauth::TokenEvent&)> tell_tokens_;
  std::function<bool()> fetching_;
  std::optional<std::uint64_t> marker_;  // of the hypervisor, as last seen
  std::optional<Instant> confirmed_;     // when the login host was last asked to bear a jump out
  std::optional<Instant> login_jumped_;  // the receipt of its last answer off all that was known
  Belief lag_;                           // of the API behind the issuer
  Belief lead_;                          // of the API ahead of the issuer
  /// The issuer's clock minus the API's by the newest answer of either alone.
  std::optional<OffsetBound> issuer_ahead_;
  clocks::LocalWatch local_;  // this machine
};

}  // namespace skewguard::runtime
