#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/one_line.hpp"

namespace skewguard::oauth {

/// A stranger's words as they may stand in a message or a log, on one line (base/one_line.hpp): at
/// max `max` characters, "..." where there were more.
inline std::string visible(std::string_view text, std::size_t max = 200) {
  return quotable(text, max);
}

}  // namespace skewguard::oauth
