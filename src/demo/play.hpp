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

/// An event in the story.
struct Moment {
  Duration at{0};  ///< true time since the start
  std::string text;
};

/// A failed or missing answer as our client judged it, and what the server itself knows about it.
struct Judged {
  ReportedAttempt attempt;
  std::optional<emulator::RequestRecord> truth;  ///< absent if no whole answer arrived
};

/// The result of one client.
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

/// A scenario played to the end by both clients, each with its own servers.
struct Played {
  Side naive;
  Side guarded;
};

/// The number of calls that have ended, of both clients; may be read on any thread.
using Progress = std::atomic<std::uint64_t>;

/// Plays a scenario in real time with two emulators on loopback ports, for the naive client and for
/// ours. Blocks until both have made their calls. Error: the emulator could not start.
Result<Played> play(const emulator::Scenario& scenario, const std::shared_ptr<ClockSource>& system,
                    Progress& progress);

}  // namespace skewguard::demo
