#pragma once

#include <string_view>

#include "emulator/options.hpp"
#include "emulator/skewed_clock.hpp"

/// Limits for flags and control requests.
namespace skewguard::emulator {

constexpr Duration kMaxOffset = SkewedClock::kMaxOffset;
constexpr Duration kMinLifetime = std::chrono::milliseconds{1};
constexpr Duration kMaxLifetime = std::chrono::hours{24 * 3650};  // ten years; SCIM has 450 days
constexpr Duration kMaxLatency = std::chrono::hours{1};           // for each way
constexpr Duration kMaxDelayOfStep = std::chrono::hours{24 * 366};

/// RFC 7617 section 2: no colon.
constexpr bool valid_client_id(std::string_view id) noexcept {
  return !id.empty() && id.find(':') == std::string_view::npos;
}

}  // namespace skewguard::emulator
