#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret_text.hpp"

namespace skewguard::oauth {

/// Reads JSON that a stranger wrote: nothing where it is malformed, nested deeper than
/// `most_depth`, or holds a number that no double can. Linear in the text; no exceptions.
std::optional<nlohmann::json> parse_json(std::string_view text, std::size_t most_depth = 64);

/// A JSON number that stands as text ("3600", "3600.5", "3.6e3"); nothing for all else.
std::optional<double> number_of_text(std::string_view text);

/// The same as parse_json() for a text that holds secrets, of which the parser would leave copies
/// in freed memory: it gets to see no string of eight bytes or more, but those that name a member.
/// Whether the content of such a string is well-formed shows when it is read.
class SecretJson {
 public:
  /// `text`, of at most 99,999,999 bytes, must outlive it.
  static std::optional<SecretJson> parse(std::string_view text);
  /// In place of each long string stands something else.
  [[nodiscard]] const nlohmann::json& root() const noexcept { return root_; }
  /// The text of `value`, a string of root(); nothing where it is malformed. Of escaped characters
  /// beyond ASCII all are read as DEL.
  [[nodiscard]] std::optional<SecretText> text_of(const nlohmann::json& value) const;

 private:
  SecretJson(std::string_view text, nlohmann::json root) : text_(text), root_(std::move(root)) {}
  std::string_view text_;
  nlohmann::json root_;
};

/// Of an object or a form. An answer has a dozen; to compare many times as many would hold up the
/// loop.
inline constexpr std::size_t kMostNames = 1000;

/// The member `name` of an object, else the first one that differs from it in case, underscores and
/// hyphens alone (accessToken, Access-Token), if it has at most kMostNames members; else null. Dies
/// with `object`.
const nlohmann::json* member_like(const nlohmann::json& object, std::string_view name);

/// A form (application/x-www-form-urlencoded) as the JSON object of its fields; nothing where
/// `text` is no form, has no field `name`, or more than kMostNames fields.
std::optional<SecretText> json_of_form(std::string_view text, std::string_view name);

/// The member `name` of an object where it is a string; else null. Dies with `object`.
const std::string* string_member(const nlohmann::json& object, const char* name);

}  // namespace skewguard::oauth
