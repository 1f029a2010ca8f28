#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "skewguard/time.hpp"

namespace skewguard::genesys {

/// What an error in the API host's own format says besides its code and message (docs/platform.md
/// section 2.2). Any field may be empty.
struct ErrorDetails {
  std::string context_id;  ///< = correlation id; only visible characters
  /// "domain:entity:action", from the message, its parameters, details and nested errors; each
  /// once, in order.
  std::vector<std::string> permissions;
  /// "Retry the request in [42] seconds", if the message says so.
  std::optional<Duration> retry_after;
};

/// `object`: the one that describes the error. Safe for hostile input: linear time, bounded
/// nesting.
ErrorDetails read_error_details(const nlohmann::json& object);

}  // namespace skewguard::genesys
