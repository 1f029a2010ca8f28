#include "oauth/refusals.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/strings.hpp"
#include "http/retry_after.hpp"
#include "http/url.hpp"
#include "http/www_authenticate.hpp"
#include "oauth/token_words.hpp"

namespace skewguard::oauth {
namespace {

Refusal basics(const Exchange& exchange) {
  Refusal refusal;
  refusal.correlation_id = correlation_id(exchange.headers);
  refusal.retry_after = http::retry_after(exchange.headers);
  return refusal;
}

/// A limit may say in fields of its own when it ends.
void rate_limited(Refusal& refusal, const Exchange& exchange) {
  if (!refusal.retry_after) refusal.retry_after = http::rate_limit_reset(exchange.headers);
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

bool one_of(std::string_view text, std::initializer_list<std::string_view> known) {
  return std::ranges::find(known, text) != known.end();
}

/// What RFC 6749 section 5.2 and its extensions say of a client or its request.
bool registered_error(std::string_view error) {
  return one_of(error,
                {"invalid_request", "invalid_client", "invalid_grant", "unauthorized_client",
                 "unsupported_grant_type", "invalid_scope", "invalid_target", "access_denied"});
}

/// What an OAuth error means at a token endpoint (RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628
/// section 3.5).
Refusal::Kind kind_of(const AnswerBody& body) {
  if (one_of(body.error, {"invalid_client", "unauthorized_client"}))
    return Refusal::Kind::credentials_rejected;
  if (one_of(body.error,
             {"invalid_grant", "unsupported_grant_type", "invalid_scope", "invalid_target"}))
    return Refusal::Kind::request_rejected;  // whatever limit its words speak of
  if (one_of(body.error, {"slow_down", "too_many_requests", "rate_limit_exceeded"}))
    return Refusal::Kind::rate_limited;
  const auto words = to_lower(body.description);
  if (contains(words, "rate limit") || contains(words, "too many requests"))
    return Refusal::Kind::rate_limited;
  if (one_of(body.error, {"server_error", "temporarily_unavailable"}))
    return Refusal::Kind::backend_unavailable;
  return Refusal::Kind::request_rejected;
}

Refusal::Kind login_kind(int status, const AnswerBody& body) {
  if (status == 429) return Refusal::Kind::rate_limited;
  if (status >= 500 || status == 408) return Refusal::Kind::backend_unavailable;
  // Beside these, words of another kind are a web server's: there is no token endpoint.
  const bool nothing_here = status == 304 || status == 404 || status == 405 || status == 410;
  if (!body.error.empty() && (!nothing_here || registered_error(body.error))) return kind_of(body);
  if (status == 401) return Refusal::Kind::credentials_rejected;
  if (status == 403 && body.form == AnswerBody::Form::page) return Refusal::Kind::gateway_refused;
  return Refusal::Kind::unusable;
}

/// Beside any other status `invalid_token` is a gateway's boilerplate: the status says what to do.
bool says_token_is_bad(int status, const std::optional<http::BearerError>& challenge,
                       const AnswerBody& body) {
  if (status != 400 && status != 401 && status != 403) return false;
  if (challenge && challenge->error == "invalid_token") return true;
  if (one_of("invalid_token", {body.error, body.code})) return true;
  const auto names_it = [&](std::string_view text) { return names_bad_token(text, status); };
  if (std::ranges::any_of(body.statements, names_it)) return true;
  if (challenge && (names_it(challenge->error) || names_it("token " + challenge->description)))
    return true;
  return status != 400 && iequals(body.code, "expired");
}

/// Without what parts words, lower case: "The access token is invalid", "InvalidAccessToken".
std::string letters_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')) out += ascii_lower(c);
  }
  return out;
}

/// The API got no token, whatever we sent.
bool saw_no_token(const AnswerBody& body) {
  if (body.code == "authentication.required") return true;  // docs/platform.md section 2.2
  const auto text = letters_of(body.description);
  return contains(text, "noauthenticationbearertoken") || contains(text, "missingauthorization") ||
         contains(text, "noauthorizationheader") || contains(text, "missingbearertoken");
}

/// `Basic realm "x"`.
std::string scheme_text(const http::Challenge& challenge) {
  std::string text = visible(challenge.scheme, 40);
  text.front() = static_cast<char>(
      text.front() >= 'a' && text.front() <= 'z' ? text.front() - 'a' + 'A' : text.front());
  if (const auto realm = challenge.param("realm"))
    text += " (realm \"" + visible(*realm, 60) + "\")";
  return text;
}

/// Fields that tell whose answer it is, where Server does not.
std::string vendor(const Headers& headers) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kFields{
      {{"x-amzn-ErrorType", "an AWS gateway"},
       {"x-amzn-RequestId", "an AWS gateway"},
       {"CF-RAY", "Cloudflare"},
       {"X-Iinfo", "Imperva"},
       {"X-Azure-Ref", "Azure Front Door"}}};
  for (const auto& [field, name] : kFields)
    if (headers.find(field)) return std::string(name);
  return {};
}

/// Who seems to have given this answer, in plain words: from its page, its fields, its challenges.
std::string gateway_of(const Exchange& exchange, const AnswerBody& body,
                       const std::vector<http::Challenge>& challenges) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (!body.title.empty()) add("page \"" + body.title + "\"");
  if (const auto server = exchange.headers.find("Server"); server && !trim(*server).empty())
    add("Server \"" + visible(*server, 60) + "\"");
  if (const auto name = vendor(exchange.headers); !name.empty()) add(name);
  for (const auto& challenge : challenges)
    if (challenge.scheme != "bearer") add("asks for " + scheme_text(challenge));
  return text;
}

bool own_format(const AnswerBody& body, ErrorFormat format) {
  if (body.form == AnswerBody::Form::empty) return true;
  if (body.form != AnswerBody::Form::json) return false;
  return format == ErrorFormat::any_json || body.coded;
}

/// Of an answer of 400 or more that does not say that the token is bad.
Refusal::Kind api_kind(int status, const AnswerBody& body, ErrorFormat format,
                       const std::vector<http::Challenge>& challenges) {
  const auto bearer = http::bearer_error(challenges);
  if (status == 429) return Refusal::Kind::rate_limited;
  if (status == 401) {
    return challenges.empty() || bearer ? Refusal::Kind::token_refused
                                        : Refusal::Kind::gateway_refused;
  }
  if (status != 403) return Refusal::Kind::none;
  return own_format(body, format) ? Refusal::Kind::missing_permission
                                  : Refusal::Kind::gateway_refused;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!(text = trim(text)).empty()) {
    const auto end = std::min(text.find(' '), text.size());
    out.push_back(visible(text.substr(0, end)));
    text.remove_prefix(end);
  }
  return out;
}

}  // namespace

std::string correlation_id(const Headers& headers) {
  static constexpr auto kNames = std::to_array<std::string_view>(
      {"ININ-Correlation-Id", "Genesys-Correlation-Id", "X-Correlation-Id", "X-Request-Id"});
  for (const auto name : kNames) {
    if (const auto value = headers.find(name)) return visible(*value);
  }
  return {};
}

std::string redirect_target(const Headers& headers) {
  const auto location = headers.find("Location");
  if (!location) return "nowhere";
  const std::string shown = http::without_secrets(*location);
  const auto url = http::parse_url(shown);
  return visible(url ? url->origin() : shown);
}

bool is_redirect(int status) noexcept {
  return status >= 300 && status < 400 && status != 304;
}

Refusal token_endpoint_refusal(const Exchange& exchange) {
  Refusal refusal = basics(exchange);
  if (is_redirect(exchange.status)) {
    refusal.kind = Refusal::Kind::redirect;
    refusal.description = redirect_target(exchange.headers);
    return refusal;
  }
  AnswerBody body = read_body(exchange, Wrapping::always);
  if (body.error.empty() && registered_error(body.code)) body.error = body.code;  // of errorCode
  refusal.kind = login_kind(exchange.status, body);
  refusal.error_code = body.error.empty() ? body.code : body.error;
  refusal.description = body.description;
  if (refusal.kind == Refusal::Kind::rate_limited) rate_limited(refusal, exchange);
  if (refusal.kind == Refusal::Kind::gateway_refused)
    refusal.gateway = gateway_of(exchange, body, http::challenges(exchange.headers));
  return refusal;
}

Refusal bearer_refusal(const Exchange& exchange, const AnswerBody& body, ErrorFormat format) {
  Refusal refusal = basics(exchange);
  if (is_redirect(exchange.status)) {
    refusal.kind = Refusal::Kind::redirect;
    refusal.description = redirect_target(exchange.headers);
    return refusal;
  }
  if (exchange.status < 400) return refusal;
  const auto challenges = http::challenges(exchange.headers);
  const auto bearer = http::bearer_error(challenges);
  if (bearer) {
    refusal.error_code = visible(bearer->error);
    refusal.description = visible(bearer->description);
  }
  if (refusal.error_code.empty()) refusal.error_code = body.code;
  if (refusal.description.empty()) refusal.description = body.description;
  const auto lacking = std::ranges::find_if(challenges, [](const http::Challenge& challenge) {
    return challenge.param("error") == "insufficient_scope";
  });
  if (lacking != challenges.end()) {
    refusal.kind = Refusal::Kind::missing_permission;
    refusal.error_code = "insufficient_scope";
    refusal.permissions = words(lacking->param("scope").value_or(""));
    return refusal;
  }
  const bool bad_token = says_token_is_bad(exchange.status, bearer, body);
  refusal.kind = bad_token ? Refusal::Kind::token_refused
                           : api_kind(exchange.status, body, format, challenges);
  if (refusal.kind == Refusal::Kind::rate_limited) rate_limited(refusal, exchange);
  if (bad_token && refusal.description.empty()) refusal.description = body.title;
  refusal.page = body.form == AnswerBody::Form::page && !bearer && !bad_token;
  refusal.no_token_seen = saw_no_token(body);
  refusal.gateway = gateway_of(exchange, body, challenges);
  return refusal;
}

}  // namespace skewguard::oauth
