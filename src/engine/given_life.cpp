#include "engine/given_life.hpp"

#include <algorithm>

#include "oauth/lifetime.hpp"
#include "time/duration_text.hpp"

namespace skewguard::engine {
namespace {

/// Claims are whole seconds, and two correct clocks differ by less.
constexpr Duration kNoticeable = std::chrono::seconds{2};

}  // namespace

GivenLife given_life(const oauth::JwtClaims& claims, Duration exp, WallTime wall,
                     const std::optional<OffsetBound>& api_minus_wall) {
  GivenLife life;
  const Duration local = wall.time_since_epoch();
  const Duration reading = local + (api_minus_wall ? api_minus_wall->high : Duration{0});
  life.remaining = std::max(exp - reading, Duration{0});
  if (const auto whole = oauth::life_of_claims(claims))
    life.remaining = std::min(life.remaining, *whole);
  if (claims.iat && *claims.iat - local > kNoticeable) {
    life.warnings.push_back("the given token was issued " + time::human(*claims.iat - local) +
                            " in the future by the local wall clock: the local clock is behind "
                            "its issuer's");
  }
  if (exp <= local) {
    life.warnings.push_back("the given token ended " + time::human(local - exp) +
                            " ago by the local wall clock; the API judges by its own clock, and "
                            "the local one may be ahead");
  }
  return life;
}

}  // namespace skewguard::engine
