#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "oauth/early_ends.hpp"
#include "oauth/lifetime.hpp"
#include "oauth/login_failure.hpp"
#include "oauth/refresh_schedule.hpp"
#include "oauth/refusal_budget.hpp"
#include "oauth/token_machine.hpp"
#include "oauth/waiters.hpp"
#include "time/backoff.hpp"

/// The token machine from within: token_machine.cpp takes what happens and says what follows,
/// token_fetch.cpp asks for tokens and sorts the failures, token_holding.cpp knows their lives.
namespace skewguard::oauth {

/// A token that is held, and what is known of it beside its own data.
struct Holding {
  TokenPtr token;
  Instant first_use{};
  double jitter = 0;  ///< [0, 1): where in its margin it is refreshed
  Duration took{0};   ///< its token request; 0 = not fetched here
  Instant no_refresh_before{};
  /// The second witness is believed. Not where it says that the token was dead when it came: an
  /// issuer whose exp and Date contradict each other would have us ask for ever.
  bool issuer_counts = true;
  bool accepted = false;  ///< the API has taken it
  bool wanted = false;    ///< someone asked for it, so it is worth a successor
};

/// No token request before `until`; who needs one is told `failure` at once.
struct Closed {
  Instant until{};
  TokenFailure failure;
  Duration wall_less_boot{};  ///< as it was
  /// What failed has worked before, so it may be over soon: callers that have the time wait.
  bool may_pass = false;
};

class TokenMachine::Impl {
 public:
  Impl(TokenMachineOptions options, Grants grants, std::shared_ptr<const Dialect> dialect,
       ServerId login)
      : options_(std::move(options)),
        grants_(std::move(grants)),
        dialect_(std::move(dialect)),
        login_(login),
        backoff_(options_.backoff, options_.seed),
        jitter_(options_.seed + 1) {}

  TokenActions step(const TokenEvent& event, const clocks::ClockView& view) {
    actions_.clear();
    reopen_where_clock_was_set(view);
    const bool due = !wake_ || *wake_ <= view.now().boot;
    if (due || !std::holds_alternative<event::Want>(event)) looked_at_ = 0;
    std::visit([&](const auto& e) { on(e, view); }, event);
    settle(view);
    looked_at_ = waiters_.size();
    return std::move(actions_);
  }

  TokenPtr usable(const clocks::ClockView& view) const {
    return current_ && current_->first_use <= view.now().boot && alive(*current_, view)
               ? current_->token
               : nullptr;
  }
  std::optional<Instant> ends_at(const clocks::ClockView& view) const {
    if (!current_) return std::nullopt;
    return end_for_api(life_of(*current_, view), learned_);
  }
  bool fetching() const noexcept { return fetch_.has_value(); }
  std::optional<Pause> pause() const;
  bool was_accepted(std::uint64_t generation) const noexcept {
    return std::find(accepted_.begin(), accepted_.end(), generation) != accepted_.end();
  }
  unsigned early_ends_before(std::uint64_t generation) const noexcept {
    return early_ends_.running_before(generation);
  }
  bool begins_ignored() const noexcept { return begins_ignored_; }
  Instant older_until(std::uint64_t generation, const clocks::ClockView& view) const;
  bool would_serve(const Token& token, Duration min_life, const clocks::ClockView& view) const;

 private:
  // Events ----------------------------------------------------------------------------------------
  void on(const event::Want& want, const clocks::ClockView& view);
  void on(const event::Withdraw& withdraw, const clocks::ClockView& view);
  void on(const event::Fetched& fetched, const clocks::ClockView& view);
  void on(const event::FetchFailed& failed, const clocks::ClockView& view);
  void on(const event::Tick& tick, const clocks::ClockView& view);
  void on(const event::Used& used, const clocks::ClockView& view);
  void on(const event::Accepted& accepted, const clocks::ClockView& view);
  void on(const event::RefusedForGood& refused, const clocks::ClockView& view);
  void on(const event::EndedEarly& fact, const clocks::ClockView& view);
  void on(const event::TakesUnbegun& fact, const clocks::ClockView& view);
  void on(const event::ApiLags& fact, const clocks::ClockView& view);
  void on(const event::ApiLeads& fact, const clocks::ClockView& view);
  void on(const event::StoodStill& event, const clocks::ClockView& view);
  void on(const event::Adopt& adopt, const clocks::ClockView& view);
  void on(const event::Found& found, const clocks::ClockView& view);
  void on(const event::TooSoon& late, const clocks::ClockView& view);
  void on(const event::Dropped& dropped, const clocks::ClockView& view);
  bool end_unsent(FetchId fetch);
  void on(const event::NewGrants& fresh, const clocks::ClockView& view);

  // What follows from the state, after any event -----------------------------------------------
  void settle(const clocks::ClockView& view);
  void promote(const clocks::ClockView& view);
  void serve(const clocks::ClockView& view);
  bool answer(const Waiter& waiter, const clocks::ClockView& view);
  std::vector<Waiter>::iterator first_to_look_at() {
    return waiters_.begin() + static_cast<std::ptrdiff_t>(looked_at_);
  }
  void start_fetch(const clocks::ClockView& view);
  void turn_away(const clocks::ClockView& view);
  void tell_hold_up(const clocks::ClockView& view);
  void publish(const clocks::ClockView& view);
  void set_wake(const clocks::ClockView& view);

  // Tokens ----------------------------------------------------------------------------------------
  LifeSpan life_of(const Holding& holding, const clocks::ClockView& view) const;
  bool alive(const Holding& holding, const clocks::ClockView& view) const {
    return view.now().boot < usable_until(life_of(holding, view), options_, learned_);
  }
  Duration remaining(const Holding& holding, const clocks::ClockView& view) const {
    return end_for_api(life_of(holding, view), learned_) - view.now().boot;
  }
  bool serves(const std::optional<Holding>& holding, const event::Want& want,
              const clocks::ClockView& view) const {
    return holding && holding->token->generation > want.after && alive(*holding, view) &&
           remaining(*holding, view) >= want.min_life && !too_old_for(want, *holding);
  }
  /// Asked for before the refusal of an ill-timed token: it would be refused alike.
  static bool too_old_for(const event::Want& want, const Holding& holding) {
    return want.refused && want.refused->ill_timed && holding.token->sent < want.refused->sent;
  }
  const Holding* newest() const { return next_ ? &*next_ : current_ ? &*current_ : nullptr; }
  std::uint64_t newest_generation() const { return newest() ? newest()->token->generation : 0; }
  bool given() const { return newest() != nullptr && newest()->token->given; }
  Holding hold(Token token, const clocks::ClockView& view);
  void note_accepted(std::uint64_t generation);
  const Holding* holding_of(std::uint64_t generation) const;
  void forget_refused(Verdict verdict, const clocks::ClockView& view);
  void take(TokenAnswer answer, const clocks::Answer& from, const clocks::ClockView& view);
  void place(Holding fresh, const clocks::ClockView& view);
  void replace_current(Holding fresh);
  bool begins_no_sooner(const Holding& fresh, const clocks::ClockView& view) const;
  Holding* older_for(const event::Want& want, const clocks::ClockView& view);
  bool had(const Secret& value) const;
  void take_same_again(const clocks::ClockView& view);
  void hide_secrets(std::initializer_list<std::string*> words) const;
  Refusal refusal_of(const Exchange& exchange) const;
  LoginContext context() const;
  void tell_oddities(const TokenAnswer& answer);

  // Fetching --------------------------------------------------------------------------------------
  /// What keeps everyone from a token request now, the door that stays closed longest; or null.
  const Closed* closed(const clocks::ClockView& view) const;
  bool turns_away(const clocks::ClockView& view) const;
  void reopen_where_clock_was_set(const clocks::ClockView& view);
  bool can_fetch() const { return !grants_.empty() && !given(); }
  const Grant& grant() const { return *grants_.at(turn_); }
  bool try_next_grant(const LoginFailure& failure, const clocks::Answer* answer,
                      const clocks::ClockView& view);
  std::optional<Instant> refresh_due(const clocks::ClockView& view) const;
  Instant earliest_fetch(const clocks::ClockView& view) const;
  bool paid_for(const clocks::ClockView& view) const;
  void finish_fetch();  ///< of a token request, which counts for all who wait
  void fail(LoginFailure failure, const clocks::Answer* answer, const clocks::ClockView& view);
  LoginAttempt attempt_of(const LoginFailure& failure, const clocks::Answer* answer, Duration wait,
                          const clocks::ClockView& view) const;
  TokenFailure reason_to_turn_away(const Waiter& waiter, const clocks::ClockView& view) const;
  TokenFailure given_failure(const Waiter& waiter, const clocks::ClockView& view) const;
  void deliver(const Waiter& waiter, Holding& holding);
  void deny(Waiter waiter, TokenFailure failure, const clocks::ClockView& view);
  void log(LogLevel level, std::string message, std::optional<Verdict> verdict = std::nullopt,
           std::string correlation = {});

  TokenMachineOptions options_;
  Grants grants_;
  std::size_t turn_ = 0;        ///< which of them is used
  std::size_t refused_ = 0;     ///< of them in a row, since a token came or all were
  bool grants_worked_ = false;  ///< the login host has given a token for them
  std::shared_ptr<const Dialect> dialect_;
  ServerId login_;
  time::Backoff backoff_;
  time::Jitter jitter_;

  std::optional<Holding> current_;  ///< kept when dead, to know the same token when it comes again
  std::optional<Holding> next_;     ///< newer, not to be sent yet; only while current_ lives
  std::optional<Holding> before_;   ///< the API took it; only until it takes current_
  std::uint64_t generations_ = 0;
  std::vector<std::uint64_t> accepted_;  ///< the last few generations that the API took
  EarlyEnds early_ends_;
  Learned learned_;
  bool begins_ignored_ = false;

  std::optional<FetchId> fetch_;  ///< under way
  bool fetch_paid_ = false;       ///< out of budget_
  RefusalBudget budget_;
  std::optional<Instant> held_up_since_;  ///< since when somebody waits, since tokens were refused
  std::uint64_t discarded_generation_ = 0;  ///< a refusal put an older one in its place; 0 = none
  FetchId fetches_ = 0;
  Instant not_before_{};                      ///< backoff: no fetch earlier
  std::vector<std::string> odd_fields_;       ///< of token answers, that were told
  std::optional<TokenFailure> last_failure_;  ///< of the last fetch; nothing if it brought a token
  bool same_again_ = false;                   ///< the last fetch brought the token that we had
  std::optional<Closed> login_closed_;        ///< by a failure that no retry cures
  unsigned login_refusals_ = 0;               ///< in a row
  std::optional<Closed> api_closed_;          ///< by a fresh token that the API refused
  unsigned api_refusals_ = 0;                 ///< in a row
  std::uint64_t refused_generation_ = 0;

  std::vector<Waiter> waiters_;  ///< in order of arrival
  /// So many of them wait for an event or for wake_, and one more caller changes nothing for them:
  /// thousands that come at once are looked at once each.
  std::size_t looked_at_ = 0;
  WaiterId newest_waiter_ = 0;  ///< the largest that has come
  TokenPtr published_;
  Instant published_until_{};
  std::optional<Instant> wake_;
  bool unsaved_ = false;                     ///< the newest token
  std::optional<std::uint64_t> noteworthy_;  ///< a generation of which more is known now
  TokenActions actions_;
};

}  // namespace skewguard::oauth
