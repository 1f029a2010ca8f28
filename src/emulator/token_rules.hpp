#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "skewguard/time.hpp"

namespace skewguard::emulator {

/// Whether the login host issues the last token of a client again.
enum class SameToken {
  never,
  live,    ///< while it has not ended; `expires_in` is what is left
  always,  ///< whatever became of it, with the `expires_in` it first had
};
std::string_view to_string(SameToken same) noexcept;  ///< "never", "live", "always"

/// What happens to tokens besides their lifetime. Durations are in true time; zero = off.
struct TokenRules {
  /// How long after its issue each backend starts to accept a token; the last entry is for all
  /// following backends. Empty = at once.
  std::vector<Duration> propagation;
  std::size_t most_live = 0;  ///< of one client: the oldest beyond are evicted; 0 = no end
  bool contention = false;    ///< a new token of a client kills the ones before
  SameToken same_token = SameToken::never;
  Duration idle_timeout{0};  ///< a token that was not taken for so long is dead
  /// Another program shares each client that requested a token: at this interval it uses its own
  /// token, and requests a new one if that no longer works.
  Duration rival{0};

  [[nodiscard]] Duration propagation_of(std::size_t backend) const noexcept {
    if (propagation.empty()) return Duration::zero();
    return backend < propagation.size() ? propagation[backend] : propagation.back();
  }
};

}  // namespace skewguard::emulator
