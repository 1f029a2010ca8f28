#pragma once

#include <vector>

#include "skewguard/secret.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::oauth {

/// What is secret in a request, in each form that a server can repeat it in: the credentials of its
/// Authorization, the client secret that a Basic value holds, and the secret fields of a form, each
/// as sent and decoded.
std::vector<Secret> secrets_in(const HttpRequest& request);

}  // namespace skewguard::oauth
