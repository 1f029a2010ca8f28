#include "oauth/answer_body.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <iterator>
#include <utility>

#include "base/strings.hpp"
#include "http/content_coding.hpp"
#include "oauth/json.hpp"
#include "oauth/visible.hpp"

namespace skewguard::oauth {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxTitle = 80;

/// The first of these members that is a string; visible characters; may be empty.
std::string first_text(const json* object, std::initializer_list<std::string_view> names) {
  if (object == nullptr) return {};
  for (const auto name : names) {
    const json* value = member_like(*object, name);
    if (value == nullptr || !value->is_string()) continue;
    auto text = visible(value->get_ref<const std::string&>());
    if (!text.empty()) return text;
  }
  return {};
}

/// `value` if it is an object, or the first object of an array.
const json* object_in(const json* value) {
  if (value == nullptr || value->is_object()) return value;
  if (!value->is_array()) return nullptr;
  const auto found = std::ranges::find_if(*value, &json::is_object);
  return found == value->end() ? nullptr : &*found;
}

std::string description_in(const json* object) {
  return first_text(object, {"error_description", "description", "message", "reason",
                             "error_message", "error_summary", "detail", "msg", "faultstring"});
}

bool has_code(const json* object) {
  return object != nullptr &&
         (member_like(*object, "code") != nullptr || member_like(*object, "error_code") != nullptr);
}

void add_statement(std::vector<std::string>& into, std::string text) {
  if (!text.empty()) into.push_back(std::move(text));
}

/// A text, or the texts of an array.
void add_texts(std::vector<std::string>& into, const json* value) {
  constexpr std::size_t kMax = 10;
  if (value == nullptr) return;
  if (value->is_string()) add_statement(into, visible(value->get_ref<const std::string&>()));
  if (!value->is_array()) return;
  for (const auto& element : *value) {
    if (into.size() >= kMax) return;
    if (element.is_string()) add_statement(into, visible(element.get_ref<const std::string&>()));
  }
}

/// The object inside `error` or a similar member; null if there is none.
const json* inner_error(const json& object) {
  for (const auto* name : {"error", "fault", "errors"}) {
    if (const json* inner = object_in(member_like(object, name))) return inner;
  }
  return nullptr;
}

void read_object(AnswerBody& body) {
  const json& object = *body.object;
  const json* inner = inner_error(object);
  body.coded = has_code(&object) || has_code(object_in(member_like(object, "error")));
  body.error = first_text(&object, {"error"});
  if (body.error.empty())
    body.error = first_text(inner, {"code", "error_code", "error", "type", "status"});
  body.code = first_text(&object, {"code", "error_code"});
  if (body.code.empty()) body.code = body.error;
  body.description = description_in(&object);
  if (body.description.empty()) body.description = description_in(inner);
  for (const json* from : {&object, inner}) {
    if (from == nullptr) continue;
    add_statement(body.statements, first_text(from, {"code", "error_code"}));
    add_statement(body.statements, first_text(from, {"error", "type"}));
    add_statement(body.statements, description_in(from));
    add_texts(body.statements, member_like(*from, "details"));
  }
  std::vector<std::string> listed;
  add_texts(listed, member_like(object, "errors"));
  if (body.description.empty() && !listed.empty()) body.description = listed.front();
  std::ranges::move(listed, std::back_inserter(body.statements));
}

const json* wrapped_error(const json& object) {
  if (member_like(object, "error") != nullptr) return nullptr;
  for (const auto& [name, value] : object.items())
    if (value.is_object() && string_member(value, "error") != nullptr) return &value;
  return nullptr;
}

bool is_silent(const json& object) {
  return inner_error(object) == nullptr && description_in(&object).empty() &&
         first_text(&object, {"code", "error_code"}).empty();
}

std::optional<json> as_form(std::string_view text) {
  const auto converted = json_of_form(text, "error");
  return converted ? parse_json(converted->view()) : std::nullopt;
}

/// An answer to HEAD describes a body that is not sent.
bool withheld_page(const Headers& headers) {
  const auto length = headers.find("Content-Length");
  const auto type = headers.find("Content-Type");
  if (!length || !type || to_lower(*type).find("json") != std::string::npos) return false;
  std::uint64_t bytes = 0;
  std::from_chars(length->data(), length->data() + length->size(), bytes);
  return bytes > 0;
}

/// For HTML the title, for plain text (or a JSON string) as much as fits.
void read_page(AnswerBody& body, std::string_view text) {
  body.title = page_title(text);
  const auto start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos || text[start] == '<') return;
  constexpr std::size_t kMaxWords = 400;
  add_statement(body.statements, visible(text.substr(start), kMaxWords));
}

}  // namespace

std::string page_title(std::string_view body) {
  const auto start = body.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return {};
  if (body[start] != '<') return visible(body.substr(start), kMaxTitle);
  constexpr std::string_view kOpen = "<title", kClose = "</title";
  const auto found = [&](std::string_view tag, std::size_t from) {
    const auto at =
        std::search(body.begin() + static_cast<std::ptrdiff_t>(from), body.end(), tag.begin(),
                    tag.end(), [](char a, char b) { return ascii_lower(a) == b; });
    return static_cast<std::size_t>(at - body.begin());
  };
  const auto tag = found(kOpen, start);
  const auto begin = body.find('>', tag);
  if (tag == body.size() || begin == std::string_view::npos) return {};
  return visible(body.substr(begin + 1, found(kClose, begin) - begin - 1), kMaxTitle);
}

AnswerBody read_body(const Exchange& exchange, Wrapping unwrap) {
  using Form = AnswerBody::Form;
  AnswerBody body;
  if (exchange.body.size() > kMaxErrorBytes || http::is_coded(exchange.headers)) {
    body.form = Form::page;
    return body;
  }
  SecretText held;
  const std::string_view text = http::as_utf8(exchange.body, held);
  const auto start = text.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) {
    body.form = withheld_page(exchange.headers) ? Form::page : Form::empty;
    return body;
  }
  auto value = parse_json(text);
  if (!value || !value->is_structured()) {
    if (auto form = as_form(text)) value = std::move(form);
  }
  if (!value || !value->is_structured()) {
    body.form = text[start] == '{' || text[start] == '[' ? Form::malformed : Form::page;
    if (body.form == Form::page)
      read_page(body, value && value->is_string() ? value->get_ref<const std::string&>() : text);
    return body;
  }
  body.form = Form::json;
  const json* object = object_in(&*value);
  if (object == nullptr) {
    add_texts(body.statements, &*value);
    if (!body.statements.empty()) body.description = body.statements.front();
    return body;
  }
  const json* wrapped = wrapped_error(*object);
  const bool unwrapped = wrapped != nullptr && (unwrap == Wrapping::always || is_silent(*object));
  body.object = unwrapped ? *wrapped : *object;
  read_object(body);
  return body;
}

}  // namespace skewguard::oauth
