#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "skewguard/export.hpp"
#include "skewguard/report.hpp"
#include "skewguard/time.hpp"
#include "skewguard/verdict.hpp"

namespace SKEWGUARD_API skewguard {

/// What a client knows now, and what it has done since it was started: Client::status(). Contains
/// no secret and no token.
struct ClientStatus {
  /// The token that may be sent now, without its value.
  struct Token {
    std::uint64_t generation = 0;  ///< Lease::generation
    /// Then it is not to be sent any more, by CLOCK_BOOTTIME. Of a given JWT as
    /// BearerToken::remaining has it; empty = not known: any other given token.
    std::optional<Duration> remaining{};
    bool accepted = false;  ///< the API has accepted it
  };
  std::optional<Token> token;  ///< empty = there is none
  /// If there is none: the time until there may be one, because the next one becomes valid then by
  /// the API's clock, or is not requested before. Empty = not known, for example while it is being
  /// requested.
  std::optional<Duration> next_token_in{};
  std::vector<ReportedClock> clocks;  ///< the login host's first, unless there is none
  /// How often each clock was seen to step. Servers by their origin (ReportedClock::server);
  /// "wall": this machine's wall clock; "boot": its CLOCK_BOOTTIME, which stood still with the
  /// machine (a VM that was stopped or restored).
  std::map<std::string, std::uint64_t> clock_steps;
  /// Token requests that have ended, by verdict; `ok`: with a token.
  std::map<Verdict, std::uint64_t> token_requests;
  std::optional<Verdict> last_token_request;  ///< of the latest of them; empty = none has ended
};

}  // namespace skewguard
