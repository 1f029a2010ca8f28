#include <string_view>

#include "c/error.hpp"
#include "skewguard/log.hpp"

namespace skewguard::c {
namespace {

constexpr int32_t kKinds = SKEWGUARD_CANCELLED;
constexpr int32_t kLevels = SKEWGUARD_CRITICAL;

/// The library's names are literals, so they end with a zero byte.
const char* kind_name(int32_t kind) noexcept {
  if (kind == SKEWGUARD_OK) return "ok";
  for (int i = 0; i < kKinds; ++i) {
    const auto one = static_cast<ErrorKind>(i);
    if (number_of(one) == kind) return to_string(one).data();
  }
  return "";
}

const char* level_name(int32_t level) noexcept {
  if (level < SKEWGUARD_TRACE || level > kLevels) return "";
  return to_string(static_cast<LogLevel>(level)).data();
}

}  // namespace
}  // namespace skewguard::c

const char* skewguard_name(int32_t names, int32_t value) {
  switch (names) {
    case SKEWGUARD_NAMES_ERROR_KIND:
      return skewguard::c::kind_name(value);
    case SKEWGUARD_NAMES_LOG_LEVEL:
      return skewguard::c::level_name(value);
    default:
      return "";
  }
}
