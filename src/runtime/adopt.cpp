#include "runtime/adopt.hpp"

#include <algorithm>

namespace skewguard::runtime {
namespace {

// Longest life that a token may claim (GENESYS.md section 1.5: SCIM clients have 450 days).
constexpr Duration kLongestLife = std::chrono::hours{24 * 3650};

}  // namespace

oauth::TokenPtr given_token(const Secret& value, const Now& now, ServerId issuer) {
  auto token = std::make_shared<oauth::Token>();
  token->value = value;
  token->given = true;
  token->generation = 1;
  token->claims = oauth::peek_jwt(value.reveal());
  token->sent = now.boot;
  token->received = now.boot;
  token->sent_wall = now.wall;
  token->life = kLongestLife;
  if (token->claims) {
    const auto& claims = *token->claims;
    if (claims.nbf || claims.iat) {
      token->begins = ServerTime{issuer, std::max(claims.nbf.value_or(Duration::min()),
                                                  claims.iat.value_or(Duration::min()))};
    }
    if (claims.exp) token->ends = ServerTime{issuer, *claims.exp};
  }
  return token;
}

oauth::TokenPtr stored_token(const StoredToken& stored, const clocks::ClockBook& book,
                             ServerId issuer, const Now& now) {
  const auto reading = book.reading(issuer, now);
  if (!reading) return nullptr;
  const Duration age = reading->latest.since_epoch() - stored.issued;  // at most that old
  const Duration least_age =
      reading->earliest.since_epoch() - stored.issued - std::chrono::seconds{1};
  if (least_age < -std::chrono::seconds{2} || age >= stored.expires_in) return nullptr;
  auto token = std::make_shared<oauth::Token>();
  token->value = stored.access_token;
  token->stored = true;
  token->generation = 1;
  token->claims = oauth::peek_jwt(stored.access_token.reveal());
  token->sent = now.boot - std::max(age, Duration{0});
  token->received = now.boot;
  token->sent_wall = now.wall - std::max(age, Duration{0});
  token->expires_in = stored.expires_in;
  token->life = stored.expires_in;
  token->issuer_date = ServerTime{issuer, stored.issued};
  token->begins = token->issuer_date;
  token->ends = *token->issuer_date + stored.expires_in;
  return token;
}

}  // namespace skewguard::runtime
