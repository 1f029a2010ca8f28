#pragma once

#include <string_view>

namespace skewguard::oauth {

/// What looks wrong with a client secret that was refused, and what to do; empty: nothing does.
/// Says nothing of its characters but their kind.
std::string_view secret_hint(std::string_view secret) noexcept;

}  // namespace skewguard::oauth
