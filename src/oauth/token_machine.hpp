#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "clocks/clock_view.hpp"
#include "oauth/dialect.hpp"
#include "oauth/grant.hpp"
#include "oauth/pause_options.hpp"
#include "oauth/refresh_schedule.hpp"
#include "oauth/token.hpp"
#include "oauth/token_events.hpp"
#include "time/backoff.hpp"

namespace skewguard::oauth {

struct TokenMachineOptions {
  std::string token_url;
  std::string region;      ///< for explanations; may be empty
  bool raw_basic = false;  ///< id and secret are not form-encoded first: for explanations
  Margins margins{};
  /// A token from the store is refreshed early only by programs that have run for this long: a
  /// command that exits after its call would leave the token request unanswered, and the next
  /// command would repeat it.
  Duration early_refresh_after = std::chrono::seconds{2};
  /// The timeout of a token request: a login host that takes 10 s is slow, not down; and within a
  /// call's 30 s there is time for a second try.
  Duration fetch_timeout = std::chrono::seconds{14};
  Duration unknown_life = std::chrono::seconds{300};  ///< if it is not known: Genesys' shortest
  time::Backoff::Options backoff{};
  PauseOptions pauses{};
  std::uint64_t seed = 1;  ///< for jitter
};

/// Holds the current token and fetches the next one in time, never two at once. Pure: driven by
/// events, returns actions. Not thread-safe: it belongs to the control loop.
class TokenMachine {
 public:
  /// `grants`: if one is rejected, the next is tried at once. Empty: tokens are given, not
  /// requested.
  TokenMachine(TokenMachineOptions options, Grants grants, std::shared_ptr<const Dialect> dialect,
               ServerId login);
  ~TokenMachine();
  TokenMachine(TokenMachine&&) noexcept;
  TokenMachine& operator=(TokenMachine&&) noexcept;

  [[nodiscard]] TokenActions step(const TokenEvent& event, const clocks::ClockView& view);

  /// The token that may be sent now, or null. Deadlines are checked here, not by timers.
  [[nodiscard]] TokenPtr usable(const clocks::ClockView& view) const;
  /// Whether another process's token can be used instead of a new one: different from those used
  /// here, not older, and with `min_life` left.
  [[nodiscard]] bool would_serve(const Token& token, Duration min_life,
                                 const clocks::ClockView& view) const;
  /// When the current token expires, by the earlier of its two witnesses and what was learned.
  [[nodiscard]] std::optional<Instant> ends_at(const clocks::ClockView& view) const;
  [[nodiscard]] bool fetching() const noexcept;
  /// If no token may be sent now: when there may be one, because the newest one becomes valid then
  /// or is not requested before. Empty if that is not known.
  [[nodiscard]] std::optional<Instant> next_chance(const clocks::ClockView& view) const;
  /// Until when no token request is made because the login host failed, rate limited the last one
  /// or rejects the client's credentials, and which of these it was; empty if none.
  struct Pause {
    Instant until{};
    Verdict verdict = Verdict::ok;
    bool credentials = false;
  };
  [[nodiscard]] std::optional<Pause> pause(Instant now) const;
  [[nodiscard]] bool was_accepted(std::uint64_t generation) const noexcept;
  /// The API's Date does not show whether a token is valid yet (TakesUnbegun, until ApiLags).
  [[nodiscard]] bool begins_ignored() const noexcept;
  /// Until when the token before this generation could be used instead if this one is not valid yet
  /// by the API's clock; Instant::min() if it could not.
  [[nodiscard]] Instant older_until(std::uint64_t generation, const clocks::ClockView& view) const;
  /// How many consecutive generations, up to the one before, ended early (at most the last 8).
  [[nodiscard]] unsigned early_ends_before(std::uint64_t generation) const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skewguard::oauth
