#pragma once

#include "proxy/options.hpp"
#include "skewguard/result.hpp"

namespace skewguard::proxy {

/// Asks the sidecar there whether it is ready. Blocks for 5 s at most. The error says why it is
/// not.
Result<void> check_ready(const ListenAddress& address);

}  // namespace skewguard::proxy
