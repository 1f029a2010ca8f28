#include "oauth/rfc6749_dialect.hpp"

#include "oauth/refusals.hpp"
#include "oauth/token_answer.hpp"
#include "oauth/token_request.hpp"

namespace skewguard::oauth {

HttpRequest Rfc6749Dialect::request(const Grant& grant, std::string_view token_url) const {
  return token_request(grant, token_url, BasicForm::form_encoded);
}

Result<TokenAnswer> Rfc6749Dialect::token(const clocks::Answer& answer) const {
  return token_answer(answer);
}

Refusal Rfc6749Dialect::login_refusal(const Exchange& exchange) const {
  return token_endpoint_refusal(exchange);
}

Refusal Rfc6749Dialect::api_refusal(const Exchange& exchange, std::string_view /*path*/,
                                    bool /*managed*/) const {
  return bearer_refusal(exchange, read_body(exchange), ErrorFormat::any_json);
}

}  // namespace skewguard::oauth
