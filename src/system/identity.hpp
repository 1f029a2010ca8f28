#pragma once

#include <optional>
#include <string>

namespace skewguard::system {

/// Identifies this boot: a UUID that is new after each boot. Two processes that see the same one
/// *and* the same time namespace share CLOCK_BOOTTIME. Nothing where /proc is missing.
std::optional<std::string> boot_id();

/// Names the time namespace of this process, which may shift CLOCK_BOOTTIME under the same boot id:
/// "time:[4026531834]+7200.0". Empty on kernels without time namespaces (before 5.6), or if /proc
/// is missing.
std::optional<std::string> time_namespace();

}  // namespace skewguard::system
