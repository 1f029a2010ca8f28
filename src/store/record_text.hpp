#pragma once

#include <optional>
#include <string_view>

#include "sharing/record.hpp"
#include "skewguard/secret.hpp"

namespace skewguard::store {

/// A record as one sealed JSON object, schema "skewguard.token/2", with the key that it belongs to.
/// Empty if record_of() would not accept it: a number out of range, a character outside visible
/// ASCII, over kMaxTextBytes.
std::optional<Secret> to_text(std::string_view key, const sharing::Record& record);

/// The reverse. Empty if `text` is truncated, altered, for another key, or not in that form.
/// Unknown members come from a later version and are ignored. Also reads "skewguard.token/1", which
/// earlier versions wrote; every reader gets the same record. Wipes all memory that held the token.
std::optional<sharing::Record> record_of(std::string_view key, std::string_view text);

}  // namespace skewguard::store
