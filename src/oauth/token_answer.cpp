#include "oauth/token_answer.hpp"

#include "base/secret_text.hpp"
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

Result<std::optional<Duration>> expires_in(const SecretJson& json, std::string_view token) {
  const auto field = json.root().find("expires_in");
  if (field == json.root().end() || field->is_null()) return std::optional<Duration>{};
  std::optional<Duration> life;
  std::string shown = named_type(*field);
  if (field->is_number()) {
    life = life_of_seconds(field->get<double>());
    shown = field->dump();
  } else if (field->is_string()) {
    const auto text = json.text_of(*field).value_or(SecretText());
    life = life_of_text(trim(text.view()));
    shown = "\"" + withhold(visible(text.view(), 40), {token}) + "\"";
  }
  if (life) return life;
  const auto claims = peek_jwt(token);
  if (claims && life_of_claims(*claims)) return std::optional<Duration>{};
  return unusable("`expires_in` is " + shown + ", not a positive number of seconds");
}

Result<Secret> access_token(const SecretJson& json) {
  const auto field = json.root().find("access_token");
  if (field == json.root().end()) return unusable("`access_token` is missing");
  if (!field->is_string()) return unusable("`access_token` is " + named_type(*field));
  auto text = json.text_of(*field);
  if (!text) return unusable("`access_token` is no well-formed string");
  if (text->empty()) return unusable("`access_token` is empty");
  const bool fits = http::valid_field_value(text->view()) &&
                    text->view().find_first_of(" \t") == std::string_view::npos;
  if (!fits) return unusable("`access_token` holds bytes that cannot stand in a header");
  return std::move(*text).secret();
}

}  // namespace

Result<TokenAnswer> token_answer(const Exchange& exchange) {
  if (exchange.body.size() > kMaxTokenAnswerBytes) {
    return unusable("its body is too large (" + sized(exchange.body) + ")");
  }
  const auto json = SecretJson::parse(exchange.body);
  if (!json || !json->root().is_object()) return unusable(describe_body(exchange.body));

  TokenAnswer answer;
  auto token = access_token(*json);
  if (!token) return std::move(token).error();
  answer.access_token = *std::move(token);
  const auto value = answer.access_token.reveal();

  const auto type = json->root().find("token_type");
  answer.token_type = "Bearer";
  if (type != json->root().end() && !type->is_null()) {
    if (!type->is_string()) return unusable("`token_type` is " + named_type(*type));
    answer.token_type = json->text_of(*type).value_or(SecretText()).view();
  }
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
