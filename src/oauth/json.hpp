#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace skewguard::oauth {

/// Reads JSON that a stranger wrote: nothing where it is malformed, nested deeper than
/// `most_depth`, or holds a number that no double can. Linear in the text; no exceptions.
std::optional<nlohmann::json> parse_json(std::string_view text, std::size_t most_depth = 64);

/// The member `name` of an object where it is a string; else null. Dies with `object`.
const std::string* string_member(const nlohmann::json& object, const char* name);

}  // namespace skewguard::oauth
