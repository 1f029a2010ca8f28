#pragma once

#include <vector>

#include "skewguard/client.hpp"
#include "skewguard/result.hpp"

namespace skewguard::runtime {

/// Validates what only a person can correct: URLs, identity, limits. Error: `config`.
Result<void> check_options(const ClientOptions& options);
/// Secrets that are to replace a client's. Error (`config`): there is none, or one that cannot be
/// sent.
Result<void> check_new_secrets(const std::vector<Secret>& secrets);

}  // namespace skewguard::runtime
