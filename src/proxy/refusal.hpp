#pragma once

#include <string>
#include <string_view>

#include "relay/session_machine.hpp"
#include "skewguard/error.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::proxy {

/// Why a request cannot be sent to the API.
struct Refusal {
  std::string_view code;  ///< follows "skewguard."; static
  std::string message;    ///< a sentence
  bool passes = false;    ///< the same request may succeed later although nobody does anything

  /// Valid as long as this is unchanged.
  [[nodiscard]] relay::Problem problem() const noexcept {
    constexpr int kBadGateway = 502;
    constexpr int kUnavailable = 503;
    return {passes ? kUnavailable : kBadGateway, code, message, passes};
  }
};

/// There is no token.
Refusal refusal_of(const Error& error);
/// There is no connection. `origin`: of the API.
Refusal refusal_of(const TransportFailure& failure, const std::string& origin, WallTime now);

}  // namespace skewguard::proxy
