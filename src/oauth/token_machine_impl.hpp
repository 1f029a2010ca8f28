#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "oauth/doors.hpp"
#include "oauth/fetch_slot.hpp"
#include "oauth/holdings.hpp"
#include "oauth/knowledge.hpp"
#include "oauth/login_failure.hpp"
#include "oauth/login_host.hpp"
#include "oauth/token_machine.hpp"
#include "oauth/waiters.hpp"

/// The token machine from within: token_machine.cpp takes what happens and decides what follows,
/// token_fetch.cpp requests tokens and tells callers why they get none. What is remembered lives in
/// the parts that the machine is made of.
namespace skewguard::oauth {

class TokenMachine::Impl {
 public:
  Impl(TokenMachineOptions options, Grants grants, std::shared_ptr<const Dialect> dialect,
       ServerId login)
      : options_(std::move(options)),
        login_(login),
        host_({options_.token_url, options_.region, options_.raw_basic}, std::move(grants),
              std::move(dialect)),
        login_door_(options_.pauses, options_.backoff, options_.seed),
        api_door_(options_.pauses),
        tokens_(options_.seed + 1) {}

  TokenActions step(const TokenEvent& event, const clocks::ClockView& view) {
    actions_.clear();
    login_door_.open_if_clock_was_set(view.now());
    const bool due = !wake_ || *wake_ <= view.now().boot;
    if (due || !std::holds_alternative<event::Want>(event)) waiters_.look_at_all();
    std::visit([&](const auto& e) { on(e, view); }, event);
    settle(view);
    waiters_.mark_seen();
    return std::move(actions_);
  }

  TokenPtr usable(const clocks::ClockView& view) const { return tokens_.usable(lives(view)); }
  std::optional<Instant> ends_at(const clocks::ClockView& view) const {
    const Holding* current = tokens_.current();
    return current != nullptr ? std::optional(lives(view).end(*current)) : std::nullopt;
  }
  bool fetching() const noexcept { return fetch_.busy(); }
  std::optional<Instant> next_chance(const clocks::ClockView& view) const;
  std::optional<Pause> pause(Instant now) const;
  const Knowledge& known() const noexcept { return known_; }
  Instant older_until(std::uint64_t generation, const clocks::ClockView& view) const {
    return tokens_.older_until(generation, lives(view));
  }
  bool would_serve(const Token& token, Duration min_life, const clocks::ClockView& view) const {
    return tokens_.would_serve(token, min_life, lives(view));
  }

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
  void on(const event::RejectedElsewhere& rejected, const clocks::ClockView& view);
  void on(const event::Dropped& dropped, const clocks::ClockView& view);
  void on(const event::NewGrants& fresh, const clocks::ClockView& view);

  // What follows from the state, after any event
  // ---------------------------------------------------
  void settle(const clocks::ClockView& view);
  void serve(const clocks::ClockView& view);
  bool answer(const Waiter& waiter, const clocks::ClockView& view);
  void start_fetch(const clocks::ClockView& view);
  void turn_away(const clocks::ClockView& view);
  void tell_hold_up(const clocks::ClockView& view);
  void publish(const clocks::ClockView& view);
  void save();
  void set_wake(const clocks::ClockView& view);

  // Requesting tokens -----------------------------------------------------------------------------
  [[nodiscard]] Lives lives(const clocks::ClockView& view) const {
    return {options_.margins, known_.learned(), view};
  }
  [[nodiscard]] bool can_fetch() const { return !host_.grants().empty() && !tokens_.given(); }
  [[nodiscard]] std::optional<Instant> refresh_due(const clocks::ClockView& view) const {
    return can_fetch() ? tokens_.refresh_due(lives(view)) : std::nullopt;
  }
  [[nodiscard]] bool paid_for(const clocks::ClockView& view, Instant at) const;
  [[nodiscard]] Instant earliest_fetch(const clocks::ClockView& view) const {
    return earliest_fetch(view, view.now().boot);
  }
  [[nodiscard]] Instant earliest_fetch(const clocks::ClockView& view, Instant at) const;
  /// The door that stays closed longest, or null.
  [[nodiscard]] const Closed* closed(Instant now) const;
  [[nodiscard]] bool turns_away(Instant now) const;
  void take(TokenAnswer answer, const clocks::Answer& from, const clocks::ClockView& view);
  void take_same_again(const clocks::ClockView& view);
  void place(Holding fresh, const clocks::ClockView& view);
  void fail(const LoginFailure& failure, const clocks::Answer* answer,
            const clocks::ClockView& view);
  void fail_all(const LoginFailure& failure, const clocks::Answer* answer,
                const clocks::ClockView& view);
  bool try_next_grant(const LoginFailure& failure, const clocks::Answer* answer,
                      const clocks::ClockView& view);

  // Telling ---------------------------------------------------------------------------------------
  [[nodiscard]] LoginAttempt attempt_of(const LoginFailure& failure, const clocks::Answer* answer,
                                        Duration wait, const clocks::ClockView& view) const;
  [[nodiscard]] TokenFailure reason_to_turn_away(const Waiter& waiter,
                                                 const clocks::ClockView& view) const;
  [[nodiscard]] TokenFailure given_failure(const Waiter& waiter,
                                           const clocks::ClockView& view) const;
  void deliver(const Waiter& waiter, Holding& holding);
  void fail(Waiter waiter, TokenFailure failure, const clocks::ClockView& view);
  void forget_refused(Verdict verdict, const clocks::ClockView& view);
  void tell_oddities(const TokenAnswer& answer);
  void log(LogLevel level, std::string message, std::optional<Verdict> verdict = std::nullopt,
           std::string correlation = {});
  void log_wait(Duration wait, std::string message, std::optional<Verdict> verdict = std::nullopt);

  TokenMachineOptions options_;
  ServerId login_;
  LoginHost host_;
  LoginDoor login_door_;
  ApiDoor api_door_;
  FetchSlot fetch_;
  Holdings tokens_;
  Knowledge known_;
  Waiters waiters_;

  action::Publish published_;
  std::optional<Instant> wake_;
  bool unsaved_ = false;                     ///< the newest token
  std::optional<std::uint64_t> noteworthy_;  ///< a generation of which more is known now
  std::vector<std::string> odd_fields_;      ///< of token answers, already reported
  TokenActions actions_;
};

}  // namespace skewguard::oauth
