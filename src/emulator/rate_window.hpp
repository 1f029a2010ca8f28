#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "emulator/fault.hpp"
#include "skewguard/time.hpp"

namespace skewguard::emulator {

/// A limit on the requests in a window, which starts with its first request.
struct RateLimit {
  std::optional<std::uint64_t> requests{};  ///< absent = counted, never refused
  Duration window = std::chrono::minutes{1};
  std::optional<RetryAfter> retry_after{};  ///< of a refusal, in place of what would be right
};

/// Counts the requests of one token or client. Ages are true time since the emulator's start.
struct RateWindow {
  Duration began{0};
  std::uint64_t count = 0;

  /// Counts a request; false if it exceeds the limit.
  bool take(const RateLimit& limit, Duration age) noexcept {
    if (age - began >= limit.window) count = 0;
    if (count == 0) began = age;
    ++count;
    return !limit.requests || count <= *limit.requests;
  }
  /// The time until the window ends, in whole seconds, rounded up.
  [[nodiscard]] std::chrono::seconds reset(const RateLimit& limit, Duration age) const noexcept {
    const bool over = count == 0 || age - began >= limit.window;
    const auto left = over ? limit.window : began + limit.window - age;
    return std::chrono::ceil<std::chrono::seconds>(left);
  }
  [[nodiscard]] std::uint64_t seen(const RateLimit& limit, Duration age) const noexcept {
    return age - began >= limit.window ? 0 : count;
  }
};

}  // namespace skewguard::emulator
