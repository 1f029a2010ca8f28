#pragma once

#include <string>

#include "clocks/clock_book.hpp"
#include "oauth/token.hpp"
#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"
#include "skewguard/token_store.hpp"

namespace skewguard::runtime {

/// What an Instant belongs to: CLOCK_BOOTTIME of another boot or time namespace is another clock.
struct Boot {
  std::string id;              ///< of this run of the kernel; empty = not known
  std::string time_namespace;  ///< of this process; likewise
};

/// A token that the user obtained elsewhere. Nobody told when it was asked for: a JWT's claims give
/// its life by the issuer's clock; an opaque one is used until it is refused.
oauth::TokenPtr given_token(const Secret& value, const Now& now, ServerId issuer);

/// A stored token on this machine's boot clock: counted from when it was asked for, where that was
/// in this very boot and namespace; else placed by what the issuer's clock reads now. Null where
/// neither is known, or where its life may have ended.
oauth::TokenPtr stored_token(const StoredToken& stored, const Boot& here,
                             const clocks::ClockBook& book, ServerId issuer, const Now& now);

/// Whether only an answer of the issuer can tell if it lives.
bool issuer_must_tell(const StoredToken& stored, const Boot& here);

}  // namespace skewguard::runtime
