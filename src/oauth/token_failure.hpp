#pragma once

#include <optional>
#include <string>

#include "skewguard/error.hpp"
#include "skewguard/time.hpp"
#include "skewguard/verdict.hpp"

/// Why a caller gets no token.
namespace skewguard::oauth {

struct TokenFailure {
  Verdict verdict = Verdict::unknown;
  Error error;
  /// Set if nothing else is wrong than that tokens have been refused lately: when the next one may
  /// be requested. To a call whose own token was refused, its own verdict says more than this one.
  std::optional<Instant> next_request{};
};

/// The kind of error follows from the verdict.
TokenFailure token_failure(Verdict verdict, std::string message, std::string remedy = {});
/// The settings, or what the caller asks for, are wrong: ErrorKind::config.
TokenFailure usage_failure(Verdict verdict, std::string message, std::string remedy);

// Failures that no answer of the login host tells -------------------------------------------------

TokenFailure deadline_passed();
/// A new token cannot be sent before the deadline.
TokenFailure begins_too_late();
/// There is neither a token nor a client.
TokenFailure nothing_to_ask_with();
/// A new token lives `remaining`, less than the caller needs.
TokenFailure new_token_too_short(Duration remaining, Duration min_life);
/// The same of a given token, which cannot be refreshed.
TokenFailure given_token_too_short(Duration remaining, Duration min_life);
TokenFailure given_token_refused();
TokenFailure given_token_ended();
/// The caller insists on a new token, and only the owner of a given one can get that.
TokenFailure given_token_cannot_be_refreshed();
/// The login host issued a token again that the API refuses.
TokenFailure refused_token_again();
/// The login host issued a token again whose life is over.
TokenFailure dead_token_again();
/// The API refused a fresh token too: none is requested during `pause`.
TokenFailure fresh_token_refused(Verdict verdict, Duration pause);
/// Evidence rule 8: too many tokens were refused before they expired; none is requested before
/// `next`.
TokenFailure refused_too_often(Instant next, Instant now);

}  // namespace skewguard::oauth
