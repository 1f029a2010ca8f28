#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "clocks/local_watch.hpp"
#include "host/clock_remedy.hpp"
#include "host/kernel_clock.hpp"
#include "host/machine_kind.hpp"
#include "host/time_service.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::doctor {

/// What this machine says of its own clock.
struct HostReading {
  std::optional<host::KernelClock> kernel{};  ///< nothing where it does not say: `no_kernel`
  std::string no_kernel;
  std::vector<host::TimeService> services;  ///< the running ones first
  host::MachineKind machine{};
  std::vector<host::ClockRemedy> remedies;  ///< in the order in which to try them
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
