#pragma once

#include <vector>

#include "emulator/scenario.hpp"
#include "skewguard/result.hpp"

namespace skewguard::demo {

/// The scenarios that `skewguard demo` shows, in the order of their rows: the files of scenarios/,
/// embedded when this was built.
Result<std::vector<emulator::Scenario>> catalog();

}  // namespace skewguard::demo
