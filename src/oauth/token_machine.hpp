#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "clocks/clock_view.hpp"
#include "oauth/dialect.hpp"
#include "oauth/grant.hpp"
#include "oauth/token.hpp"
#include "oauth/token_failure.hpp"
#include "skewguard/log.hpp"
#include "skewguard/report.hpp"
#include "skewguard/transport.hpp"
#include "time/backoff.hpp"

namespace skewguard::oauth {

/// One answer, or missing answer, of the login host that did not bring a token, as a caller's
/// report tells it. `attempt.n` is filled in by the call.
struct LoginAttempt {
  ReportedAttempt attempt;
  std::uint64_t fetch = 0;  ///< which token request
};

using WaiterId = std::uint64_t;
using FetchId = std::uint64_t;

/// A server refused the token that a Want asks to replace.
struct Refused {
  Instant sent{};  ///< when it was sent
  /// The token was new, and by the API's clock it had not begun, or had ended already. So an older
  /// one may serve better, and a newer one only if it was asked for since.
  bool ill_timed = false;
  bool older_too = false;  ///< one from before it has been refused, too
  /// When that clock reaches its begin, if that is why.
  std::optional<Instant> begins{};
};

namespace event {
/// Someone needs a token: of a later generation than `after` (0 = any), with `min_life` left, by
/// `deadline`. `force`: a new one in any case (one that is under way already counts). `refused`:
/// why none up to `after` will do; if that was before its end, evidence rule 8 limits the token
/// requests.
struct Want {
  WaiterId waiter = 0;
  Instant deadline{};
  std::uint64_t after = 0;
  Duration min_life{0};
  bool force = false;
  std::optional<Refused> refused{};
};
struct Withdraw {
  WaiterId waiter = 0;
};
/// An answer to StartFetch. The ClockBook has observed its Date already.
struct Fetched {
  FetchId fetch = 0;
  clocks::Answer answer;
};
struct FetchFailed {
  FetchId fetch = 0;
  TransportFailure failure;
};
/// A timer fired (or anybody thinks it is worth a look).
struct Tick {};
/// The published token is being used: it is worth a successor.
struct Used {};
/// The API took this token.
struct Accepted {
  std::uint64_t generation = 0;
};
/// A call ended with token_rejected (or issuer_clock_behind) for this token: pause, longer each
/// time.
struct RefusedForGood {
  std::uint64_t generation = 0;
  Verdict verdict = Verdict::token_rejected;
};
/// The API took this token, then refused it early in its life; no clock explains that.
struct EndedEarly {
  std::uint64_t generation = 0;
};
/// The API took a token that had surely not begun by the Date of that very answer: it does not look
/// at begins, or not by the clock that its Date shows.
struct TakesUnbegun {};
/// This API refuses tokens until its own clock has reached their begin, and lags the issuer by at
/// most `lag`: from now on fetch that much earlier, first use when surely active. 0: it no longer
/// does. `least`: what its clock surely lags by.
struct ApiLags {
  Duration lag{0};
  Duration least{0};
};
/// This API's clock leads the issuer's by `lead`: tokens end that much earlier. `least`: what it
/// surely leads by.
struct ApiLeads {
  Duration lead{0};
  Duration least{0};
};
/// Boot time is short by about `gap`: the machine stood still. Tokens whose answer came at
/// `issued_from` or later were issued after that, and keep their lives.
struct StoodStill {
  Duration gap{0};
  Instant issued_from = Instant::max();
};
/// A token from the store, or a given one.
struct Adopt {
  TokenPtr token;
};
/// Ends a StartFetch without a token request: somebody else had asked, and his token will do
/// (`would_serve`).
struct Found {
  FetchId fetch = 0;
  TokenPtr token;
};
/// Ends a StartFetch without a token request: all processes of this client together have spent what
/// evidence rule 8 allows, until about then.
struct TooSoon {
  FetchId fetch = 0;
  Instant until{};
};
/// Ends a StartFetch without a token request: all who waited for it have left.
struct Dropped {
  FetchId fetch = 0;
};
/// Other secrets of the same client from now on; never empty.
struct NewGrants {
  Grants grants;
};
}  // namespace event

using TokenEvent =
    std::variant<event::Want, event::Withdraw, event::Fetched, event::FetchFailed, event::Tick,
                 event::Used, event::Accepted, event::RefusedForGood, event::EndedEarly,
                 event::TakesUnbegun, event::ApiLags, event::ApiLeads, event::StoodStill,
                 event::Adopt, event::Found, event::TooSoon, event::Dropped, event::NewGrants>;

namespace action {
/// Send this to the login host; answer with Fetched or FetchFailed (or Found). At most one is under
/// way.
struct StartFetch {
  FetchId fetch = 0;
  HttpRequest request;
  Instant deadline{};    ///< for this one request
  Duration min_life{0};  ///< that somebody wants left of it
  bool anew = false;     ///< somebody wants one that nobody has had yet
  bool pays = false;     ///< a refusal is why: evidence rule 8 limits these
};
/// Answers a Want, exactly once each (Deliver or Deny). `first_use`: do not send it before.
struct Deliver {
  WaiterId waiter = 0;
  TokenPtr token;
  Instant first_use{};
  int token_requests = 0;              ///< sent while this waiter waited
  std::vector<LoginAttempt> attempts;  ///< those of them that failed
  Duration held_up{0};                 ///< it waited so long since tokens had been refused
};
struct Deny {
  WaiterId waiter = 0;
  TokenFailure failure;
  int token_requests = 0;
  std::vector<LoginAttempt> attempts;
  Duration held_up{0};
};
/// The current token, for readers; null = none that may be used.
struct Publish {
  TokenPtr token;
  Instant usable_until{};
};
/// Step me with Tick at about this time. Replaces the last one.
struct WakeAt {
  Instant at{};
};
/// A token request failed: for on_rejection, at once, however many wait.
struct Rejected {
  LoginAttempt attempt;
};
/// The token that the last fetch brought: other processes may use it.
struct Save {
  TokenPtr token;
};
/// Something has become known of this token or of the two clocks.
struct Note {
  TokenPtr token;
  bool accepted = false;
  Duration lag{0};
  Duration lead{0};
};
/// This token is refused: no other process should use it.
struct Forget {
  TokenPtr refused;
  TokenPtr instead{};  ///< an older one that lives and that the API accepted; may be null
};
struct Log {
  LogLine line;
};
}  // namespace action

using TokenAction =
    std::variant<action::StartFetch, action::Deliver, action::Deny, action::Publish, action::WakeAt,
                 action::Rejected, action::Save, action::Note, action::Forget, action::Log>;
using TokenActions = std::vector<TokenAction>;

struct TokenMachineOptions {
  std::string token_url;
  std::string region;      ///< for explanations; may be empty
  bool raw_basic = false;  ///< id and secret are not form-encoded first: for explanations
  /// Part of the lifetime that a refresh starts ahead of its end (before jitter). Of 300 s, the
  /// platform's shortest life: room for a login host that takes 10 s, and, with the margin of use,
  /// less than 5% more tokens.
  double refresh_ahead_part = 0.045;
  Duration refresh_ahead_most =
      std::chrono::seconds{90};  ///< room for two tries of 30 s and backoff
  /// A token from the store is refreshed ahead by programs alone that go on for so long: a command
  /// that ends with its call would leave the token request unanswered, and the next command would
  /// make it again.
  Duration lasting_program = std::chrono::seconds{2};
  /// Part of the lifetime, at its end, in which it is no longer sent: it must still live on
  /// arrival.
  double use_margin_part = 0.02;
  Duration use_margin_most = std::chrono::seconds{2};
  /// Of one token request: a login host that takes 10 s is slow, not down; and within a call's 30 s
  /// it gets a second chance.
  Duration fetch_timeout = std::chrono::seconds{14};
  Duration unknown_life = std::chrono::seconds{300};  ///< where nothing tells it: Genesys' shortest
  time::Backoff::Options backoff{};
  Duration first_pause = std::chrono::seconds{5};  ///< after a fresh token was refused; doubles
  /// After credentials were refused that had worked; doubles. They may be restored at any time.
  Duration first_pause_after_good = std::chrono::seconds{1};
  Duration longest_pause = std::chrono::minutes{5};
  std::uint64_t seed = 1;  ///< for jitter
};

/// Holds the current token, fetches the next one in time, and never two at once. Pure: driven by
/// events, answers with actions. Not thread-safe: it belongs to the control loop.
class TokenMachine {
 public:
  /// `grants`: where one is refused the next is tried at once. Empty: tokens are given, not asked
  /// for.
  TokenMachine(TokenMachineOptions options, Grants grants, std::shared_ptr<const Dialect> dialect,
               ServerId login);
  ~TokenMachine();
  TokenMachine(TokenMachine&&) noexcept;
  TokenMachine& operator=(TokenMachine&&) noexcept;

  [[nodiscard]] TokenActions step(const TokenEvent& event, const clocks::ClockView& view);

  /// The token that may be sent now, or null. Deadlines are checked here, not by timers.
  [[nodiscard]] TokenPtr usable(const clocks::ClockView& view) const;
  /// Whether somebody else's token would do in place of a new one: another than those that were
  /// had here, no older, and with `min_life` left.
  [[nodiscard]] bool would_serve(const Token& token, Duration min_life,
                                 const clocks::ClockView& view) const;
  /// When the current token's life ends, by the earlier of its two witnesses and what was learned.
  [[nodiscard]] std::optional<Instant> ends_at(const clocks::ClockView& view) const;
  [[nodiscard]] bool fetching() const noexcept;
  /// Until when no token request is made because the login host failed or limited the last one, and
  /// which of the two it was; nothing if it did neither.
  struct Pause {
    Instant until{};
    Verdict verdict = Verdict::ok;
  };
  [[nodiscard]] std::optional<Pause> pause() const;
  [[nodiscard]] bool was_accepted(std::uint64_t generation) const noexcept;
  /// The API's Date tells nothing of whether a token has begun (TakesUnbegun, until ApiLags).
  [[nodiscard]] bool begins_ignored() const noexcept;
  /// Until when the token before this generation would serve in its place, should the API's clock
  /// say that this one has not begun; Instant::min() if it would not.
  [[nodiscard]] Instant older_until(std::uint64_t generation, const clocks::ClockView& view) const;
  /// How many generations running, up to the one before, ended early (at most the last 8).
  [[nodiscard]] unsigned early_ends_before(std::uint64_t generation) const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skewguard::oauth
