#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/options.hpp"
#include "emulator/world.hpp"
#include "skewguard/result.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::emulator {

/// What befalls the client's own machine. The emulator itself takes no part in it.
struct LocalEvent {
  Duration at{0};                       ///< true time since the start
  std::optional<Duration> wall_step{};  ///< the local wall clock jumps by so much
  std::optional<Duration> suspend{};    ///< CLOCK_BOOTTIME and the wall clock run on, no timer does
  std::optional<Duration> stand_still{};  ///< no local clock runs on: the hypervisor stopped it
};

/// [client]: how a driver calls. The emulator itself takes no part in it.
struct ScenarioClient {
  std::uint64_t calls = 10;                  ///< of each caller
  Duration every = std::chrono::seconds{1};  ///< from the begin of one call to that of the next
  Duration wall_offset{0};                   ///< local wall clock minus true time
  std::size_t callers = 1;                   ///< that call at once
};

/// [expect]: what a client that does all right comes to; what is absent is not judged.
struct ScenarioExpect {
  std::optional<std::vector<Verdict>> verdicts{};  ///< besides `ok`: those of the reports
  std::optional<std::uint64_t> failures{};         ///< calls that ended with an error
  std::optional<std::uint64_t> most_token_requests{};
  std::optional<int> exit_code{};  ///< of the worst call (docs/contract.md section 3)
};

/// A run over time, as a scenario file (TOML) tells it: docs/guide/emulator.md.
struct Scenario {
  std::string id;     ///< "C3": of a row of the scenario table
  std::string title;  ///< a few words
  std::string about;  ///< one sentence: what goes wrong
  Options servers;    ///< [servers]
  /// [[event]]s for the emulator, in the order of their times: for Options::events, or for who has
  /// a clock of his own, World::handle_control.
  std::vector<Event> events;
  std::vector<LocalEvent> locals;  ///< [[event]]s of order "local", likewise
  ScenarioClient client;
  ScenarioExpect expect;
};

/// Reads a scenario and tries every event on a world that nobody asks anything. Errors are of kind
/// `config` and name `file` with the line, and the key.
Result<Scenario> parse_scenario(std::string_view toml, const std::string& file);
/// The same of a file on disk.
Result<Scenario> load_scenario(const std::string& path);

}  // namespace skewguard::emulator
