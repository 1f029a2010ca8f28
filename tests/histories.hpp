#pragma once

#include <cstdint>
#include <cstdlib>

namespace skewguard {

/// How many random histories a test draws that usually draws `usual`: ten times as many where
/// SKEWGUARD_LONG is set, as `./check full` does.
inline std::uint64_t histories(std::uint64_t usual) {
  return std::getenv("SKEWGUARD_LONG") != nullptr ? 10 * usual : usual;
}

}  // namespace skewguard
