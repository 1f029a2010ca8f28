#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "skewguard/http.hpp"

namespace skewguard::oauth {

/// What the body of an answer says that is no success, in whichever of the forms that servers use:
/// an object, or the first object of an array, with the members of RFC 6749 section 5.2 or others,
/// at its top or inside `error`; the fields of a form; or a page. What it says is visible text.
struct AnswerBody {
  enum class Form {
    empty,
    json,       ///< an object or an array
    page,       ///< HTML or plain text
    malformed,  ///< begins like JSON, and is none
  };
  Form form = Form::empty;
  /// That tells what is wrong: the whole, or the first of an array. Absent where there is none.
  std::optional<nlohmann::json> object;
  bool coded = false;       ///< it has `code` or `errorCode`, at its top or inside `error`
  std::string error;        ///< `error`, or what names the error inside it; may be empty
  std::string code;         ///< `code` or `errorCode`, else `error`; may be empty
  std::string description;  ///< the server's own words; may be empty
  std::string title;        ///< of a page, or the beginning of a plain text; may be empty
  /// Each text that may say what is wrong: the codes and descriptions of JSON, a plain text. Not
  /// what an HTML page says, which is written for a person's browser.
  std::vector<std::string> statements;
};

/// Some wrap what they have to say: {"code": 1, "data": {"error": ...}}.
enum class Wrapping {
  where_silent,  ///< the inner object counts if the outer one has no code and no words
  always,        ///< of an OAuth error in it, whatever the outer one says
};

/// A longer body is no message, and to read it would hold up the loop.
inline constexpr std::size_t kMostErrorBytes = std::size_t{256} * 1024;

/// Hostile input safe: linear, at most kMostErrorBytes (a longer body is a page without words, and
/// so is one whose Content-Encoding could not be undone), bounded nesting, no exceptions. The
/// answer to a HEAD tells by its fields alone whether a page would have come.
AnswerBody read_body(const Exchange& exchange, Wrapping unwrap = Wrapping::where_silent);

/// The title of an HTML page, else the beginning of what is no markup; visible. May be empty.
std::string page_title(std::string_view body);

}  // namespace skewguard::oauth
