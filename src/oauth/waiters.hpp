#pragma once

#include <array>
#include <vector>

#include "oauth/login_failure.hpp"
#include "oauth/token_machine.hpp"

namespace skewguard::oauth {

/// A caller that waits for a token, and what it has waited through.
struct Waiter {
  event::Want want;
  std::uint64_t newest_before = 0;  ///< the newest generation when it asked: later ones are fresh
  int token_requests = 0;           ///< ended while it waited
  std::vector<LoginAttempt> attempts{};
  Instant came{};
  Duration held_up{0};            ///< since tokens had been refused
  Instant failed_at{};            ///< when the last of them ended
  std::array<int, 4> failures{};  ///< how many it has seen, by Retry

  /// Counts one failure of this kind; true if it was one too many.
  bool gives_up(Retry retry) {
    const int seen = ++failures.at(static_cast<std::size_t>(retry));
    switch (retry) {
      case Retry::never:
        return true;
      case Retry::once:
        return seen > 1;
      case Retry::twice:
        return seen > 2;
      case Retry::while_waiting:
        return false;
    }
    return true;
  }
};

}  // namespace skewguard::oauth
