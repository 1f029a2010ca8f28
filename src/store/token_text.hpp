#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "skewguard/token_store.hpp"

namespace skewguard::store {

inline constexpr std::size_t kMostTextBytes = std::size_t{128} * 1024;

/// A token as one JSON object of a fixed form, schema "skewguard.token/1", with the key that it
/// belongs to and a SHA-256 digest of all that stands before it. Nothing where from_text would not
/// take it: a figure out of range, a character outside of visible ASCII, over kMostTextBytes.
std::optional<Secret> to_text(std::string_view key, const StoredToken& token);

/// The way back. Nothing where `text` is cut off, altered, of another key, or not of that form;
/// members that nobody knows are of a later version, and of no account. Of what held the token
/// nothing is left unwiped.
std::optional<StoredToken> from_text(std::string_view key, std::string_view text);

}  // namespace skewguard::store
