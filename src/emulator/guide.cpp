#include "emulator/guide.hpp"

namespace skewguard::emulator {

std::string_view guide() noexcept {
  // Written by CMake from docs/guide/emulator.md.
  static constexpr std::string_view kGuide =
#include "emulator_guide.inc"
      ;
  return kGuide;
}

}  // namespace skewguard::emulator
