#include "runtime/adopt.hpp"

#include <algorithm>
#include <optional>

#include "oauth/issued_token.hpp"
#include "oauth/lifetime.hpp"

namespace skewguard::runtime {
namespace {

/// What the API compares with its own clock: a JWT says it itself.
void take_claims(oauth::Token& token, ServerId issuer) {
  token.claims = oauth::peek_jwt(token.value.reveal());
  oauth::take_claimed_times(token, issuer);
}

/// A user's own store may hand in any figures; sums of these stay far from overflow.
bool plausible(const StoredToken& stored) {
  static constexpr Duration kLatest = std::chrono::hours{24 * 365 * 200};
  const auto within = [](Duration time) { return time >= Duration{0} && time <= kLatest; };
  return !stored.access_token.empty() && stored.expires_in > Duration{0} &&
         stored.expires_in <= oauth::kLongestLife && within(stored.issued) &&
         within(stored.sent.time_since_epoch());
}

/// Whether its `sent` was read from the boot clock of this very process.
bool of_this_clock(const StoredToken& stored, const Boot& here) {
  return !here.id.empty() && here.id == stored.boot_id && !here.time_namespace.empty() &&
         here.time_namespace == stored.time_namespace;
}

/// How old the token is at most; nothing where that cannot be told.
std::optional<Duration> age_of(const StoredToken& stored, const Boot& here,
                               const clocks::ClockBook& book, ServerId issuer, const Now& now) {
  if (of_this_clock(stored, here)) {
    if (stored.sent > now.boot) return std::nullopt;  // not from here after all
    return now.boot - stored.sent;
  }
  const auto reading = stored.issued > Duration{0} ? book.reading(issuer, now) : std::nullopt;
  if (!reading) return std::nullopt;
  const Duration least = reading->earliest.since_epoch() - stored.issued - std::chrono::seconds{1};
  if (least < -std::chrono::seconds{2}) return std::nullopt;
  return std::max(reading->latest.since_epoch() - stored.issued, Duration{0});
}

}  // namespace

bool issuer_must_tell(const StoredToken& stored, const Boot& here) {
  return plausible(stored) && stored.issued > Duration{0} && !of_this_clock(stored, here);
}

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

oauth::TokenPtr stored_token(const StoredToken& stored, const Boot& here,
                             const clocks::ClockBook& book, ServerId issuer, const Now& now) {
  if (!plausible(stored)) return nullptr;
  const auto age = age_of(stored, here, book, issuer, now);
  if (!age || *age >= stored.expires_in) return nullptr;
  auto token = std::make_shared<oauth::Token>();
  token->value = stored.access_token;
  token->token_type = stored.token_type;
  token->stored = true;
  token->accepted_before = stored.accepted;
  token->generation = 1;
  token->sent = now.boot - *age;
  token->received = now.boot;
  token->sent_wall = now.wall - *age;
  token->expires_in = stored.expires_in;
  token->life = stored.expires_in;
  if (stored.issued > Duration{0}) {
    token->issuer_date = ServerTime{issuer, stored.issued};
    token->begins = token->issuer_date;
    token->ends = *token->issuer_date + stored.expires_in;
  }
  const auto told = token->ends;
  take_claims(*token, issuer);
  // Where exp and the issuer's own Date contradict each other, each process would ask anew.
  if (told && token->ends->since_epoch() <= stored.issued) token->ends = told;
  return token;
}

}  // namespace skewguard::runtime
