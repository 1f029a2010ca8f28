#include "oauth/issued_token.hpp"

#include <algorithm>

#include "oauth/lifetime.hpp"

namespace skewguard::oauth {

void take_claimed_times(Token& token, ServerId issuer) {
  if (!token.claims) return;
  const JwtClaims& claims = *token.claims;
  if (const auto begin = claims.nbf ? claims.nbf : claims.iat) {
    const auto [earlier, later] = std::minmax({*begin, claims.iat.value_or(*begin)});
    token.begins = ServerTime{issuer, earlier};
    token.begins_later = later > earlier ? std::optional(ServerTime{issuer, later}) : std::nullopt;
  }
  if (claims.exp) token.ends = ServerTime{issuer, *claims.exp};
}

Token issued_token(TokenAnswer answer, const clocks::Answer& from, ServerId login,
                   Duration unknown_life) {
  Token token;
  token.claims = peek_jwt(answer.access_token.reveal());
  token.value = std::move(answer.access_token);
  token.sent = from.sent.boot;
  token.received = from.received.boot;
  token.sent_wall = from.sent.wall;

  std::optional<Duration> issued;  // a Date that is no sample dates no token
  if (from.sample()) issued = from.sample()->date;
  token.expires_in = told_life(answer.expires_in, token.claims, issued);
  token.life = token.expires_in.value_or(unknown_life);

  if (issued) {
    token.issuer_date = ServerTime{login, *issued};
    token.issued_from = *token.issuer_date + -(token.received - token.sent);
    token.begins = token.issuer_date;
    token.ends = *token.issuer_date + token.life;
  }
  take_claimed_times(token, login);
  return token;
}

}  // namespace skewguard::oauth
