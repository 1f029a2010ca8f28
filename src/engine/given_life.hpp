#pragma once

#include <optional>
#include <string>
#include <vector>

#include "oauth/jwt_peek.hpp"
#include "skewguard/time.hpp"

namespace skewguard::engine {

/// The remaining life of a JWT that was obtained elsewhere. It is not known when it was requested,
/// so its claims are compared with a current clock.
struct GivenLife {
  Duration remaining{0};  ///< >= 0, never over exp - iat
  /// One plain sentence for each way in which the local wall clock contradicts the token. They
  /// decide nothing, since the API judges by its own clock.
  std::vector<std::string> warnings;
};

/// `exp`: of `claims`. `api_minus_wall`: the API's clock against `wall`, where it is known; else
/// the local wall clock alone counts.
GivenLife given_life(const oauth::JwtClaims& claims, Duration exp, WallTime wall,
                     const std::optional<OffsetBound>& api_minus_wall);

}  // namespace skewguard::engine
