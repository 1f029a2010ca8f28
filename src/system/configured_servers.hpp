#pragma once

#include <vector>

#include "system/time_service.hpp"

namespace skewguard::system {

/// The servers that a service's configuration files name, each once, in their order; those of
/// files that they include among them. Empty where there is no file or it may not be read.
std::vector<NtpServer> configured_servers(const Files& files, TimeServiceKind kind);

}  // namespace skewguard::system
