#pragma once

#include <string_view>

#include "oauth/grant.hpp"

namespace skewguard::oauth {

/// What looks wrong with a client secret that was rejected, and what to do; empty if nothing does.
/// Reveals only the kind of its characters. `sent_in`: how the secret was sent to the login host.
std::string_view secret_hint(std::string_view secret, ClientAuth sent_in) noexcept;

}  // namespace skewguard::oauth
