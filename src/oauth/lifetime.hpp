#pragma once

#include <optional>

#include "oauth/jwt_peek.hpp"
#include "skewguard/time.hpp"

namespace skewguard::oauth {

/// Longer lives are cut to this: nobody means them, and sums of times stay far from overflow.
inline constexpr Duration kLongestLife = std::chrono::hours{24 * 3650};

/// `seconds` as a life: 0 < life <= kLongestLife. Nothing for NaN, zero, negative numbers and
/// less than a nanosecond.
std::optional<Duration> life_of_seconds(double seconds);

/// exp - iat, where both are there and exp is later.
std::optional<Duration> life_of_claims(const JwtClaims& claims);

/// The life that the answer tells: expires_in, or a JWT's exp - iat, the smaller where both are
/// there. `issued`, the issuer's Date of the answer, stands in for a JWT's missing iat. Nothing
/// where nothing tells it.
std::optional<Duration> told_life(std::optional<Duration> expires_in,
                                  const std::optional<JwtClaims>& claims,
                                  std::optional<Duration> issued);

}  // namespace skewguard::oauth
