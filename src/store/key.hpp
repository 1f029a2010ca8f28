#pragma once

#include <string>

#include "skewguard/client.hpp"

namespace skewguard::store {

/// Identifies what a stored token belongs to: a digest of login URL, token path, parameters, client
/// id and the SHA-256 of the secret. 64 lower-case hex characters; usable as a file name.
std::string key_of(const ClientOptions& options, const Secret& client_secret);

}  // namespace skewguard::store
