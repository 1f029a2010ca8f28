#include "diagnosis/evidence.hpp"

namespace skewguard::diagnosis {

TokenFacts facts_of(const oauth::Token& token, bool accepted_before, ServerId api) {
  TokenFacts facts;
  facts.generation = token.generation;
  facts.jwt = token.jwt();
  facts.given = token.given;
  facts.accepted_before = accepted_before;
  facts.asked = token.sent;
  facts.received = token.received;
  if (!token.given) facts.dead_at = token.dead_at();
  if (token.begins) facts.begins = token.begins->as_read_by(api);
  if (token.begins_later) facts.begins_later = token.begins_later->as_read_by(api);
  if (token.claims && token.claims->iat) facts.iat = ServerTime{api, *token.claims->iat};
  if (token.ends) facts.ends = token.ends->as_read_by(api);
  if (token.issuer_date) facts.issued = token.issuer_date->as_read_by(api);
  facts.begin_dated = token.begins && !(token.claims && (token.claims->nbf || token.claims->iat));
  facts.end_dated = token.ends && !(token.claims && token.claims->exp);
  return facts;
}

}  // namespace skewguard::diagnosis
