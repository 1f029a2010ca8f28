#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "skewguard/http.hpp"

namespace skewguard::oauth {

/// The content of an error body, in any of the forms that servers use: an object, or the first
/// object of an array, with the members of RFC 6749 section 5.2 or others, at its top or inside
/// `error`; the fields of a form; or a page. All texts are visible characters.
struct AnswerBody {
  enum class Form {
    empty,
    json,       ///< an object or an array
    page,       ///< HTML or plain text
    malformed,  ///< begins like JSON, and is none
  };
  Form form = Form::empty;
  /// The object that describes the error: the whole body, or the first of an array. Absent if there
  /// is none.
  std::optional<nlohmann::json> object;
  bool coded = false;       ///< it has `code` or `errorCode`, at its top or inside `error`
  std::string error;        ///< `error`, or what names the error inside it; may be empty
  std::string code;         ///< `code` or `errorCode`, else `error`; may be empty
  std::string description;  ///< the server's own words; may be empty
  std::string title;        ///< of a page, or the beginning of a plain text; may be empty
  /// Every text that may describe the error: codes and descriptions in JSON, plain text. Not the
  /// text of an HTML page, which is meant for browsers.
  std::vector<std::string> statements;
};

/// Some servers wrap the error: {"code": 1, "data": {"error": ...}}.
enum class Wrapping {
  where_silent,  ///< the inner object counts if the outer one has no code and no words
  always,        ///< of an OAuth error in it, whatever the outer one says
};

/// A longer body is not a message, and reading it would block the loop.
inline constexpr std::size_t kMaxErrorBytes = std::size_t{256} * 1024;

/// Safe for hostile input: linear time, at most kMaxErrorBytes (a longer body counts as a page
/// without words, and so does one that could not be decoded), bounded nesting, no exceptions. For
/// an answer to HEAD, only the fields show whether it would have been a page.
AnswerBody read_body(const Exchange& exchange, Wrapping unwrap = Wrapping::where_silent);

/// The title of an HTML page, otherwise the beginning of the text; visible characters. May be
/// empty.
std::string page_title(std::string_view body);

}  // namespace skewguard::oauth
