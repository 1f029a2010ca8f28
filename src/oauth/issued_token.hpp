#pragma once

#include "clocks/answer.hpp"
#include "oauth/dialect.hpp"
#include "oauth/token.hpp"

namespace skewguard::oauth {

/// The token in `from`, an answer of `login`: its lifetime counts from the sending of the request;
/// the times at which it becomes valid and expires are in the issuer's time. `unknown_life` is used
/// if nothing says the lifetime. Generation 0: the machine numbers its tokens.
Token issued_token(TokenAnswer answer, const clocks::Answer& from, ServerId login,
                   Duration unknown_life);

/// Sets the times at which the token becomes valid and expires from its claims; missing claims
/// change nothing.
void take_claimed_times(Token& token, ServerId issuer);

}  // namespace skewguard::oauth
