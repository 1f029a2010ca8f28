#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "cli/command_line.hpp"

namespace skewguard::cli {

/// What `help` knows beside the commands.
std::vector<std::string> help_topics();

/// Laid out for `width` columns, but never wider than 80.
std::string help_text(const HelpArguments& about, std::size_t width);

}  // namespace skewguard::cli
