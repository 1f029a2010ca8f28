#pragma once

#include <optional>

#include "oauth/jwt_peek.hpp"
#include "skewguard/time.hpp"

namespace skewguard::oauth {

/// Longer lifetimes are cut to this: nobody means them, and sums of times stay far from overflow.
inline constexpr Duration kLongestLife = std::chrono::hours{24 * 3650};

/// `seconds` as a lifetime: 0 < life <= kLongestLife. Empty for NaN, zero, negative numbers and
/// less than a nanosecond.
std::optional<Duration> life_of_seconds(double seconds);

/// exp - iat, if both are present and exp is later.
std::optional<Duration> life_of_claims(const JwtClaims& claims);

/// The lifetime according to the answer: expires_in, or a JWT's exp - iat, or the smaller of both.
/// `issued`, the issuer's Date of the answer, replaces a JWT's missing iat. Empty if unknown.
std::optional<Duration> told_life(std::optional<Duration> expires_in,
                                  const std::optional<JwtClaims>& claims,
                                  std::optional<Duration> issued);

}  // namespace skewguard::oauth
