#include "emulator/mint.hpp"

#include <nlohmann/json.hpp>

#include "emulator/encoding.hpp"
#include "emulator/json.hpp"

namespace skewguard::emulator {
namespace {

std::string uuid_from(std::string bytes, unsigned version) {
  bytes.resize(16);
  const auto set = [&bytes](std::size_t i, unsigned keep, unsigned bits) {
    bytes[i] = static_cast<char>((static_cast<unsigned char>(bytes[i]) & keep) | bits);
  };
  set(6, 0x0FU, version << 4U);
  set(8, 0x3FU, 0x80U);
  std::string out = hex(bytes);
  for (const std::size_t dash : {8U, 13U, 18U, 23U}) out.insert(dash, 1, '-');
  return out;
}

}  // namespace

std::string_view to_string(TokenFormat format) noexcept {
  return format == TokenFormat::opaque ? "opaque" : "jwt";
}

Mint::Mint(std::uint64_t seed) : key_(sha512("skewguard emulator " + std::to_string(seed))) {}

Secret Mint::opaque_token() {
  return Secret(base64url(draw("token")));
}

Secret Mint::jwt(const TokenClaims& claims) const {
  const nlohmann::json head{{"alg", "HS256"}, {"typ", "JWT"}};
  const nlohmann::json body{{"iss", claims.issuer},
                            {"sub", claims.client},
                            {"client_id", claims.client},
                            {"jti", claims.id},
                            {"iat", seconds_number(claims.iat)},
                            {"nbf", seconds_number(claims.nbf)},
                            {"exp", seconds_number(claims.exp)}};
  std::string token = base64url(to_text(head));
  token += '.';
  token += base64url(to_text(body));
  const auto signature = hmac_sha256(key_.reveal(), token);
  token += '.';
  token += base64url(signature);
  return Secret(std::move(token));
}

std::string Mint::uuid() {
  return uuid_from(draw("uuid"), 4);
}

std::string Mint::uuid_of(std::string_view kind, std::string_view name) {
  std::string text(kind);
  text += '\n';
  text += name;
  return uuid_from(sha256(text), 8);
}

std::string Mint::draw(std::string_view label) {
  std::string text(label);
  text += ' ';
  text += std::to_string(++counter_);
  return hmac_sha512(key_.reveal(), text);
}

}  // namespace skewguard::emulator
