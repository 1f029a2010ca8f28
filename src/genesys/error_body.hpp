#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "skewguard/time.hpp"

namespace skewguard::genesys {

/// The API host's own error body, as far as it tells us something (GENESYS.md section 2.2). Any
/// field may be empty.
struct ErrorBody {
  std::string code;        ///< "bad.credentials"; visible characters alone
  std::string message;     ///< the server's words, at most 200 visible characters
  std::string context_id;  ///< = correlation id
  /// "domain:entity:action", as they stand in the message, its parameters, details and nested
  /// errors; each once, in order.
  std::vector<std::string> permissions;
  /// "Retry the request in [42] seconds", where the message says so.
  std::optional<Duration> retry_after;
};

/// Nothing where the body is no JSON object, or over 1 MiB: edge servers answer in HTML. Hostile
/// input safe: linear, bounded nesting, no exceptions.
std::optional<ErrorBody> read_error_body(std::string_view body);

}  // namespace skewguard::genesys
