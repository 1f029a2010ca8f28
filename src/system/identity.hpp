#pragma once

#include <optional>
#include <string>

namespace skewguard::system {

/// Names this run of the kernel: a UUID that is new after each boot. Two processes that see the
/// same one *and* the same time namespace share CLOCK_BOOTTIME. Nothing where /proc is missing.
std::optional<std::string> boot_id();

/// Names the time namespace of this process, which may shift CLOCK_BOOTTIME under the same boot id:
/// "time:[4026531834]+7200.0". Nothing on kernels without such (before 5.6), or where /proc
/// is missing.
std::optional<std::string> time_namespace();

}  // namespace skewguard::system
