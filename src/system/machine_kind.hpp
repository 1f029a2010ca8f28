#pragma once

#include <string>
#include <vector>

#include "skewguard/time.hpp"
#include "system/files.hpp"

namespace skewguard::system {

/// What kind of machine this is, as far as it matters for its clock. An empty name: no sign of that
/// kind was found.
struct MachineKind {
  std::string container;  ///< "docker", "kubernetes" ...: the clock is the host's, and set there
  std::string vm;         ///< "KVM", "VMware" ...: it can be stopped and restored with its clocks
  bool wsl = false;       ///< Windows Subsystem for Linux
  std::string clock_source;              ///< what the kernel counts ("tsc", "kvm-clock", "hpet")
  std::vector<std::string> host_clocks;  ///< "/dev/ptp0", "/dev/vmclock0": time from below
  /// How long it has been suspended since boot (>= 0); less than `now.gap` means never.
  Duration suspended{0};
};

/// `now`: a reading of this machine's clocks.
MachineKind machine_kind(const Files& files, const Now& now);

}  // namespace skewguard::system
