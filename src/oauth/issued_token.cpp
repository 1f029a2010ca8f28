#include "oauth/issued_token.hpp"

#include <algorithm>

#include "clocks/clock_book.hpp"
#include "oauth/lifetime.hpp"

namespace skewguard::oauth {
namespace {

/// The later of nbf and iat, or the one that is there.
std::optional<Duration> begin_of(const JwtClaims& claims) {
  if (claims.nbf && claims.iat) return std::max(*claims.nbf, *claims.iat);
  return claims.nbf ? claims.nbf : claims.iat;
}

}  // namespace

Token issued_token(TokenAnswer answer, const Exchange& exchange, ServerId login,
                   Duration unknown_life) {
  Token token;
  token.claims = peek_jwt(answer.access_token.reveal());
  token.value = std::move(answer.access_token);
  token.sent = exchange.sent.boot;
  token.received = exchange.received.boot;
  token.sent_wall = exchange.sent.wall;

  const auto sample = clocks::sample_of(exchange);  // a Date that is no sample dates no token
  std::optional<Duration> issued;
  if (sample) issued = sample->date;
  token.expires_in = told_life(answer.expires_in, token.claims, issued);
  token.life = token.expires_in.value_or(unknown_life);

  std::optional<Duration> begins = issued;
  std::optional<Duration> ends;
  if (issued) ends = *issued + token.life;
  if (token.claims) {
    if (const auto begin = begin_of(*token.claims)) begins = begin;
    if (token.claims->exp) ends = token.claims->exp;
  }
  if (issued) token.issuer_date = ServerTime{login, *issued};
  if (begins) token.begins = ServerTime{login, *begins};
  if (ends) token.ends = ServerTime{login, *ends};
  return token;
}

}  // namespace skewguard::oauth
