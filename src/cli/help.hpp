#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/command_line.hpp"

namespace skewguard::cli {

/// The help topics besides the commands.
std::vector<std::string> help_topics();

/// Wrapped to `width` columns, at most 80.
std::string help_text(const HelpArguments& about, std::size_t width);

}  // namespace skewguard::cli
