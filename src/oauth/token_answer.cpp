#include "oauth/token_answer.hpp"

#include <cstdint>

#include "base/secret_text.hpp"
#include "base/strings.hpp"
#include "clocks/answer.hpp"
#include "http/content_coding.hpp"
#include "http/url.hpp"
#include "oauth/json.hpp"
#include "oauth/lifetime.hpp"
#include "oauth/visible.hpp"
#include "oauth/withhold.hpp"

namespace skewguard::oauth {
namespace {

Error unusable(const std::string& what) {
  return Error{ErrorKind::protocol, "the login host's token answer is unusable: " + what,
               "check the login URL and the token path"};
}

std::string sized(std::string_view body) {
  return std::to_string(body.size()) + " bytes";
}

/// What came instead of a JSON object. Markup may show its title or first tag; anything else might
/// be a token, or part of one.
std::string describe_body(const Exchange& exchange) {
  const std::string_view body = exchange.body;
  if (const auto coding = exchange.headers.find("Content-Encoding");
      coding && http::is_coded(exchange.headers))
    return "its Content-Encoding \"" + visible(*coding, 40) + "\" is not known";
  const auto start = body.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return "its body is empty";
  const auto rest = body.substr(start);
  if (rest.front() == '<') {
    const auto tag = rest.substr(0, rest.find('>') + (rest.find('>') < rest.size() ? 1 : 0));
    return "it is markup (" + visible(tag, 40) + "), not JSON";
  }
  if (rest.front() == '{') return "its JSON is truncated or malformed (" + sized(body) + ")";
  return "it is not a JSON object (" + sized(body) + ")";
}

/// "a string", "null" ...
std::string named_type(const nlohmann::json& value) {
  std::string type = value.type_name();
  if (type == "null") return type;
  return (type == "array" || type == "object" ? "an " : "a ") + type;
}

/// The object that holds the token: the whole, or a member of it, as some gateways wrap it.
const nlohmann::json& fields_of(const nlohmann::json& root) {
  if (member_like(root, "access_token") != nullptr) return root;
  for (const auto& [name, value] : root.items())
    if (member_like(value, "access_token") != nullptr) return value;
  return root;
}

/// What is read of an answer, and from where.
struct Source {
  const SecretJson& json;
  const nlohmann::json& fields;
  std::optional<Duration> issued;  ///< the answer's Date
};

/// A number, or one as text.
std::optional<double> number_of(const Source& from, const nlohmann::json& value) {
  if (value.is_number()) return value.get<double>();
  if (!value.is_string()) return std::nullopt;
  return number_of_text(trim(from.json.text_of(value).value_or(SecretText()).view()));
}

/// A string in quotes without what it may hold of the token; of all else its type.
std::string shown_value(const Source& from, const nlohmann::json& value, std::string_view token) {
  if (!value.is_string()) return named_type(value);
  const auto text = from.json.text_of(value).value_or(SecretText());
  return "\"" + withhold(visible(text.view(), 40), {token}) + "\"";
}

/// Longer than any life: a time, perhaps.
std::optional<Duration> life_until(double instant, const Source& from) {
  constexpr double kSoonest = 1e9, kLatest = 1e10;  // 2001 .. 2286
  if (!from.issued || instant < kSoonest || instant > kLatest) return std::nullopt;
  const Duration life = std::chrono::seconds{static_cast<std::int64_t>(instant)} - *from.issued;
  return life > Duration{0} && life <= kLongestLife ? std::optional(life) : std::nullopt;
}

/// Absent where the answer does not say, or says what cannot be.
std::optional<Duration> life_of(double seconds, const std::string& shown, const Source& from,
                                TokenAnswer& answer) {
  const auto odd = [&](const char* meaning) {
    answer.oddities.push_back({"expires_in", "`expires_in` is " + shown + meaning});
  };
  const auto life = life_of_seconds(seconds);
  if (!life) {
    odd(", which is not a lifetime: it is ignored");
  } else if (*life == kLongestLife) {
    const auto until = life_until(seconds, from);
    odd(until ? ", which is a point in time: it is read as the time of expiry"
              : ", which is too long for a lifetime: it is ignored");
    return until ? until : life;
  }
  return life;
}

std::optional<Error> read_expires_in(const Source& from, TokenAnswer& answer) {
  const auto* field = member_like(from.fields, "expires_in");
  if (field == nullptr || field->is_null()) return std::nullopt;
  const auto token = answer.access_token.reveal();
  const std::string shown = field->is_number() ? field->dump() : shown_value(from, *field, token);
  if (const auto seconds = number_of(from, *field)) {
    answer.expires_in = life_of(*seconds, shown, from, answer);
    return std::nullopt;
  }
  return unusable("`expires_in` is " + shown + ", not a number of seconds");
}

/// Tokens of these types are not sent as Bearer (RFC 6749 section 7.1, RFC 9449, RFC 8693).
bool another_scheme(std::string_view type) {
  return iequals(type, "mac") || iequals(type, "dpop") || iequals(type, "n_a");
}

/// A missing one counts as Bearer, and so does another wording.
std::optional<Error> read_token_type(const Source& from, TokenAnswer& answer) {
  answer.token_type = "Bearer";
  const auto* field = member_like(from.fields, kTokenTypeField);
  if (field == nullptr || field->is_null()) return std::nullopt;
  const auto shown = shown_value(from, *field, answer.access_token.reveal());
  if (field->is_string()) {
    const auto text = from.json.text_of(*field).value_or(SecretText());
    if (iequals(text.view(), "bearer")) {
      answer.token_type = text.view();
      return std::nullopt;
    }
    if (another_scheme(text.view()))
      return unusable("`token_type` is " + shown + ", not \"Bearer\"");
  }
  answer.oddities.push_back(
      {std::string(kTokenTypeField), "`token_type` is " + shown + ": the token is sent as Bearer"});
  return std::nullopt;
}

void note_odd_claims(TokenAnswer& answer) {
  for (const auto& name : odd_claims(answer.access_token.reveal())) {
    answer.oddities.push_back(
        {name, "token has a claim `" + name + "` that is not a time since 1970: it is ignored"});
  }
}

Result<Secret> access_token(const Source& from) {
  const auto* field = member_like(from.fields, "access_token");
  if (field == nullptr) return unusable("`access_token` is missing");
  if (!field->is_string()) return unusable("`access_token` is " + named_type(*field));
  auto text = from.json.text_of(*field);
  if (!text) return unusable("`access_token` is not a well-formed string");
  if (text->empty()) return unusable("`access_token` is empty");
  const bool fits = http::valid_field_value(text->view()) &&
                    text->view().find_first_of(" \t") == std::string_view::npos;
  if (!fits) return unusable("`access_token` contains bytes that are not allowed in a header");
  return std::move(*text).secret();
}

}  // namespace

Result<TokenAnswer> token_answer(const clocks::Answer& from) {
  if (from.body.size() > kMaxTokenAnswerBytes) {
    return unusable("its body is too large (" + sized(from.body) + ")");
  }
  SecretText utf8;
  SecretText form;
  const std::string_view body = http::as_utf8(from.body, utf8);
  auto json = SecretJson::parse(body);
  if (!json || !json->root().is_object()) {
    auto converted = json_of_form(body, "access_token");
    if (!converted) return unusable(describe_body(from));
    form = *std::move(converted);
    json = SecretJson::parse(form.view());
    if (!json) return unusable(describe_body(from));
  }
  const auto& sample = from.sample();
  const Source source{*json, fields_of(json->root()),
                      sample ? std::optional(sample->date) : std::nullopt};
  TokenAnswer answer;
  auto token = access_token(source);
  if (!token) return std::move(token).error();
  answer.access_token = *std::move(token);
  if (auto error = read_token_type(source, answer)) return *std::move(error);
  if (auto error = read_expires_in(source, answer)) return *std::move(error);
  note_odd_claims(answer);
  return answer;
}

}  // namespace skewguard::oauth
