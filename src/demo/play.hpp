#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "emulator/scenario.hpp"
#include "emulator/stats.hpp"
#include "skewguard/report.hpp"
#include "skewguard/result.hpp"
#include "skewguard/transport.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::demo {

/// One thing that happened, for the story.
struct Moment {
  Duration at{0};  ///< true time since the start
  std::string text;
};

/// A failed or missing answer as our client judged it, beside what the server itself knows of it.
struct Judged {
  ReportedAttempt attempt;
  std::optional<emulator::RequestRecord> truth;  ///< absent where no whole answer arrived
};

/// How one client fared.
struct Side {
  std::uint64_t calls = 0;
  std::uint64_t failures = 0;                 ///< that reached the caller: no answer, or not 2xx
  std::uint64_t token_requests = 0;           ///< as the login host counted them
  std::uint64_t rejections = 0;               ///< 401s of the API host
  std::string said;                           ///< the first thing it had to say; empty = nothing
  std::map<Verdict, std::uint64_t> verdicts;  ///< of our calls, without `ok`
  std::set<int> exit_codes;                   ///< of our calls (docs/contract.md section 3)
  std::vector<Judged> judged;                 ///< of our calls
  std::vector<Moment> story;
};

/// A scenario played to its end by both clients, each with servers of its own.
struct Played {
  Side naive;
  Side guarded;
};

/// Calls ended so far, of both clients; read from anywhere.
using Progress = std::atomic<std::uint64_t>;

/// Plays one scenario in real time: two emulators on loopback ports, the naive client beside ours.
/// Blocks until both have made their calls. Error: the emulator could not start.
Result<Played> play(const emulator::Scenario& scenario, const std::shared_ptr<ClockSource>& system,
                    Progress& progress);

}  // namespace skewguard::demo
