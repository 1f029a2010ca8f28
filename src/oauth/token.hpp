#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret_text.hpp"
#include "oauth/jwt_peek.hpp"
#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"

namespace skewguard::oauth {

/// An access token with everything known about its lifetime. Immutable.
struct Token {
  Secret value;
  std::string token_type = "Bearer";
  std::uint64_t generation = 0;     ///< 1, 2, ...: each new token is one more
  std::optional<JwtClaims> claims;  ///< absent = opaque
  bool given = false;   ///< obtained elsewhere: cannot be refreshed, its sending is unknown
  bool stored = false;  ///< came from the store
  bool accepted_before = false;  ///< the store says that the API has taken it

  Instant sent{};                         ///< when its request was sent: its life counts from here
  Instant received{};                     ///< when the answer was there
  WallTime sent_wall{};                   ///< only for the usual analysis
  std::optional<Duration> expires_in;     ///< of the answer, or JWT exp - iat; absent = not known
  Duration life{0};                       ///< that we count with, > 0
  std::optional<ServerTime> issuer_date;  ///< the Date of the token answer
  /// A lower bound of the issuer's clock when the request was sent: the token cannot be older.
  std::optional<ServerTime> issued_from;

  /// When it becomes valid and when it expires: the earlier of nbf and iat, and exp, for a JWT,
  /// otherwise issuer_date and issuer_date + life; by the issuer's clock. What the API compares
  /// with its own clock.
  std::optional<ServerTime> begins;
  /// The later of nbf and iat if they differ: some APIs check this one.
  std::optional<ServerTime> begins_later;
  std::optional<ServerTime> ends;

  [[nodiscard]] bool jwt() const noexcept { return claims.has_value(); }
  /// First witness: our own deadline.
  [[nodiscard]] Instant dead_at() const noexcept { return sent + life; }
};

using TokenPtr = std::shared_ptr<const Token>;

inline constexpr std::string_view kBearerScheme = "Bearer ";

/// The value of Authorization that `token` is sent with (RFC 6750 section 2.1).
inline Secret bearer_authorization(const Secret& token) {
  return joined_secret({kBearerScheme, token.reveal()});
}

}  // namespace skewguard::oauth
