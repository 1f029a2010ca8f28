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

/// What this machine knows about its own clock.
struct HostReading {
  std::optional<system::KernelClock> kernel{};  ///< empty if it does not say: `no_kernel`
  std::string no_kernel;
  std::vector<system::TimeService> services;  ///< the running ones first
  system::MachineKind machine{};
  std::vector<system::ClockRemedy> remedies;  ///< in the order in which to try them
  /// The steps and suspends during the examination.
  clocks::LocalWatch watch{};

  /// The kernel's bound on the error of the wall clock, if it gives one.
  [[nodiscard]] std::optional<Duration> synchronized_within() const {
    if (!kernel || !kernel->synchronized) return std::nullopt;
    return kernel->max_error;
  }
};

/// Blocks until the time services answer: a few seconds at most. `path`: $PATH.
HostReading read_host(const Now& now, const std::string& path);

}  // namespace skewguard::doctor
