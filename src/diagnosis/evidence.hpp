#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "oauth/token.hpp"
#include "skewguard/time.hpp"
#include "skewguard/verdict.hpp"

namespace skewguard::diagnosis {

/// What is known about a token when the API judged it.
struct TokenFacts {
  std::uint64_t generation = 0;
  bool jwt = false;
  bool given = false;            ///< obtained elsewhere: there is no new one to be had
  bool accepted_before = false;  ///< the API had taken it before this send
  /// How many consecutive tokens before it were accepted and then refused early in their lifetimes.
  unsigned early_ends_before = 0;
  Instant asked{};                 ///< when its request was sent
  Instant received{};              ///< when the login host's answer was there
  std::optional<Instant> dead_at;  ///< our own deadline for it; absent for a given token
  /// The issuer's numbers, *read by the API's clock*: what the API compares with its own time.
  std::optional<ServerTime> begins;
  std::optional<ServerTime> begins_later{};  ///< the later of nbf and iat, if they differ
  std::optional<ServerTime> ends;
  std::optional<ServerTime> iat{};
  /// The issuer's Date of the token answer, and which of the two rest on it because there is no
  /// claim.
  std::optional<ServerTime> issued;
  bool begin_dated = false;
  bool end_dated = false;
};
TokenFacts facts_of(const oauth::Token& token, bool accepted_before, ServerId api);

/// Why a call does nothing more about a refusal.
enum class Hindrance {
  none,
  attempts,        ///< so many tokens may be refused
  sends,           ///< so often may a token be sent
  max_wait,        ///< the wait would be longer
  deadline,        ///< the wait would be longer
  nothing_new,     ///< a new token was refused, too, or cannot be had
  too_often,       ///< evidence rule 8
  not_replayable,  ///< the request cannot be sent again
};

/// What a refusing answer says besides its status and Date. Visible text, without secrets.
struct Said {
  std::string words;           ///< the API's own, or its error code; may be empty
  std::string gateway;         ///< who else may have answered; may be empty
  bool page = false;           ///< HTML or plain text, and no Bearer challenge
  bool no_token_seen = false;  ///< it says that no token arrived
};

/// One answer of the API host that judged a token: refused or accepted it.
struct Trial {
  TokenFacts token;
  Instant sent{};
  Instant received{};
  std::optional<ServerTime> date;  ///< that answer's own Date, if it is usable as a sample
  WallTime wall{};                 ///< what this machine's wall clock read at receipt
  std::optional<OffsetBound> api_minus_wall;  ///< the API's clock minus it
  bool refused = true;
  Said said;                       ///< if it was refused
  Action followed = Action::none;  ///< what the guard did next
  Duration waited{0};              ///< before it did so
  Hindrance hindrance = Hindrance::none;
};

/// The API's Date, seen without a token.
struct Look {
  Instant sent{};
  Instant received{};
  std::optional<ServerTime> date;  ///< absent if it has none
};

struct Limits {
  Instant deadline{};    ///< of the whole call
  Duration max_wait{0};  ///< longest wait for a token that has not begun
  /// The longest wait if nothing points to a lag; also the time that a token that was never
  /// accepted has to propagate.
  Duration blind_wait{0};
  int attempts = 3;        ///< most tokens that may be refused
  Duration staleness{0};   ///< how late a Date may be
  bool replayable = true;  ///< the request can be sent again
};

/// Everything that a call knows about why its token was refused.
struct Evidence {
  std::vector<Trial> trials;  ///< oldest first
  std::vector<Look> looks;    ///< oldest first
  /// The login host's clock minus the API's, from everything known about either.
  std::optional<OffsetBound> login_minus_api;
  /// When every clock behind the API's name has certainly reached the last trial's `begins`.
  std::optional<Instant> begun_by;
  /// As far as known, the login host's Date comes from a clock.
  bool issuer_coherent = true;
  /// The API has accepted a token that was not valid yet by the Date of that answer.
  bool begins_ignored = false;
  /// Until when the token before the last trial's could be used instead.
  Instant older_until = Instant::min();
  /// Several clocks are known to answer in turn under the API's name.
  bool takes_turns = false;
  /// Why the token machine did not provide a new token, if it was asked for one.
  std::optional<Verdict> token_failure;
  std::optional<Duration> next_request_in{};  ///< set if evidence rule 8 is the reason
  Limits limits;
  Instant started{};  ///< when the call began
  Instant now{};
};

}  // namespace skewguard::diagnosis
