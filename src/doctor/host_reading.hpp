#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "clocks/local_watch.hpp"
#include "skewguard/transport.hpp"
#include "system/clock_remedy.hpp"
#include "system/kernel_clock.hpp"
#include "system/machine_kind.hpp"
#include "system/time_service.hpp"

namespace skewguard::doctor {

/// What this machine says of its own clock.
struct HostReading {
  std::optional<system::KernelClock> kernel{};  ///< nothing where it does not say: `no_kernel`
  std::string no_kernel;
  std::vector<system::TimeService> services;  ///< the running ones first
  system::MachineKind machine{};
  std::vector<system::ClockRemedy> remedies;  ///< in the order in which to try them
  /// While it was looked at.
  clocks::LocalWatch watch{};

  /// The kernel's claim, where it makes one: the wall clock is off by no more than this.
  [[nodiscard]] std::optional<Duration> synchronised_within() const {
    if (!kernel || !kernel->synchronised) return std::nullopt;
    return kernel->max_error;
  }
};

/// Blocks for as long as the time services take to answer: some seconds at most. `path`: $PATH.
HostReading read_host(const Now& now, const std::string& path);

}  // namespace skewguard::doctor
