#pragma once

#include <cstdint>
#include <cstdlib>

namespace skewguard {

/// The number of random histories of a test: `usual`, or ten times as many if SKEWGUARD_LONG is
/// set, as `./check full` does.
inline std::uint64_t histories(std::uint64_t usual) {
  return std::getenv("SKEWGUARD_LONG") != nullptr ? 10 * usual : usual;
}

}  // namespace skewguard
