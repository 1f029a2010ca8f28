#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "system/machine_kind.hpp"
#include "system/time_service.hpp"

namespace skewguard::system {

/// What to do about a wrong clock.
struct ClockRemedy {
  std::string command;  ///< to be run as root on this machine; empty: nothing here mends it
  std::string why;      ///< one sentence: what the command does, or where else to look
};

/// In the order in which to try them; never empty. `path`: see TimeServiceOptions.
std::vector<ClockRemedy> clock_remedies(const std::vector<TimeService>& services,
                                        const MachineKind& kind, const Files& files,
                                        std::string_view path = "");

}  // namespace skewguard::system
