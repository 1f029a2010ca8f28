#include "engine/adopt.hpp"

#include "oauth/issued_token.hpp"
#include "oauth/lifetime.hpp"

namespace skewguard::engine {
namespace {

/// What the API compares with its own clock: a JWT contains it.
void take_claims(oauth::Token& token, ServerId issuer) {
  token.claims = oauth::peek_jwt(token.value.reveal());
  oauth::take_claimed_times(token, issuer);
}

}  // namespace

oauth::TokenPtr given_token(const Secret& value, const Now& now, ServerId issuer) {
  auto token = std::make_shared<oauth::Token>();
  token->value = value;
  token->given = true;
  token->generation = 1;
  token->sent = now.boot;
  token->received = now.boot;
  token->sent_wall = now.wall;
  token->life = oauth::kLongestLife;
  take_claims(*token, issuer);
  return token;
}

oauth::TokenPtr adopted_token(const sharing::SharedToken& shared, Duration age, ServerId issuer,
                              const Now& now) {
  auto token = std::make_shared<oauth::Token>();
  token->value = shared.value;
  token->token_type = shared.token_type;
  token->stored = true;
  token->accepted_before = shared.accepted;
  token->generation = 1;
  token->sent = now.boot - age;
  token->received = now.boot;
  token->sent_wall = now.wall - age;
  token->expires_in = shared.life;
  token->life = shared.life;
  if (shared.date > Duration{0}) {
    token->issuer_date = ServerTime{issuer, shared.date};
    token->issued_from = ServerTime{issuer, shared.issued_from};
    token->begins = token->issuer_date;
    token->ends = *token->issued_from + shared.life;
  }
  const auto told = token->ends;
  take_claims(*token, issuer);
  // If exp and the issuer's own Date contradict each other, each process would request a new token.
  if (told && token->ends->since_epoch() <= shared.date) token->ends = told;
  return token;
}

sharing::SharedToken shared_token(const oauth::Token& token, std::uint64_t id, const Boot& here,
                                  bool accepted) {
  sharing::SharedToken shared;
  shared.id = id;
  shared.value = token.value;
  shared.token_type = token.token_type;
  if (token.issuer_date) shared.date = token.issuer_date->since_epoch();
  if (token.issued_from) shared.issued_from = token.issued_from->since_epoch();
  shared.life = token.life;
  shared.boot_id = here.id;
  shared.time_namespace = here.time_namespace;
  shared.sent = token.sent;
  shared.accepted = accepted;
  return shared;
}

}  // namespace skewguard::engine
