#pragma once

#include "skewguard/token_store.hpp"

namespace skewguard::store {

/// Whether `old` has surely ended, told without a clock: `fresh` was got a moment ago, so its times
/// are about now. Within one boot the boot clock tells; else the issuers' clocks, which may be of
/// two hosts, and so a day is allowed for. False where neither can tell. Figures as from_text()
/// takes them.
bool has_ended(const StoredToken& old, const StoredToken& fresh);

}  // namespace skewguard::store
