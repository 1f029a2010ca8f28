#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret_text.hpp"

namespace skewguard::oauth {

/// Parses untrusted JSON: empty if it is malformed, nested deeper than `max_depth`, or contains a
/// number that does not fit into a double. Linear time; no exceptions.
std::optional<nlohmann::json> parse_json(std::string_view text, std::size_t max_depth = 64);

/// A JSON number given as text ("3600", "3600.5", "3.6e3"); empty for anything else.
std::optional<double> number_of_text(std::string_view text);

/// Like parse_json(), for a text that contains secrets, of which the parser would leave copies in
/// freed memory: the parser sees no strings of eight bytes or more except member names. Whether
/// such a string is well-formed is checked when it is read.
class SecretJson {
 public:
  /// `text`, of at most 99,999,999 bytes, must outlive it.
  static std::optional<SecretJson> parse(std::string_view text);
  /// Long strings are replaced with placeholders.
  [[nodiscard]] const nlohmann::json& root() const noexcept { return root_; }
  /// The text of `value`, a string in root(); empty if it is malformed. Escaped non-ASCII
  /// characters are read as DEL.
  [[nodiscard]] std::optional<SecretText> text_of(const nlohmann::json& value) const;

 private:
  SecretJson(std::string_view text, nlohmann::json root) : text_(text), root_(std::move(root)) {}
  std::string_view text_;
  nlohmann::json root_;
};

/// The limit of members in an object or a form. An answer has about a dozen; comparing many more
/// would block the loop.
inline constexpr std::size_t kMaxNames = 1000;

/// The member `name` of an object, otherwise the first one that differs from it only in case,
/// underscores and hyphens (accessToken, Access-Token), if the object has at most kMaxNames
/// members; otherwise null. Valid as long as `object`.
const nlohmann::json* member_like(const nlohmann::json& object, std::string_view name);

/// A form (application/x-www-form-urlencoded) as a JSON object of its fields; empty if `text` is
/// not a form, has no field `name`, or more than kMaxNames fields.
std::optional<SecretText> json_of_form(std::string_view text, std::string_view name);

/// The member `name` of an object if it is a string; otherwise null. Valid as long as `object`.
const std::string* string_member(const nlohmann::json& object, const char* name);

}  // namespace skewguard::oauth
