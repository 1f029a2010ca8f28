#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "emulator/cloud_emulator.hpp"
#include "emulator/options.hpp"
#include "skewguard/result.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::emulator {

/// An event on the client's machine. The emulator itself ignores it.
struct LocalEvent {
  Duration at{0};                       ///< true time since the start
  std::optional<Duration> wall_step{};  ///< the local wall clock jumps by so much
  std::optional<Duration> suspend{};    ///< CLOCK_BOOTTIME and the wall clock run on, no timer does
  std::optional<Duration> stand_still{};  ///< no local clock runs on: the hypervisor stopped it
};

/// [client]: how the driver makes calls. The emulator itself ignores it.
struct ScenarioClient {
  std::uint64_t calls = 10;                  ///< of each caller
  Duration every = std::chrono::seconds{1};  ///< from the begin of one call to that of the next
  Duration wall_offset{0};                   ///< local wall clock minus true time
  std::size_t callers = 1;                   ///< that call at once
};

/// [expect]: what a perfect client achieves; absent fields are not checked.
struct ScenarioExpect {
  std::optional<std::vector<Verdict>> verdicts{};  ///< besides `ok`: those of the reports
  std::optional<std::uint64_t> failures{};         ///< calls that ended with an error
  std::optional<std::uint64_t> most_token_requests{};
  std::optional<int> exit_code{};  ///< of the worst call (docs/contract.md section 3)
};

/// A scenario file (TOML): docs/guide/emulator.md.
struct Scenario {
  std::string id;     ///< "C3": of a row of the scenario table
  std::string title;  ///< a few words
  std::string about;  ///< one sentence: what goes wrong
  Options servers;    ///< [servers]
  /// [[event]]s for the emulator, ordered by time: for Options::events, or, if the caller has its
  /// own clock, for CloudEmulator::handle_control.
  std::vector<Event> events;
  std::vector<LocalEvent> locals;  ///< [[event]]s of order "local", likewise
  ScenarioClient client;
  ScenarioExpect expect;
};

/// Parses a scenario and tries every event on an unused emulator. Errors are of kind `config` and
/// name `file`, the line and the key.
Result<Scenario> parse_scenario(std::string_view toml, const std::string& file);
/// The same for a file on disk.
Result<Scenario> load_scenario(const std::string& path);

}  // namespace skewguard::emulator
