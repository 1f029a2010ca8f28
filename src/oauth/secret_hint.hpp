#pragma once

#include <string_view>

#include "oauth/grant.hpp"

namespace skewguard::oauth {

/// What looks wrong with a client secret that was refused, and what to do; empty: nothing does.
/// Says nothing of its characters but their kind. `sent_in`: how the secret reached the login host.
std::string_view secret_hint(std::string_view secret, ClientAuth sent_in) noexcept;

}  // namespace skewguard::oauth
