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

/// A failed or missing answer of the login host, as it appears in a caller's report. The call fills
/// in `attempt.n`.
struct LoginAttempt {
  ReportedAttempt attempt;
  std::uint64_t fetch = 0;  ///< which token request
};

using WaiterId = std::uint64_t;
using FetchId = std::uint64_t;

/// A server refused the token that a Want asks to replace.
struct Refused {
  Instant sent{};  ///< when it was sent
  /// The token was new, but by the API's clock not valid yet, or already expired. So an older one
  /// may be better, and a newer one only if it was requested since.
  bool ill_timed = false;
  bool older_too = false;  ///< one from before it has been refused, too
  /// When that clock reaches the time at which it becomes valid, if that is the reason.
  std::optional<Instant> begins{};
};

namespace event {
/// A caller needs a token: of a later generation than `after` (0 = any), with `min_life` left, by
/// `deadline`. `force`: always a new one (a request in progress counts). `refused`: why no token up
/// to `after` can be used; if it was refused before its end, evidence rule 8 limits the token
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
/// A timer fired, or there is another reason to check.
struct Tick {};
/// The published token is being used, so it should be refreshed.
struct Used {};
/// The API accepted this token.
struct Accepted {
  std::uint64_t generation = 0;
};
/// A call ended with token_rejected (or issuer_clock_behind) for this token: pause, longer each
/// time.
struct RefusedForGood {
  std::uint64_t generation = 0;
  Verdict verdict = Verdict::token_rejected;
};
/// The API accepted this token, then refused it early in its lifetime; no clock explains that.
struct EndedEarly {
  std::uint64_t generation = 0;
};
/// The API accepted a token that was certainly not valid yet by the Date of that same answer: it
/// does not check when tokens become valid, or not by the clock that its Date shows.
struct TakesUnbegun {};
/// This API refuses tokens that are not valid yet by its own clock, and lags the issuer by at most
/// `lag`: from now on fetch that much earlier, and use tokens only when they are certainly valid.
/// 0: no longer. `least`: the least that its clock certainly lags.
struct ApiLags {
  Duration lag{0};
  Duration least{0};
};
/// This API's clock leads the issuer's by `lead`: tokens end that much earlier. `least`: the least
/// that it certainly leads.
struct ApiLeads {
  Duration lead{0};
  Duration least{0};
};
/// The machine stood still, so boot time is behind by about `gap`. Tokens whose answer arrived at
/// `issued_from` or later were issued after that, and are not affected.
struct StoodStill {
  Duration gap{0};
  Instant issued_from = Instant::max();
};
/// A token from the store, or a given one.
struct Adopt {
  TokenPtr token;
};
/// Ends a StartFetch without a token request: another process had requested a token that can be
/// used (`would_serve`).
struct Found {
  FetchId fetch = 0;
  TokenPtr token;
};
/// Ends a StartFetch without a token request: together, the processes of this client have used up
/// what evidence rule 8 allows, until about then.
struct TooSoon {
  FetchId fetch = 0;
  Instant until{};
};
/// Ends a StartFetch without a token request: nobody is waiting for it any more.
struct Dropped {
  FetchId fetch = 0;
};
/// The client's new secrets; never empty.
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
/// Send this to the login host; answer with Fetched or FetchFailed (or Found). At most one is in
/// progress.
struct StartFetch {
  FetchId fetch = 0;
  HttpRequest request;
  Instant deadline{};    ///< for this one request
  Duration min_life{0};  ///< that somebody wants left of it
  bool anew = false;     ///< somebody wants one that nobody has had yet
  bool pays = false;     ///< a refusal is why: evidence rule 8 limits these
};
/// Answers a Want, exactly once each (Deliver or Deny). `first_use`: do not send the token before.
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
/// The current token, for readers; null = no usable one.
struct Publish {
  TokenPtr token;
  Instant usable_until{};
};
/// Call step() with Tick at about this time. Replaces the previous one.
struct WakeAt {
  Instant at{};
};
/// A token request failed: report it to on_rejection at once, once for all waiters.
struct Rejected {
  LoginAttempt attempt;
};
/// The token from the last fetch, for other processes.
struct Save {
  TokenPtr token;
};
/// Something new is known about this token or the two clocks.
struct Note {
  TokenPtr token;
  bool accepted = false;
  Duration lag{0};
  Duration lead{0};
};
/// This token was refused: no other process should use it.
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
  /// How long before its end a token is refreshed, as a fraction of the lifetime (before jitter).
  /// For 300 s, the platform's shortest lifetime, that leaves time for a login host that takes 10
  /// s, and costs, with the use margin, less than 5% more tokens.
  double refresh_ahead_part = 0.045;
  Duration refresh_ahead_most =
      std::chrono::seconds{90};  ///< room for two tries of 30 s and backoff
  /// A token from the store is refreshed early only by programs that have run for this long: a
  /// command that exits after its call would leave the token request unanswered, and the next
  /// command would repeat it.
  Duration lasting_program = std::chrono::seconds{2};
  /// The last fraction of the lifetime in which the token is no longer sent: it must still be valid
  /// on arrival.
  double use_margin_part = 0.02;
  Duration use_margin_most = std::chrono::seconds{2};
  /// The timeout of a token request: a login host that takes 10 s is slow, not down; and within a
  /// call's 30 s there is time for a second try.
  Duration fetch_timeout = std::chrono::seconds{14};
  Duration unknown_life = std::chrono::seconds{300};  ///< where nothing tells it: Genesys' shortest
  time::Backoff::Options backoff{};
  Duration first_pause = std::chrono::seconds{5};  ///< after a fresh token was refused; doubles
  /// The first pause after credentials that had worked were rejected; doubles. They may be restored
  /// at any time.
  Duration first_pause_after_good = std::chrono::seconds{1};
  Duration longest_pause = std::chrono::minutes{5};
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
  /// Until when no token request is made because the login host failed or rate limited the last
  /// one, and which of the two it was; empty if neither.
  struct Pause {
    Instant until{};
    Verdict verdict = Verdict::ok;
  };
  [[nodiscard]] std::optional<Pause> pause() const;
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
