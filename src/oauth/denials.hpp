#pragma once

#include "oauth/token_machine.hpp"
#include "skewguard/time.hpp"

/// Why a caller gets no token, where it is not the login host's answer that says it.
namespace skewguard::oauth {

TokenFailure deadline_passed();
TokenFailure nothing_to_ask_with();
/// A new token lives `remaining`, less than the caller needs.
TokenFailure new_token_too_short(Duration remaining, Duration min_life);
TokenFailure given_token_too_short(Duration remaining, Duration min_life);
TokenFailure given_token_refused();
TokenFailure given_token_ended();
/// The login host gave out a token again: one that the API refuses, or whose life has passed.
/// Someone insists on a new token, and only its owner can ask for one.
TokenFailure given_token_cannot_be_renewed();
TokenFailure refused_token_again();
TokenFailure dead_token_again();
/// The API refused a fresh token too: no other is asked for during `pause`.
TokenFailure fresh_token_refused(Verdict verdict, Duration pause);
/// Evidence rule 8: too many tokens have been refused before their end; no other is asked for
/// before `next`.
TokenFailure refused_too_often(Instant next, Instant now);

}  // namespace skewguard::oauth
