#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oauth/jwt_peek.hpp"
#include "skewguard/time.hpp"

namespace skewguard::engine {

/// What is left of a JWT that was obtained elsewhere. Nobody here knows when it was asked for, so
/// its claims are read by some clock of today.
struct GivenLife {
  Duration remaining{0};  ///< >= 0, never over exp - iat
  /// Where the local wall clock contradicts the token: one plain sentence each. They decide
  /// nothing, since the API judges by its own clock.
  std::vector<std::string> warnings;
};

/// `exp`: of `claims`. `api_minus_wall`: the API's clock against `wall`, where it is known; else
/// the local wall clock alone counts.
GivenLife given_life(const oauth::JwtClaims& claims, Duration exp, WallTime wall,
                     const std::optional<OffsetBound>& api_minus_wall);

}  // namespace skewguard::engine
