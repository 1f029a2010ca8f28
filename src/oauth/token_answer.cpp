#include "oauth/token_answer.hpp"

#include "base/strings.hpp"
#include "http/url.hpp"
#include "oauth/json.hpp"
#include "oauth/lifetime.hpp"
#include "oauth/refusals.hpp"
#include "oauth/withhold.hpp"

namespace skewguard::oauth {
namespace {

Error unusable(const std::string& what) {
  return Error{ErrorKind::protocol, "the login host's token answer cannot be used: " + what,
               "check the login URL and the token path"};
}

std::string sized(std::string_view body) {
  return std::to_string(body.size()) + " bytes";
}

/// What came instead of a JSON object. Markup may show its first tag; anything else might be a
/// token, or part of one.
std::string describe_body(std::string_view body) {
  const auto start = body.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return "its body is empty";
  const auto rest = body.substr(start);
  if (rest.front() == '<') {
    const auto tag = rest.substr(0, rest.find('>') + (rest.find('>') < rest.size() ? 1 : 0));
    return "it is markup (" + visible(tag, 40) + "), not JSON";
  }
  if (rest.front() == '{') return "its JSON is cut off or malformed (" + sized(body) + ")";
  return "it is no JSON object (" + sized(body) + ")";
}

/// "a string", "null" ...
std::string named_type(const nlohmann::json& value) {
  std::string type = value.type_name();
  if (type == "null") return type;
  return (type == "array" || type == "object" ? "an " : "a ") + type;
}

Result<std::optional<Duration>> expires_in(const nlohmann::json& answer, std::string_view token) {
  const auto field = answer.find("expires_in");
  if (field == answer.end() || field->is_null()) return std::optional<Duration>{};
  std::optional<Duration> life;
  std::string shown = named_type(*field);
  if (field->is_number()) {
    life = life_of_seconds(field->get<double>());
    shown = field->dump();
  } else if (const auto* text = field->get_ptr<const std::string*>()) {
    life = life_of_text(trim(*text));
    shown = "\"" + withhold(visible(*text, 40), {token}) + "\"";
  }
  if (life) return life;
  const auto claims = peek_jwt(token);
  if (claims && life_of_claims(*claims)) return std::optional<Duration>{};
  return unusable("`expires_in` is " + shown + ", not a positive number of seconds");
}

}  // namespace

Result<TokenAnswer> token_answer(const Exchange& exchange) {
  if (exchange.body.size() > kMaxTokenAnswerBytes) {
    return unusable("its body is too large (" + sized(exchange.body) + ")");
  }
  auto json = parse_json(exchange.body);
  if (!json || !json->is_object()) return unusable(describe_body(exchange.body));

  const auto field = json->find("access_token");
  if (field == json->end()) return unusable("`access_token` is missing");
  auto* token = field->get_ptr<std::string*>();
  if (token == nullptr) return unusable("`access_token` is " + named_type(*field));
  TokenAnswer answer;
  answer.access_token = Secret{std::move(*token)};
  const auto value = answer.access_token.reveal();
  if (value.empty()) return unusable("`access_token` is empty");
  if (!http::valid_field_value(value) || value.find_first_of(" \t") != std::string_view::npos) {
    return unusable("`access_token` holds bytes that cannot stand in a header");
  }

  const auto type = json->find("token_type");
  const auto* type_text = string_member(*json, "token_type");
  if (type_text == nullptr && type != json->end() && !type->is_null()) {
    return unusable("`token_type` is " + named_type(*type));
  }
  answer.token_type = type_text == nullptr ? "Bearer" : *type_text;
  if (!iequals(answer.token_type, "bearer")) {
    return unusable("`token_type` is \"" + withhold(visible(answer.token_type, 40), {value}) +
                    "\", not \"Bearer\"");
  }

  auto life = expires_in(*json, value);
  if (!life) return std::move(life).error();
  answer.expires_in = *life;
  return answer;
}

}  // namespace skewguard::oauth
