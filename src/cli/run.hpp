#pragma once

#include <string>
#include <vector>

#include "cli/process_io.hpp"

namespace skewguard::cli {

/// Runs the command given by `words` (the arguments after the program's name), and returns its exit
/// code (docs/contract.md section 3).
int run(std::vector<std::string> words, const ProcessIo& process);

}  // namespace skewguard::cli
