#pragma once

#include <chrono>

namespace skewguard {

/// Anything that has not ended by then hangs. No test may fail because the machine is busy, so this
/// is far longer than anything takes.
inline constexpr std::chrono::seconds kHung{300};

}  // namespace skewguard
