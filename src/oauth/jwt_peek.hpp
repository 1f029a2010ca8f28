#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "skewguard/time.hpp"

namespace skewguard::oauth {

/// The times in a JWT's payload (RFC 7519 section 4.1), read without verifying anything: since 1970
/// by the issuer's clock; numbers may be given as text. Each is absent if it is missing, not a
/// number, or not in 1970..2169.
struct JwtClaims {
  std::optional<Duration> iat;
  std::optional<Duration> nbf;
  std::optional<Duration> exp;
  friend bool operator==(const JwtClaims&, const JwtClaims&) = default;
};

/// Empty if `token` is not three base64url parts with JSON objects in the first two: then it is
/// opaque. Safe for hostile input: linear time, at most 256 KiB, bounded nesting, no exceptions.
std::optional<JwtClaims> peek_jwt(std::string_view token);

/// Which of iat, nbf and exp `token` has with an impossible time.
std::vector<std::string> odd_claims(std::string_view token);

}  // namespace skewguard::oauth
