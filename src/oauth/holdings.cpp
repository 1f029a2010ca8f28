#include "oauth/holdings.hpp"

#include <algorithm>
#include <memory>

#include "oauth/lifetime.hpp"

namespace skewguard::oauth {
namespace {

/// It was requested before an ill-timed token was refused, so it would be refused alike.
bool too_old_for(const event::Want& want, const Holding& holding) {
  return want.refused && want.refused->ill_timed && holding.token->sent < want.refused->sent;
}

}  // namespace

LifeSpan Lives::of(const Holding& holding) const {
  const Token& token = *holding.token;
  // Of a given token nobody here knows when it was issued: only its issuer's clock can end it.
  const bool unknown = token.given && !token.expires_in;
  LifeSpan life{token.sent, unknown ? token.sent + kLongestLife : token.dead_at(), holding.took};
  if (!holding.issuer_counts || !token.ends) return life;
  if (const auto ended = view_->when(*token.ends)) life.end = std::min(life.end, ended->latest);
  return life;
}

Instant Lives::refresh_at(const Holding& holding) const {
  return std::max(oauth::refresh_at(of(holding), *margins_, *learned_, holding.jitter),
                  holding.no_refresh_before);
}

Holding Holdings::made(Token token, const Lives& lives) {
  Holding holding{.token = std::make_shared<Token>(std::move(token)), .jitter = jitter_.next()};
  holding.accepted = holding.token->accepted_before;
  holding.first_use = holding.accepted ? lives.now() : first_use(*holding.token, lives.learned());
  holding.issuer_counts = lives.alive(holding);
  return holding;
}

Holding Holdings::made_elsewhere(Token token, Duration grace, const Lives& lives) {
  Holding holding = made(std::move(token), lives);
  holding.issuer_counts = true;  // it is the better witness if a token is not new
  holding.no_refresh_before = lives.now() + grace;
  return holding;
}

const Holding* Holdings::of(std::uint64_t generation) const noexcept {
  for (const auto* holding : {&current_, &next_})
    if (*holding && (*holding)->token->generation == generation) return &**holding;
  return nullptr;
}

bool Holdings::holds(const Secret& value) const {
  const auto is = [&](const std::optional<Holding>& held) {
    return held && held->token->value == value;
  };
  return is(current_) || is(next_);
}

TokenPtr Holdings::usable(const Lives& lives) const {
  const bool may_be_sent = current_ && current_->first_use <= lives.now() &&
                           lives.alive(*current_) && !is_replaced(*current_);
  return may_be_sent ? current_->token : nullptr;
}

Holding* Holdings::serving(const event::Want& want, const Lives& lives) {
  for (auto* holding : sendable()) {
    if (!*holding || is_replaced(**holding)) continue;
    Holding& held = **holding;
    if (held.token->generation > want.after && lives.alive(held) &&
        lives.remaining(held) >= want.min_life && !too_old_for(want, held))
      return &held;
  }
  return nullptr;
}

Holding* Holdings::older_for(const event::Want& want, const Lives& lives) {
  if (!want.refused || !want.refused->ill_timed || want.refused->older_too) return nullptr;
  if (want.force || !current_) return nullptr;
  const auto lives_on = [&](const Holding& holding) {
    const Duration left = lives.remaining(holding);
    return holding.accepted && left > Duration{0} && left >= want.min_life;
  };
  if (current_->token->generation == want.after && !current_->accepted) {
    if (want.refused->begins)
      current_->first_use = std::max(current_->first_use, *want.refused->begins);
    if (!before_ || !lives_on(*before_)) return nullptr;
    if (want.refused->begins) {
      next_ = std::move(current_);
    } else {
      discarded_ = want.after;
    }
    current_ = std::exchange(before_, std::nullopt);
  }
  return current_->token->generation < want.after && lives_on(*current_) ? &*current_ : nullptr;
}

Instant Holdings::older_until(std::uint64_t generation, const Lives& lives) const {
  const bool replaced = current_ && current_->token->generation == generation &&
                        !current_->accepted && before_ && before_->accepted;
  return replaced ? lives.end(*before_) : Instant::min();
}

TokenPtr Holdings::before(const Lives& lives) const {
  return before_ && lives.alive(*before_) ? before_->token : nullptr;
}

bool Holdings::would_serve(const Token& token, Duration min_life, const Lives& lives) const {
  if (holds(token.value)) return false;
  const Holding* held = newest();
  if (held != nullptr && held->token->issuer_date && token.issuer_date) {
    const auto older = held->token->issuer_date->since(*token.issuer_date);
    if (older && *older > Duration{0}) return false;
  }
  const Holding holding{.token = std::make_shared<Token>(token)};
  return lives.alive(holding) && lives.remaining(holding) >= min_life;
}

bool Holdings::begins_no_sooner(const Holding& fresh, const Lives& lives) const {
  if (!current_ || lives.now() >= current_->first_use || !lives.alive(*current_)) return false;
  const auto& held = current_->token->begins;
  const auto later = held && fresh.token->begins ? fresh.token->begins->since(*held) : std::nullopt;
  return later && *later >= Duration{0};
}

std::optional<Instant> Holdings::refresh_due(const Lives& lives) const {
  if (next_ || !current_ || !current_->wanted || !lives.alive(*current_)) return std::nullopt;
  return lives.refresh_at(*current_);
}

std::optional<Instant> Holdings::next_change(const Lives& lives) const {
  std::optional<Instant> change;
  if (next_) change = next_->first_use;
  if (current_ && lives.alive(*current_)) {
    Instant own = lives.usable_until(*current_);
    if (lives.now() < current_->first_use) own = std::min(own, current_->first_use);
    change = std::min(own, change.value_or(own));
  }
  return change;
}

void Holdings::place(Holding fresh, const Lives& lives) {
  number(fresh);
  if (begins_no_sooner(fresh, lives)) {
    const Duration later = *fresh.token->begins->since(*current_->token->begins);
    fresh.first_use = std::max(fresh.first_use, current_->first_use + later);
  }
  const bool keep_old = current_ && lives.alive(*current_) && fresh.first_use > lives.now();
  if (!keep_old) return replace_current(std::move(fresh));
  next_ = std::move(fresh);
}

bool Holdings::adopt(Holding fresh, const Lives& lives) {
  const Holding* held = newest();
  const bool given = fresh.token->given;
  const bool better =
      given || held == nullptr || !lives.alive(*held) || lives.of(fresh).end > lives.of(*held).end;
  if (!better) return false;
  if (given) fresh.first_use = lives.now();
  number(fresh);
  current_ = std::move(fresh);
  next_.reset();
  return true;
}

void Holdings::promote(const Lives& lives) {
  if (!next_) return;
  if (lives.now() < next_->first_use && lives.alive(*current_)) return;
  replace_current(*std::exchange(next_, std::nullopt));
}

void Holdings::mark_accepted(std::uint64_t generation, Instant now) noexcept {
  if (generation > discarded_) discarded_ = 0;
  if (current_ && current_->token->generation == generation) before_.reset();
  for (auto* holding : sendable()) {
    if (!*holding || (*holding)->token->generation != generation) continue;
    (*holding)->accepted = (*holding)->wanted = true;
    (*holding)->refused = false;
    (*holding)->first_use = std::min((*holding)->first_use, now);
  }
}

void Holdings::mark_refused(std::uint64_t generation) noexcept {
  for (auto* holding : sendable())
    if (*holding && (*holding)->token->generation == generation) (*holding)->refused = true;
}

void Holdings::schedule_first_use(const Learned& learned) {
  for (auto* holding : sendable()) {
    if (!*holding || (*holding)->accepted || (*holding)->token->given) continue;
    (*holding)->first_use = first_use(*(*holding)->token, learned);
  }
}

void Holdings::age(Duration gap, Instant issued_from) {
  for (auto* holding : {&before_, &current_, &next_}) {
    if (!*holding || (*holding)->token->received >= issued_from) continue;
    auto token = std::make_shared<Token>(*(*holding)->token);
    token->sent -= gap;
    token->received -= gap;
    (*holding)->token = std::move(token);
  }
}

void Holdings::number(Holding& fresh) {
  auto token = std::make_shared<Token>(*fresh.token);
  token->generation = ++generations_;
  fresh.token = std::move(token);
}

void Holdings::replace_current(Holding fresh) {
  if (current_ && current_->accepted) before_ = std::move(current_);
  current_ = std::move(fresh);
  next_.reset();
}

}  // namespace skewguard::oauth
