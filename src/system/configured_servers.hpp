#pragma once

#include <vector>

#include "system/time_service.hpp"

namespace skewguard::system {

/// The servers in a service's configuration files and the files that these include, each once, in
/// order. Empty if there is no readable file.
std::vector<NtpServer> configured_servers(const Files& files, TimeServiceKind kind);

}  // namespace skewguard::system
