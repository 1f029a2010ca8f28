#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "clocks/clock_view.hpp"
#include "oauth/refresh_schedule.hpp"
#include "oauth/token.hpp"
#include "oauth/token_events.hpp"
#include "time/backoff.hpp"

namespace skewguard::oauth {

/// A token that is held, and what is known of it beside its own data.
struct Holding {
  TokenPtr token;
  Instant first_use{};
  double jitter = 0;  ///< [0, 1): when in its margin it is refreshed
  Duration took{0};   ///< its token request; 0 = not fetched here
  Instant no_refresh_before{};
  /// The issuer's clock may end its life before our own deadline does. Not if by that clock the
  /// token was dead when it came: an issuer whose exp and Date contradict each other would have us
  /// ask for ever.
  bool issuer_counts = true;
  bool accepted = false;  ///< by the API
  bool refused = false;   ///< by the API since it was last accepted, and not for its times
  bool wanted = false;    ///< someone asked for it, so it is worth a successor
};

/// The lives of tokens as they are counted at one moment: each ends at our own deadline or by the
/// issuer's clock, whichever is earlier, less what was learned of the API's clock. Refers to its
/// arguments: use it within one step.
class Lives {
 public:
  Lives(const Margins& margins, const Learned& learned, const clocks::ClockView& view)
      : margins_(&margins), learned_(&learned), view_(&view) {}

  [[nodiscard]] Instant now() const noexcept { return view_->now().boot; }
  [[nodiscard]] const Learned& learned() const noexcept { return *learned_; }
  [[nodiscard]] LifeSpan of(const Holding& holding) const;
  [[nodiscard]] Instant end(const Holding& holding) const {
    return end_for_api(of(holding), *learned_);
  }
  [[nodiscard]] Duration remaining(const Holding& holding) const { return end(holding) - now(); }
  /// From then on it is no longer sent.
  [[nodiscard]] Instant usable_until(const Holding& holding) const {
    return oauth::usable_until(of(holding), *margins_, *learned_);
  }
  [[nodiscard]] bool alive(const Holding& holding) const { return now() < usable_until(holding); }
  /// From then on it is due for a successor.
  [[nodiscard]] Instant refresh_at(const Holding& holding) const;

 private:
  const Margins* margins_;
  const Learned* learned_;
  const clocks::ClockView* view_;
};

/// The tokens that are held: the current one; the next one, while the API's clock has surely not
/// reached its begin; and the one before, until the API has accepted the current one. Not
/// thread-safe.
class Holdings {
 public:
  explicit Holdings(std::uint64_t seed) : jitter_(seed) {}

  /// A token as it would be held, without a generation yet.
  [[nodiscard]] Holding made(Token token, const Lives& lives);
  /// The same for one that another program fetched. It is not refreshed for `grace`, so that a
  /// program that ends soon starts no token request.
  [[nodiscard]] Holding made_elsewhere(Token token, Duration grace, const Lives& lives);

  // What is held ----------------------------------------------------------------------------------
  [[nodiscard]] const Holding* current() const noexcept { return current_ ? &*current_ : nullptr; }
  [[nodiscard]] const Holding* next() const noexcept { return next_ ? &*next_ : nullptr; }
  [[nodiscard]] const Holding* newest() const noexcept { return next_ ? &*next_ : current(); }
  [[nodiscard]] std::uint64_t newest_generation() const noexcept {
    return newest() != nullptr ? newest()->token->generation : 0;
  }
  /// The one of this generation; null if it is neither the current nor the next one.
  [[nodiscard]] const Holding* of(std::uint64_t generation) const noexcept;
  /// So many tokens have come; the latest has this generation, held or not.
  [[nodiscard]] std::uint64_t generations() const noexcept { return generations_; }
  /// The token was obtained elsewhere, so none can be requested.
  [[nodiscard]] bool given() const noexcept {
    return newest() != nullptr && newest()->token->given;
  }
  [[nodiscard]] bool holds(const Secret& value) const;

  // What they are good for ------------------------------------------------------------------------
  /// The token that may be sent now, or null.
  [[nodiscard]] TokenPtr usable(const Lives& lives) const;
  /// The first one that does for this caller, or null.
  [[nodiscard]] Holding* serving(const event::Want& want, const Lives& lives);
  /// A caller whose new token was refused by the API's clock is served by the token before it,
  /// while that lives: this becomes the current one again. Null: not such a caller, or none lives.
  [[nodiscard]] Holding* older_for(const event::Want& want, const Lives& lives);
  /// Until when the token before this generation would serve in its place; Instant::min(): it would
  /// not.
  [[nodiscard]] Instant older_until(std::uint64_t generation, const Lives& lives) const;
  /// The token before the current one, if it is held and lives; else null.
  [[nodiscard]] TokenPtr before(const Lives& lives) const;
  /// Whether another program's token would do in place of a new one: it is not held here, no older
  /// than the newest one, and has `min_life` left.
  [[nodiscard]] bool would_serve(const Token& token, Duration min_life, const Lives& lives) const;
  /// The newest one is held back since its begin lies ahead, and `fresh` begins no sooner.
  [[nodiscard]] bool begins_no_sooner(const Holding& fresh, const Lives& lives) const;
  /// When the current token is due for a successor; nothing if it is not worth one.
  [[nodiscard]] std::optional<Instant> refresh_due(const Lives& lives) const;
  /// When something changes by time alone: a first use, or an end of use.
  [[nodiscard]] std::optional<Instant> next_change(const Lives& lives) const;
  /// A refusal put an older token in the place of the newest one, and nothing newer has been
  /// accepted since.
  [[nodiscard]] bool fell_back() const noexcept { return discarded_ != 0; }
  /// The same, and no newer token has come since.
  [[nodiscard]] bool lacks_successor() const noexcept {
    return discarded_ != 0 && discarded_ == generations_;
  }

  // What happens to them --------------------------------------------------------------------------
  /// Puts it where it belongs, as the newest; it gets the next generation.
  void place(Holding fresh, const Lives& lives);
  /// Replaces all by a token from the store or a given one, if it is better: given, longer-lived,
  /// or the only one. False: it was not.
  bool adopt(Holding fresh, const Lives& lives);
  /// The next token becomes the current one when its time has come or the current one is dead.
  void promote(const Lives& lives);
  void mark_used() noexcept {
    if (current_) current_->wanted = true;
  }
  void mark_accepted(std::uint64_t generation, Instant now) noexcept;
  /// A server refused it, and no clock explains that. It is used until the one that replaces it has
  /// come: the refusal may have been about something else.
  void mark_refused(std::uint64_t generation) noexcept;
  /// The API's lag has changed, and with it the first use of tokens not yet accepted.
  void schedule_first_use(const Learned& learned);
  /// Boot time is short by `gap`: to a clock that did not stand still, tokens whose answer came
  /// before `issued_from` were requested that much earlier.
  void age(Duration gap, Instant issued_from);

 private:
  /// The current one was refused, and its successor only waits for its first use.
  [[nodiscard]] bool is_replaced(const Holding& holding) const noexcept {
    return holding.refused && next_ && current_ && &holding == &*current_;
  }
  void number(Holding& fresh);
  void replace_current(Holding fresh);
  [[nodiscard]] auto sendable() noexcept { return std::array{&current_, &next_}; }

  time::Jitter jitter_;
  std::optional<Holding> current_;  ///< kept when dead, to know the same token when it comes again
  std::optional<Holding> next_;     ///< only while current_ lives
  std::optional<Holding> before_;   ///< the API has accepted it
  std::uint64_t generations_ = 0;
  std::uint64_t discarded_ = 0;  ///< the generation that an older token replaced; 0 = none
};

}  // namespace skewguard::oauth
