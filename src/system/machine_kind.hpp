#pragma once

#include <string>
#include <vector>

#include "skewguard/time.hpp"
#include "system/files.hpp"

namespace skewguard::system {

/// What this machine is, as far as it matters to its clock. Names are as people know them; an
/// empty one: nothing of the kind was seen.
struct MachineKind {
  std::string container;  ///< "docker", "kubernetes" ...: the clock is the host's, and set there
  std::string vm;         ///< "KVM", "VMware" ...: it can be stopped and restored with its clocks
  bool wsl = false;       ///< Windows Subsystem for Linux
  std::string clock_source;              ///< what the kernel counts ("tsc", "kvm-clock", "hpet")
  std::vector<std::string> host_clocks;  ///< "/dev/ptp0", "/dev/vmclock0": time from below
  /// How long it was suspended since its start (>= 0); with less than `now.gap` it was not.
  Duration suspended{0};
};

/// `now`: a reading of this machine's clocks.
MachineKind machine_kind(const Files& files, const Now& now);

}  // namespace skewguard::system
