#include "oauth/refusals.hpp"

#include <array>

#include "base/one_line.hpp"
#include "base/strings.hpp"
#include "http/retry_after.hpp"
#include "http/url.hpp"
#include "http/www_authenticate.hpp"
#include "oauth/json.hpp"

namespace skewguard::oauth {
namespace {

constexpr std::size_t kMaxErrorBodyBytes = std::size_t{1024} * 1024;  // a longer one is no message

Refusal basics(const Exchange& exchange) {
  Refusal refusal;
  refusal.correlation_id = correlation_id(exchange.headers);
  refusal.retry_after = http::retry_after(exchange.headers);
  return refusal;
}

/// What an OAuth error code means at a token endpoint (RFC 6749 sections 4.1.2.1 and 5.2, RFC 8628
/// section 3.5).
Refusal::Kind kind_of(const OAuthError& error) {
  const auto begins = [&](std::string_view prefix) {
    return iequals(std::string_view(error.description).substr(0, prefix.size()), prefix);
  };
  if (error.error == "invalid_client" || error.error == "unauthorized_client") {
    return Refusal::Kind::credentials_rejected;
  }
  if (error.error == "slow_down") return Refusal::Kind::rate_limited;
  if (error.error == "invalid_request" && begins("rate limit exceeded")) {
    return Refusal::Kind::rate_limited;
  }
  if (error.error == "server_error" || error.error == "temporarily_unavailable") {
    return Refusal::Kind::backend_unavailable;
  }
  return Refusal::Kind::request_rejected;
}

/// Beside any other status `invalid_token` is a gateway's boilerplate: the status says what to do.
bool may_be_of_the_token(int status) {
  return status == 400 || status == 401 || status == 403;
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

std::string visible(std::string_view text, std::size_t most) {
  return quotable(text, most);
}

std::string correlation_id(const Headers& headers) {
  static constexpr std::array<std::string_view, 4> kNames = {
      "ININ-Correlation-Id", "Genesys-Correlation-Id", "X-Correlation-Id", "X-Request-Id"};
  for (const auto name : kNames) {
    if (const auto value = headers.find(name)) return visible(*value);
  }
  return {};
}

std::string redirect_target(const Headers& headers) {
  const auto location = headers.find("Location");
  if (!location) return "nowhere";
  // The query may hold anything, a token too.
  const auto shown = location->substr(0, location->find_first_of("?#"));
  const auto url = http::parse_url(shown);
  return visible(url ? url->origin() : std::string(shown));
}

bool is_redirect(int status) noexcept {
  return status >= 300 && status < 400 && status != 304;
}

std::optional<OAuthError> oauth_error(std::string_view body) {
  if (body.size() > kMaxErrorBodyBytes) return std::nullopt;
  const auto json = parse_json(body);
  if (!json) return std::nullopt;
  const auto* error = string_member(*json, "error");
  if (error == nullptr) return std::nullopt;
  const auto* description = string_member(*json, "error_description");
  if (description == nullptr) description = string_member(*json, "description");
  return OAuthError{visible(*error), description == nullptr ? "" : visible(*description)};
}

Refusal token_endpoint_refusal(const Exchange& exchange) {
  Refusal refusal = basics(exchange);
  const int status = exchange.status;
  if (is_redirect(status)) {
    refusal.kind = Refusal::Kind::redirect;
    refusal.description = redirect_target(exchange.headers);
    return refusal;
  }
  const auto error = oauth_error(exchange.body);
  if (error) {
    refusal.error_code = error->error;
    refusal.description = error->description;
  }
  if (status == 429) {
    refusal.kind = Refusal::Kind::rate_limited;
  } else if (status >= 500 || status == 408) {
    refusal.kind = Refusal::Kind::backend_unavailable;
  } else if (error && status >= 400) {
    refusal.kind = kind_of(*error);
  } else if (status == 401) {
    refusal.kind = Refusal::Kind::credentials_rejected;
  } else {
    refusal.kind = Refusal::Kind::unusable;
  }
  return refusal;
}

Refusal bearer_refusal(const Exchange& exchange) {
  Refusal refusal = basics(exchange);
  if (exchange.status < 300) return refusal;
  if (is_redirect(exchange.status)) {
    refusal.kind = Refusal::Kind::redirect;
    refusal.description = redirect_target(exchange.headers);
    return refusal;
  }
  if (exchange.status < 400) return refusal;
  const auto challenge = http::bearer_error(exchange.headers);
  if (challenge) {
    refusal.error_code = visible(challenge->error);
    refusal.description = visible(challenge->description);
  }
  if (challenge && challenge->error == "insufficient_scope") {
    refusal.kind = Refusal::Kind::missing_permission;
    refusal.permissions = words(challenge->scope);
  } else if (exchange.status == 401 || (challenge && challenge->error == "invalid_token" &&
                                        may_be_of_the_token(exchange.status))) {
    refusal.kind = Refusal::Kind::token_refused;
  } else if (exchange.status == 403) {
    refusal.kind = Refusal::Kind::missing_permission;
  } else if (exchange.status == 429) {
    refusal.kind = Refusal::Kind::rate_limited;
  }
  return refusal;
}

}  // namespace skewguard::oauth
