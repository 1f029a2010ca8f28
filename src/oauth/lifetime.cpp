#include "oauth/lifetime.hpp"

#include <algorithm>
#include <cmath>

namespace skewguard::oauth {

std::optional<Duration> life_of_seconds(double seconds) {
  constexpr auto kLongest = static_cast<double>(kLongestLife / std::chrono::seconds{1});
  if (!(seconds > 0)) return std::nullopt;  // NaN too
  if (seconds >= kLongest) return kLongestLife;
  const Duration life{static_cast<Duration::rep>(std::llround(seconds * 1e9))};
  if (life <= Duration{0}) return std::nullopt;
  return life;
}

std::optional<Duration> life_of_claims(const JwtClaims& claims) {
  if (!claims.iat || !claims.exp || *claims.exp <= *claims.iat) return std::nullopt;
  // Each is within 250 years, so their difference may not fit: compare before subtracting.
  if (*claims.iat < *claims.exp - kLongestLife) return kLongestLife;
  return *claims.exp - *claims.iat;
}

std::optional<Duration> told_life(std::optional<Duration> expires_in,
                                  const std::optional<JwtClaims>& claims,
                                  std::optional<Duration> issued) {
  if (!claims) return expires_in;
  JwtClaims dated = *claims;
  if (!dated.iat) dated.iat = issued;
  const auto claimed = life_of_claims(dated);
  if (!claimed) return expires_in;
  return expires_in ? std::min(*expires_in, *claimed) : *claimed;
}

}  // namespace skewguard::oauth
