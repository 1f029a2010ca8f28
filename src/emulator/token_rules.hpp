#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "skewguard/time.hpp"

namespace skewguard::emulator {

/// Whether the login host hands the last token of a client out again.
enum class SameToken {
  never,
  live,    ///< while it has not ended; `expires_in` is what is left
  always,  ///< whatever became of it, with the `expires_in` it first had
};
std::string_view to_string(SameToken same) noexcept;  ///< "never", "live", "always"

/// What befalls tokens beside their lifetime. Durations are of true time; zero = not so.
struct TokenRules {
  /// A backend takes a token only so long after its issue: by backend, the last one for all that
  /// follow. Empty = at once.
  std::vector<Duration> propagation;
  std::size_t most_live = 0;  ///< of one client: the oldest beyond are evicted; 0 = no end
  bool contention = false;    ///< a new token of a client kills the ones before
  SameToken same_token = SameToken::never;
  Duration idle_timeout{0};  ///< a token that was not taken for so long is dead
  /// Another program shares each client that asked for a token: every so often it uses its own,
  /// and asks for a new one where that has died.
  Duration rival{0};

  [[nodiscard]] Duration propagation_of(std::size_t backend) const noexcept {
    if (propagation.empty()) return Duration::zero();
    return backend < propagation.size() ? propagation[backend] : propagation.back();
  }
};

}  // namespace skewguard::emulator
