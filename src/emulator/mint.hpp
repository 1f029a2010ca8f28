#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "emulator/skewed_clock.hpp"
#include "skewguard/secret.hpp"

namespace skewguard::emulator {

enum class TokenFormat { opaque, jwt };
std::string_view to_string(TokenFormat format) noexcept;

/// What an issued token says about itself; in a JWT these are the claims.
struct TokenClaims {
  std::string issuer;  ///< the login host's URL
  std::string client;
  std::string id;  ///< jti
  HostTime iat{};  ///< the whole second of its issue, by the login host's clock
  HostTime nbf{};
  HostTime exp{};
};

/// Makes unique values: tokens and ids. They depend only on the seed, so a simulation can be
/// repeated; seeded by the system, they cannot be guessed.
class Mint {
 public:
  explicit Mint(std::uint64_t seed);

  /// 64 bytes as base64url: 86 characters without dots, like the platform's tokens.
  [[nodiscard]] Secret opaque_token();
  /// A JWT signed with HS256 (RFC 7515, RFC 7519).
  [[nodiscard]] Secret jwt(const TokenClaims& claims) const;
  /// A new random UUID (RFC 9562, version 4).
  [[nodiscard]] std::string uuid();
  /// The UUID of the object of this kind and name, the same in every emulator.
  [[nodiscard]] static std::string uuid_of(std::string_view kind, std::string_view name);

 private:
  [[nodiscard]] std::string draw(std::string_view label);

  Secret key_;
  std::uint64_t counter_ = 0;
};

}  // namespace skewguard::emulator
