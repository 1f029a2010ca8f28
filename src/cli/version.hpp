#pragma once

#include <string_view>

namespace skewguard::cli {

/// "0.1.0": the project's version, from CMakeLists.txt.
std::string_view version() noexcept;

}  // namespace skewguard::cli
