#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "clocks/answer.hpp"
#include "oauth/grant.hpp"
#include "oauth/token.hpp"
#include "oauth/token_failure.hpp"
#include "skewguard/http.hpp"
#include "skewguard/log.hpp"
#include "skewguard/report.hpp"
#include "skewguard/transport.hpp"

/// What happens to the token machine, and what it wants done.
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
/// 0: no longer. `min`: by so much its clock certainly lags.
struct ApiLags {
  Duration lag{0};
  Duration min{0};
};
/// This API's clock leads the issuer's by `lead`: tokens end that much earlier. `min`: by so much
/// it certainly leads.
struct ApiLeads {
  Duration lead{0};
  Duration min{0};
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
/// Ends a StartFetch without a token request: another process sent one with the same credentials,
/// and the login host rejected these.
struct RejectedElsewhere {
  FetchId fetch = 0;
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
                 event::Adopt, event::Found, event::TooSoon, event::RejectedElsewhere,
                 event::Dropped, event::NewGrants>;

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
/// Answers a Want, exactly once each (Deliver or Fail). `first_use`: do not send the token before.
struct Deliver {
  WaiterId waiter = 0;
  TokenPtr token;
  Instant first_use{};
  int token_requests = 0;              ///< sent while this waiter waited
  std::vector<LoginAttempt> attempts;  ///< those of them that failed
  Duration held_up{0};                 ///< it waited so long since tokens had been refused
};
struct Fail {
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
    std::variant<action::StartFetch, action::Deliver, action::Fail, action::Publish, action::WakeAt,
                 action::Rejected, action::Save, action::Note, action::Forget, action::Log>;
using TokenActions = std::vector<TokenAction>;

}  // namespace skewguard::oauth
