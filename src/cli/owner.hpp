#pragma once

#include "cli/process_io.hpp"
#include "genesys/whoami.hpp"
#include "skewguard/report.hpp"

namespace skewguard::cli {

/// Asks until it is known who the token belongs to. `report` grows with every call.
Result<genesys::Owner> find_owner(Api& api, genesys::Whoami::TokenIs token, CallReport& report);

}  // namespace skewguard::cli
