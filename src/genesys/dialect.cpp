#include "genesys/dialect.hpp"

#include <utility>

#include "genesys/error_details.hpp"
#include "oauth/answer_body.hpp"
#include "oauth/refusals.hpp"
#include "oauth/token_answer.hpp"
#include "oauth/token_request.hpp"

namespace skewguard::genesys {
namespace {

using oauth::Refusal;

/// /api/v2/users/me or below it, with any prefix that a gateway adds.
bool under_users_me(std::string_view path) noexcept {
  constexpr std::string_view kUsersMe = "/api/v2/users/me";
  path = path.substr(0, path.find_first_of("?#"));
  const auto at = path.find(kUsersMe);
  if (at == std::string_view::npos) return false;
  const std::string_view rest = path.substr(at + kUsersMe.size());
  return rest.empty() || rest.front() == '/';
}

/// The failure of users/me for a token without a user is not documented (docs/platform.md section
/// 3); whichever of these it is, the token is not bad.
bool lacks_user(const Refusal& refusal, int status, std::string_view path, bool managed) {
  const bool fits = status == 400 || status == 403 || status == 404;
  return managed && fits && refusal.permissions.empty() && under_users_me(path);
}

/// Reads what the platform's errors say in addition to those of other APIs.
void take_details(const oauth::AnswerBody& body, int status, Refusal& refusal) {
  if (!body.object) return;
  ErrorDetails details = read_error_details(*body.object);
  if (status == 403) {
    for (auto& name : details.permissions) refusal.permissions.push_back(std::move(name));
  }
  if (!refusal.retry_after) refusal.retry_after = details.retry_after;
  if (!body.code.empty()) refusal.error_code = body.code;
  if (!body.description.empty()) refusal.description = body.description;
  if (refusal.correlation_id.empty()) refusal.correlation_id = std::move(details.context_id);
}

}  // namespace

HttpRequest GenesysDialect::request(const oauth::Grant& grant, std::string_view token_url) const {
  return oauth::token_request(grant, token_url, oauth::BasicForm::raw);
}

Result<oauth::TokenAnswer> GenesysDialect::token(const clocks::Answer& answer) const {
  return oauth::token_answer(answer);
}

// docs/platform.md section 2.1: the status alone does not tell; 400 is an unknown client or a rate
// limit.
Refusal GenesysDialect::login_refusal(const Exchange& exchange) const {
  Refusal refusal = oauth::token_endpoint_refusal(exchange);
  if (refusal.kind != Refusal::Kind::credentials_rejected) return refusal;
  if (refusal.error_code != "invalid_client") return refusal;
  const std::string_view words = refusal.description;
  const bool not_found = words.starts_with("client not found");
  const bool known = words.starts_with("authentication failed");
  if (not_found || (exchange.status == 400 && !known)) refusal.kind = Refusal::Kind::unknown_client;
  return refusal;
}

Refusal GenesysDialect::api_refusal(const Exchange& exchange, std::string_view path,
                                    bool managed) const {
  const oauth::AnswerBody body = oauth::read_body(exchange);
  Refusal refusal = oauth::bearer_refusal(exchange, body, oauth::ErrorFormat::coded_json);
  if (exchange.status < 400) return refusal;
  const bool scope = refusal.error_code == "insufficient_scope";  // of WWW-Authenticate
  take_details(body, exchange.status, refusal);
  // An error that names a permission comes from the API itself, whatever else is missing.
  if (refusal.kind == Refusal::Kind::gateway_refused && !refusal.permissions.empty())
    refusal.kind = Refusal::Kind::missing_permission;
  if (exchange.status == 504 && refusal.error_code == "authentication.request.timeout") {
    refusal.kind = Refusal::Kind::backend_unavailable;
  }
  if (!scope && lacks_user(refusal, exchange.status, path, managed)) {
    refusal.kind = Refusal::Kind::no_user_context;
  }
  return refusal;
}

}  // namespace skewguard::genesys
