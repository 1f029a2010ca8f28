#pragma once

#include <string>

#include "skewguard/client.hpp"

namespace skewguard::store {

/// What a stored token belongs to: login URL, token path, parameters, client id and a digest of the
/// secret (SHA-256), never the secret itself. Lower-case hex, 64 characters; fit for a file name.
std::string key_of(const ClientOptions& options);

}  // namespace skewguard::store
