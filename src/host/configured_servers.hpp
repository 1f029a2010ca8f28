#pragma once

#include <vector>

#include "host/time_service.hpp"

namespace skewguard::host {

/// The servers that a service's configuration files name, each once, in their order; those of
/// files that they include among them. Empty where there is no file or it may not be read.
std::vector<NtpServer> configured_servers(const Files& files, TimeServiceKind kind);

}  // namespace skewguard::host
