#pragma once

#include <string>

#include "skewguard/time.hpp"

namespace skewguard::emulator {

/// A scheduled control request.
struct Event {
  Duration at{0};      ///< true time since the start
  std::string order;   ///< the control path without /emulator/
  std::string fields;  ///< its body: one JSON object
};

}  // namespace skewguard::emulator
