#include "runtime/readers.hpp"

#include <algorithm>
#include <utility>

#include "oauth/denials.hpp"

namespace skewguard::runtime {
namespace {

/// Of a given token the machine knows no end, and its `exp` is for the wall clock to judge.
std::optional<oauth::TokenFailure> unfit(const BearerToken& token, Duration min_life) {
  if (token.source != BearerToken::Source::given) return std::nullopt;
  if (token.remaining <= Duration{0}) return oauth::given_token_ended_locally();
  if (token.remaining < min_life) return oauth::given_token_too_short(token.remaining, min_life);
  return std::nullopt;
}

oauth::TokenFailure begins_too_late() {
  return {Verdict::issuer_clock_ahead,
          Error{ErrorKind::clock, "the new token begins, by the API's clock, after the deadline",
                "raise --timeout, or have the clock of the login or the API host set"},
          4};
}

}  // namespace

Readers::~Readers() {
  const Error cancelled{ErrorKind::cancelled, "the client is shutting down", ""};
  for (auto& [id, reader] : std::exchange(readers_, {})) {
    try {
      reader.handler(cancelled);
    } catch (...) {  // the next one is told all the same
      continue;
    }
  }
}

Readers::Id Readers::start(const TokenRequestOptions& options, Instant deadline, Handler handler) {
  const Id id = core_.new_id();
  guard::CallRecord record("POST", core_.token_url(), {core_.book, core_.api, core_.login});
  record.begin(core_.now());
  core_.later([this, id] { want(id); });  // first, as in Engine::call()
  readers_.emplace(id, Reader{std::move(handler), options, deadline, std::move(record)});
  return id;
}

void Readers::cancel(Id id) {
  core_.later([this, id] {
    desk_.withdraw(id);
    answer(id, Error{ErrorKind::cancelled, "the token was no longer wanted", ""}, 6, Verdict::ok);
  });
}

void Readers::want(Id id) {
  const auto found = readers_.find(id);
  if (found == readers_.end()) return;
  const Reader& reader = found->second;
  oauth::event::Want wanted;
  wanted.waiter = id;
  wanted.deadline = reader.deadline;
  wanted.min_life = reader.options.min_life;
  wanted.force = reader.options.force_refresh;
  desk_.want(wanted, [this, id](TokenDesk::Answer answer) {
    const auto asking = readers_.find(id);
    if (asking == readers_.end()) return;
    std::visit(
        [&](const auto& told) {
          asking->second.record.add_login(told.attempts, told.token_requests);
        },
        answer);
    if (auto* deny = std::get_if<oauth::action::Deny>(&answer))
      return refuse(id, std::move(deny->failure));
    hand_out(std::get<oauth::action::Deliver>(answer), id);
  });
}

/// A token that the API would not take yet is no valid token: it is handed out when it has begun.
void Readers::hand_out(const oauth::action::Deliver& delivered, Id id) {
  Reader& reader = readers_.at(id);
  if (delivered.first_use <= core_.now().boot) {
    BearerToken token = bearer_token(delivered);
    if (const auto why = unfit(token, reader.options.min_life)) return refuse(id, *why);
    return answer(id, std::move(token), 0, Verdict::ok);
  }
  if (delivered.first_use > reader.deadline) return refuse(id, begins_too_late());
  reader.options.force_refresh = false;  // it is there, and only has to begin
  core_.at(delivered.first_use, [this, id] { want(id); });
}

void Readers::refuse(Id id, oauth::TokenFailure failure) {
  answer(id, std::move(failure.error), failure.exit_code, failure.verdict);
}

void Readers::answer(Id id, Result<BearerToken> result, int exit_code, Verdict otherwise) {
  const auto found = readers_.find(id);
  if (found == readers_.end()) return;
  Reader reader = std::move(found->second);
  readers_.erase(found);
  const auto report = std::make_shared<const CallReport>(
      reader.record.close(exit_code, otherwise, core_.now(), core_.options.staleness));
  core_.tell_resolved(*report);
  if (!result) {
    Error error = std::move(result).error();
    error.report = report;
    result = std::move(error);
  }
  reader.handler(std::move(result));
}

BearerToken Readers::bearer_token(const oauth::action::Deliver& delivered) const {
  const Now now = core_.now();
  const oauth::Token& token = *delivered.token;
  // The token handed out may be the next one, whose life only its own figures tell.
  const oauth::TokenMachine& tokens = desk_.tokens();
  const bool current = tokens.usable(now) == delivered.token;
  const Instant end = current ? tokens.ends_at(now).value_or(token.dead_at()) : token.dead_at();
  BearerToken out;
  out.value = token.value;
  out.token_type = "Bearer";
  out.remaining = std::max(Duration{0}, end - now.boot);
  out.expires_at = now.wall + out.remaining;
  if (token.given && token.claims && token.claims->exp) {
    out.expires_at = WallTime{*token.claims->exp};
    out.remaining = std::max(Duration{0}, out.expires_at - now.wall);
  }
  out.source = token.given    ? BearerToken::Source::given
               : token.stored ? BearerToken::Source::store
                              : BearerToken::Source::login;
  return out;
}

}  // namespace skewguard::runtime
