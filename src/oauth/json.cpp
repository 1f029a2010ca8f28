#include "oauth/json.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <system_error>

#include "base/strings.hpp"
#include "http/url.hpp"

namespace skewguard::oauth {
namespace {

/// Counts brackets outside strings, whether or not the text is JSON.
bool nested_deeper_than(std::string_view text, std::size_t max_depth) noexcept {
  std::size_t depth = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '[' || c == '{') {
      if (++depth > max_depth) return true;
    } else if ((c == ']' || c == '}') && depth > 0) {
      --depth;
    }
  }
  return false;
}

constexpr std::size_t kPlaceDigits = 8;  // of a position; what is shorter shows no secret

/// The position of the closing quotation mark of the string whose content starts at `begin`.
std::size_t end_of_string(std::string_view text, std::size_t begin) noexcept {
  while (begin < text.size() && text[begin] != '"') begin += text[begin] == '\\' ? 2 : 1;
  return begin < text.size() ? begin : std::string_view::npos;
}

bool names_a_member(std::string_view text, std::size_t after) noexcept {
  const auto next = text.find_first_not_of(" \t\r\n", after);
  return next != std::string_view::npos && text[next] == ':';
}

std::string place_text(std::size_t place) {
  const std::string digits = std::to_string(place);
  return std::string(kPlaceDigits - digits.size(), '0') + digits;
}

/// Decodes an escape sequence after the backslash and removes it from `rest`.
std::optional<char> escaped(std::string_view& rest) {
  constexpr std::string_view kNames = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
  if (rest.empty()) return std::nullopt;
  const char name = rest.front();
  rest.remove_prefix(1);
  if (name != 'u') {
    const auto nth = kNames.find(name);
    return nth == std::string_view::npos ? std::nullopt : std::optional(kMeant[nth]);
  }
  const auto digits = rest.substr(0, 4);
  unsigned code = 0;
  const auto [end, error] = std::from_chars(digits.begin(), digits.end(), code, 16);
  if (error != std::errc{} || end != digits.end() || digits.size() < 4) return std::nullopt;
  rest.remove_prefix(4);
  return code < 0x80 ? static_cast<char>(code) : '\x7f';
}

/// Whether both are the same, ignoring case, underscores and hyphens.
bool alike(std::string_view a, std::string_view b) noexcept {
  const auto next = [](std::string_view& rest) {
    rest.remove_prefix(std::min(rest.find_first_not_of("_-"), rest.size()));
    if (rest.empty()) return '\0';
    const char c = ascii_lower(rest.front());
    rest.remove_prefix(1);
    return c;
  };
  char c = '\0';
  do {
    c = next(a);
    if (c != next(b)) return false;
  } while (c != '\0');
  return true;
}

void append_json_string(SecretText& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out.append('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < ' ') {
      out.append("\\u00");
      out.append(kHex[byte >> 4U]);
      out.append(kHex[byte & 0xFU]);
      continue;
    }
    if (c == '"' || c == '\\') out.append('\\');
    out.append(c);
  }
  out.append('"');
}

}  // namespace

std::optional<SecretJson> SecretJson::parse(std::string_view text) {
  if (text.size() > 99'999'999) return std::nullopt;
  std::string masked;
  masked.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    masked += text[at++];
    if (masked.back() != '"') continue;
    const auto end = end_of_string(text, at);
    if (end == std::string_view::npos) return std::nullopt;
    const auto content = text.substr(at, end - at);
    const bool shown = content.size() < kPlaceDigits || names_a_member(text, end + 1);
    masked.append(shown ? content : place_text(at)) += '"';
    at = end + 1;
  }
  auto root = parse_json(masked);
  if (!root) return std::nullopt;
  return SecretJson(text, *std::move(root));
}

std::optional<SecretText> SecretJson::text_of(const nlohmann::json& value) const {
  const auto& seen = value.get_ref<const std::string&>();
  if (seen.size() < kPlaceDigits) return SecretText(seen);
  std::size_t place = 0;
  std::from_chars(seen.data(), seen.data() + seen.size(), place);
  std::string_view rest = text_.substr(place, end_of_string(text_, place) - place);
  SecretText out;
  out.reserve(rest.size());
  while (!rest.empty()) {
    std::optional<char> next = rest.front();
    rest.remove_prefix(1);
    if (*next == '\\') {
      next = escaped(rest);
    } else if (static_cast<unsigned char>(*next) < ' ') {
      return std::nullopt;
    }
    if (!next) return std::nullopt;
    out.append(*next);
  }
  return out;
}

std::optional<nlohmann::json> parse_json(std::string_view text, std::size_t max_depth) {
  if (nested_deeper_than(text, max_depth)) return std::nullopt;
  auto value = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (value.is_discarded()) return std::nullopt;
  return value;
}

std::optional<double> number_of_text(std::string_view text) {
  if (text.size() > 64) return std::nullopt;
  const auto number = parse_json(text);
  if (!number || !number->is_number()) return std::nullopt;
  return number->get<double>();
}

const nlohmann::json* member_like(const nlohmann::json& object, std::string_view name) {
  if (!object.is_object()) return nullptr;
  if (const auto exact = object.find(name); exact != object.end()) return &*exact;
  if (object.size() > kMaxNames) return nullptr;
  for (const auto& [key, value] : object.items())
    if (alike(key, name)) return &value;
  return nullptr;
}

std::optional<SecretText> json_of_form(std::string_view text, std::string_view name) {
  SecretText out;
  out.append('{');
  bool named = false;
  for (std::size_t fields = 0; !text.empty(); ++fields) {
    if (fields == kMaxNames) return std::nullopt;
    const auto field = text.substr(0, text.find('&'));
    text.remove_prefix(std::min(field.size() + 1, text.size()));
    const auto equals = field.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    const auto key = http::form_decode(field.substr(0, equals));
    const auto value = http::form_decode(field.substr(equals + 1));
    if (!key || !value || !http::valid_token(key->view())) return std::nullopt;
    if (out.size() > 1) out.append(',');
    append_json_string(out, key->view());
    out.append(':');
    append_json_string(out, value->view());
    named = named || key->view() == name;
  }
  out.append('}');
  return named ? std::optional(std::move(out)) : std::nullopt;
}

const std::string* string_member(const nlohmann::json& object, const char* name) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(name);
  return found == object.end() ? nullptr : found->get_ptr<const std::string*>();
}

}  // namespace skewguard::oauth
