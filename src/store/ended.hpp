#pragma once

#include "sharing/record.hpp"

namespace skewguard::store {

/// Whether `old` has certainly expired, without reading a clock: `fresh` was received a moment ago,
/// so its times are about now. Within one boot the boot clock decides; otherwise the issuers'
/// clocks, which may belong to two hosts, so a day is added. False if neither can tell. A record
/// without a token is judged by the times that it contains.
bool has_ended(const sharing::Record& old, const sharing::SharedToken& fresh);

}  // namespace skewguard::store
