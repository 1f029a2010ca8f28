#pragma once

#include "skewguard/time.hpp"

namespace skewguard::oauth {

/// How long no token is requested after a refused token or rejected credentials. Each pause is
/// twice as long as the one before.
struct PauseOptions {
  Duration first = std::chrono::seconds{5};  ///< after a fresh token was refused
  /// After credentials that had worked were rejected: they may be restored at any time.
  Duration first_after_good = std::chrono::seconds{1};
  Duration max = std::chrono::minutes{5};
};

}  // namespace skewguard::oauth
