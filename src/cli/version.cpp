#include "cli/version.hpp"

namespace skewguard::cli {

std::string_view version() noexcept {
  return SKEWGUARD_VERSION;
}

}  // namespace skewguard::cli
