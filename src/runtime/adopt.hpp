#pragma once

#include "clocks/clock_book.hpp"
#include "oauth/token.hpp"
#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"
#include "skewguard/token_store.hpp"

namespace skewguard::runtime {

/// A token that the user obtained elsewhere. Nobody told when it was asked for: a JWT's claims give
/// its life by the issuer's clock; an opaque one is used until it is refused.
oauth::TokenPtr given_token(const Secret& value, const Now& now, ServerId issuer);

/// A stored token, placed on this machine's boot clock by what the issuer's clock reads now. Null
/// where that is not known, or where its life may have ended.
oauth::TokenPtr stored_token(const StoredToken& stored, const clocks::ClockBook& book,
                             ServerId issuer, const Now& now);

}  // namespace skewguard::runtime
