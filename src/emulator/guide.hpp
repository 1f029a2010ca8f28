#pragma once

#include <string_view>

namespace skewguard::emulator {

/// What `skewguard help emulate` prints: docs/guide/emulator.md itself.
std::string_view guide() noexcept;

}  // namespace skewguard::emulator
