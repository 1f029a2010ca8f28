#pragma once

#include "clocks/answer.hpp"
#include "oauth/dialect.hpp"
#include "oauth/token.hpp"

namespace skewguard::oauth {

/// The token that `from`, an answer of `login`, brought: its life counted from the moment of
/// sending, its begin and end in the issuer's time. `unknown_life` is counted with where nothing
/// tells a life. Generation 0: the machine numbers its tokens.
Token issued_token(TokenAnswer answer, const clocks::Answer& from, ServerId login,
                   Duration unknown_life);

/// Sets begin and end to those that the token's claims name; what they do not name stays.
void take_claimed_times(Token& token, ServerId issuer);

}  // namespace skewguard::oauth
