#pragma once

#include <string>

#include "clocks/clock_book.hpp"
#include "oauth/token.hpp"
#include "sharing/record.hpp"
#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"

namespace skewguard::engine {

/// What an Instant belongs to: CLOCK_BOOTTIME of another boot or time namespace is another clock.
struct Boot {
  std::string id;              ///< of this run of the kernel; empty = not known
  std::string time_namespace;  ///< of this process; likewise
};

/// A token that the user obtained elsewhere. It is not known when it was requested: a JWT's claims
/// give its lifetime by the issuer's clock; an opaque one is used until it is refused.
oauth::TokenPtr given_token(const Secret& value, const Now& now, ServerId issuer);

/// Another process's token, at most `age` old, in terms of this machine's boot clock.
oauth::TokenPtr adopted_token(const sharing::SharedToken& shared, Duration age, ServerId issuer,
                              const Now& now);
/// A token of this process, for the others. `accepted`: by the API host.
sharing::SharedToken shared_token(const oauth::Token& token, std::uint64_t id, const Boot& here,
                                  bool accepted);

}  // namespace skewguard::engine
