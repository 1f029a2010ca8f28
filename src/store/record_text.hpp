#pragma once

#include <optional>
#include <string_view>

#include "sharing/record.hpp"
#include "skewguard/secret.hpp"

namespace skewguard::store {

/// A record as one sealed JSON object, schema "skewguard.token/2", with the key that it belongs to.
/// Nothing where record_of() would not take it: a figure out of range, a character outside of
/// visible ASCII, over kMostTextBytes.
std::optional<Secret> to_text(std::string_view key, const sharing::Record& record);

/// The way back. Nothing where `text` is cut off, altered, of another key, or not of that form.
/// Members that nobody knows are of a later version, and ignored. Takes "skewguard.token/1" as
/// well, what earlier versions wrote: the same record for everyone who reads it. Leaves nothing of
/// what held the token unwiped.
std::optional<sharing::Record> record_of(std::string_view key, std::string_view text);

}  // namespace skewguard::store
