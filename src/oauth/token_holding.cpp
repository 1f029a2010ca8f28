#include "oauth/issued_token.hpp"
#include "oauth/token_machine_impl.hpp"
#include "time/duration_text.hpp"

namespace skewguard::oauth {

LifeSpan TokenMachine::Impl::life_of(const Holding& holding, const clocks::ClockView& view) const {
  const Token& token = *holding.token;
  // Of a given token nobody here knows when it was made: only its issuer's clock can end it.
  const bool untold = token.given && !token.expires_in;
  LifeSpan life{token.sent, untold ? token.sent + kLongestLife : token.dead_at(), holding.took};
  if (!holding.issuer_counts || !token.ends) return life;
  if (const auto ended = view.when(*token.ends)) life.end = std::min(life.end, ended->latest);
  return life;
}

Holding TokenMachine::Impl::hold(Token token, const clocks::ClockView& view) {
  Holding holding{.token = std::make_shared<Token>(std::move(token)), .jitter = jitter_.next()};
  holding.accepted = holding.token->accepted_before;
  holding.first_use = holding.accepted ? view.now().boot : first_use(*holding.token, learned_);
  holding.issuer_counts = alive(holding, view);
  return holding;
}

void TokenMachine::Impl::take(TokenAnswer answer, const clocks::Answer& from,
                              const clocks::ClockView& view) {
  grants_worked_ = true;
  if (had(answer.access_token)) return take_same_again(view);
  Holding fresh = hold(issued_token(std::move(answer), from, login_, options_.unknown_life), view);
  if (!alive(fresh, view)) {
    return fail(failure_of(Error{ErrorKind::protocol,
                                 "the token's life of " + time::human(fresh.token->life) +
                                     " (`expires_in`) had passed before its answer arrived",
                                 "give the client a longer token lifetime"},
                           from),
                &from, view);
  }
  fresh.took = from.received.boot - from.sent.boot;
  if (!fresh.issuer_counts) {
    log(LogLevel::warn,
        "the token's exp has passed by the login host's own Date: only its lifetime counts");
  }
  const TokenPtr token = fresh.token;
  const bool better = !begins_no_sooner(fresh, view);
  place(std::move(fresh), view);
  log(LogLevel::info, "token " + std::to_string(generations_) + " (" +
                          (token->jwt() ? "jwt" : "opaque") + ") lives " +
                          time::human(token->life));
  if (better) unsaved_ = true;
}

/// A token is held that the API's clock has not let begin yet, and this one begins no sooner: the
/// older one will serve first.
bool TokenMachine::Impl::begins_no_sooner(const Holding& fresh,
                                          const clocks::ClockView& view) const {
  if (!current_ || view.now().boot >= current_->first_use || !alive(*current_, view)) return false;
  const auto& held = current_->token->begins;
  const auto later = held && fresh.token->begins ? fresh.token->begins->since(*held) : std::nullopt;
  return later && *later >= Duration{0};
}

Instant TokenMachine::Impl::older_until(std::uint64_t generation,
                                        const clocks::ClockView& view) const {
  const bool replaced = current_ && current_->token->generation == generation &&
                        !current_->accepted && before_ && before_->accepted;
  return replaced ? end_for_api(life_of(*before_, view), learned_) : Instant::min();
}

/// The token before the one that the API's clock refused, while it lives: the API takes that one.
Holding* TokenMachine::Impl::older_for(const event::Want& want, const clocks::ClockView& view) {
  if (!want.refused || !want.refused->ill_timed || want.refused->older_too) return nullptr;
  if (want.force || !current_) return nullptr;
  const auto lives = [&](const Holding& holding) {
    const Instant end = end_for_api(life_of(holding, view), learned_);
    return holding.accepted && view.now().boot < end && end - view.now().boot >= want.min_life;
  };
  if (current_->token->generation == want.after && !current_->accepted) {
    if (want.refused->begins)
      current_->first_use = std::max(current_->first_use, *want.refused->begins);
    if (!before_ || !lives(*before_)) return nullptr;
    if (want.refused->begins) {
      next_ = std::move(current_);
    } else {
      discarded_generation_ = want.after;
    }
    current_ = std::exchange(before_, std::nullopt);
  }
  return current_->token->generation < want.after && lives(*current_) ? &*current_ : nullptr;
}

/// Where it belongs, as the newest.
void TokenMachine::Impl::place(Holding fresh, const clocks::ClockView& view) {
  auto token = std::make_shared<Token>(*fresh.token);
  token->generation = ++generations_;
  if (fresh.accepted) note_accepted(token->generation);
  fresh.token = std::move(token);
  backoff_.reset();
  not_before_ = {};
  last_failure_.reset();
  same_again_ = false;
  login_closed_.reset();
  login_refusals_ = 0;
  refused_ = 0;
  if (begins_no_sooner(fresh, view)) {
    const Duration later = *fresh.token->begins->since(*current_->token->begins);
    fresh.first_use = std::max(fresh.first_use, current_->first_use + later);
  }
  const bool keep_old = current_ && alive(*current_, view) && fresh.first_use > view.now().boot;
  if (!keep_old) return replace_current(std::move(fresh));
  next_ = std::move(fresh);
}

void TokenMachine::Impl::replace_current(Holding fresh) {
  if (current_ && current_->accepted) before_ = std::move(current_);
  current_ = std::move(fresh);
  next_.reset();
}

bool TokenMachine::Impl::had(const Secret& value) const {
  const auto is = [&](const std::optional<Holding>& held) {
    return held && held->token->value == value;
  };
  return is(current_) || is(next_);
}

bool TokenMachine::Impl::would_serve(const Token& token, Duration min_life,
                                     const clocks::ClockView& view) const {
  if (had(token.value)) return false;
  const Holding* held = newest();
  if (held != nullptr && held->token->issuer_date && token.issuer_date) {
    const auto older = held->token->issuer_date->since(*token.issuer_date);
    if (older && *older > Duration{0}) return false;
  }
  const Holding holding{.token = std::make_shared<Token>(token)};
  return alive(holding, view) && remaining(holding, view) >= min_life;
}

/// The token that we have: its life is what it was, and asking at once again would be a storm.
void TokenMachine::Impl::take_same_again(const clocks::ClockView& view) {
  const Duration wait = backoff_.next();
  not_before_ = view.now().boot + wait;
  log(LogLevel::warn,
      "the login host issued the same token again: next try in " + time::human(wait));
  same_again_ = true;
  for (auto& waiter : waiters_) waiter.newest_before = 0;  // no fresher one is to be had
  serve(view);
  std::erase_if(waiters_, [&](Waiter& waiter) {
    const bool refused = waiter.want.after >= newest_generation() && alive(*newest(), view);
    if (!refused || !waiter.gives_up(Retry::twice)) return false;
    deny(waiter, refused_token_again(), view);
    return true;
  });
}

}  // namespace skewguard::oauth
