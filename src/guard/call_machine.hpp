#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "clocks/answer.hpp"
#include "clocks/clock_view.hpp"
#include "oauth/dialect.hpp"
#include "oauth/token_events.hpp"
#include "skewguard/client.hpp"
#include "skewguard/http.hpp"
#include "skewguard/report.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::guard {

struct CallOptions {
  Instant deadline{};       ///< of the whole call
  std::uint64_t after = 0;  ///< only tokens of a later generation will do
  Duration max_wait = std::chrono::seconds{15};
  /// The longest wait if nothing points to a lag, and the age by which a token has propagated.
  Duration blind_wait = std::chrono::seconds{3};
  int attempts = 3;  ///< how many tokens may be refused at most
  Duration staleness = std::chrono::seconds{1};
  std::string region;     ///< for explanations
  std::string client_id;  ///< for explanations
  bool given_token = false;
  std::uint64_t seed = 1;  ///< for jitter; calls that retry together should not share one
  CallPolicy policy{};
  /// A request that needs a token but no permission: it shows whether a new token works if the
  /// call's own request cannot be sent again. No url: nothing shows it.
  HttpRequest check{};
};

/// Start or Resumed, then the events that answer the actions, one for each.
namespace event {
struct Start {};
struct TokenReady {
  oauth::TokenPtr token;
  Instant first_use{};
  bool accepted_before = false;  ///< the API has already accepted this token
  int token_requests = 0;
  std::vector<oauth::LoginAttempt> attempts;
  bool begins_ignored = false;     ///< the API has accepted tokens before they began by its Date
  unsigned early_ends_before = 0;  ///< consecutive earlier tokens accepted, then refused early
  /// Until when the token before it could be used instead; Instant::min() if it could not.
  Instant older_until = Instant::min();
  Duration held_up{0};  ///< how long the call waited for it because others had been refused
};
struct TokenFailed {
  oauth::TokenFailure failure;
  int token_requests = 0;
  std::vector<oauth::LoginAttempt> attempts;
  Duration held_up{0};
};
/// The call begins with an answer to a request that somebody else has sent with this token. The
/// ClockBook has observed its Date already.
struct Resumed {
  TokenReady with;  ///< `token` null: nobody knows that token any more
  clocks::AnswerPtr answer;
};
/// An answer to Send, Look or Check. The ClockBook has observed its Date already.
struct Answered {
  clocks::AnswerPtr answer;
};
struct Failed {
  TransportFailure failure;
};
struct Woke {};
struct Cancelled {
  std::string why{};  ///< in plain words; empty = the caller asked for it
};
}  // namespace event
using CallEvent = std::variant<event::Start, event::Resumed, event::TokenReady, event::TokenFailed,
                               event::Answered, event::Failed, event::Woke, event::Cancelled>;

/// What to do next: exactly one at a time.
namespace action {
/// Ask the token machine (a later generation than `after`), answer with TokenReady or TokenFailed.
struct NeedToken {
  std::uint64_t after = 0;
  Instant deadline{};
  std::optional<oauth::Refused> refused{};  ///< set if a refusal is the reason
};
/// Send to the API host, answer with Answered or Failed. The token is in request.authorization.
struct Send {
  HttpRequest request;
  SendOptions options;
};
/// Send a request without a token to the API host, only for its Date (evidence rule 5). Not an
/// attempt.
struct Look {
  HttpRequest request;
  SendOptions options;
};
/// Send a request with a new token to the API host, only to see whether that works. Not an attempt,
/// unless it is refused, too.
struct Check {
  HttpRequest request;
  SendOptions options;
};
/// Call step() with Woke at about `until` (an early one is answered with another Sleep).
struct Sleep {
  Instant until{};
};
/// The call has ended. No event may follow.
struct Finish {
  clocks::AnswerPtr answer;    ///< any whole answer of the API host, whatever its status
  std::optional<Error> error;  ///< set if there is none
  CallReport report;
  oauth::TokenPtr accepted{};  ///< the token that the answer shows to be accepted; null = none
  /// Set if the refused token should be replaced although this call cannot use the next one.
  std::optional<NeedToken> replace{};
};
}  // namespace action
using CallAction = std::variant<action::NeedToken, action::Send, action::Look, action::Check,
                                action::Sleep, action::Finish>;

struct CallStep {
  CallAction action;
  std::vector<Rejection> rejections;  ///< of the API host, for on_rejection, as they arrive
  std::vector<oauth::TokenEvent>
      facts;  ///< for the token machine: Accepted, RefusedForGood, ApiLags ...
  std::vector<LogLine> log;
};

/// One guarded call: attempt, assess, then wait, refresh, resend or give up. Pure. Not thread-safe.
class CallMachine {
 public:
  /// `request.url` is absolute; its Authorization is empty. The references must outlive the
  /// machine.
  CallMachine(HttpRequest request, CallOptions options, const oauth::Dialect& dialect, ServerId api,
              ServerId login);
  ~CallMachine();
  CallMachine(CallMachine&&) noexcept;
  CallMachine& operator=(CallMachine&&) noexcept;

  [[nodiscard]] CallStep step(const CallEvent& event, const clocks::ClockView& view);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skewguard::guard
