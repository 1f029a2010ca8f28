#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "skewguard/http.hpp"

namespace skewguard::http {

/// One challenge of WWW-Authenticate (RFC 9110 section 11.6.1).
struct Challenge {
  std::string scheme;  ///< lower case
  std::vector<HeaderField> params;
  [[nodiscard]] std::optional<std::string_view> param(std::string_view name) const;  ///< any case
};

/// Every challenge of every WWW-Authenticate field; malformed parts are skipped up to the next
/// comma. Safe for hostile input: linear time, no exceptions.
std::vector<Challenge> challenges(const Headers& headers);

/// `error`, `error_description` and `scope` of the most specific Bearer challenge (RFC 6750 section
/// 3): one with `insufficient_scope`, otherwise the first with an error, otherwise the first.
struct BearerError {
  std::string
      error;  ///< "invalid_token", "insufficient_scope", "invalid_request" or another; may be empty
  std::string description;
  std::string scope;
};
std::optional<BearerError> bearer_error(const std::vector<Challenge>& challenges);

}  // namespace skewguard::http
