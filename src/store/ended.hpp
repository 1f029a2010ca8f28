#pragma once

#include "sharing/record.hpp"

namespace skewguard::store {

/// Whether what `old` says is surely over, without a clock: `fresh` was received a moment ago, so
/// its times are about now. Within one boot the boot clock decides; else the issuers' clocks, which
/// may be of two hosts, and so a day is allowed for. False where neither can tell. A record without
/// a token is judged by the moments that it names.
bool has_ended(const sharing::Record& old, const sharing::SharedToken& fresh);

}  // namespace skewguard::store
