#include "oauth/login_host.hpp"

#include <utility>

#include "http/url.hpp"
#include "oauth/secret_hint.hpp"
#include "oauth/sent_secrets.hpp"
#include "oauth/withhold.hpp"

namespace skewguard::oauth {

LoginHost::LoginHost(Options options, Grants grants, std::shared_ptr<const Dialect> dialect)
    : options_(std::move(options)),
      origin_(http::origin_of(options_.token_url)),
      grants_(std::move(grants)),
      dialect_(std::move(dialect)) {}

void LoginHost::replace(Grants grants) {
  Grants old = grants_.all();
  if (!old.empty()) std::swap(old.front(), old.at(grants_.number() - 1));
  replaced_.insert(replaced_.end(), old.begin(), old.end());
  grants_ = GrantRotation(std::move(grants));
}

HttpRequest LoginHost::request() const {
  return dialect_->request(grants_.current(), options_.token_url);
}

std::variant<TokenAnswer, LoginFailure> LoginHost::read(const clocks::Answer& answer) const {
  const bool good = answer.status >= 200 && answer.status < 300;
  auto token = good ? dialect_->token(answer) : Result<TokenAnswer>(Error{});
  if (token) {
    for (Oddity& oddity : token->oddities) hide_secrets({&oddity.text});
    return *std::move(token);
  }
  const Refusal refusal = refusal_of(answer);
  if (!good || refusal.kind != Refusal::Kind::unusable)
    return failure_of(refusal, answer.status, context());
  LoginFailure failure = failure_of(token.error(), answer);
  hide_secrets({&failure.failure.error.message, &failure.correlation_id});
  return failure;
}

LoginFailure LoginHost::read(const TransportFailure& failure, WallTime local) const {
  return failure_of(failure, origin_, local);
}

/// Sorted before anything is withheld, so that the words keep their meaning.
Refusal LoginHost::refusal_of(const Exchange& exchange) const {
  Refusal refusal = dialect_->login_refusal(exchange);
  hide_secrets(
      {&refusal.description, &refusal.error_code, &refusal.correlation_id, &refusal.gateway});
  return refusal;
}

LoginContext LoginHost::context() const {
  const Grant& grant = was_replaced() ? *replaced_.front() : grants_.current();
  LoginContext out{origin_, options_.region, grant.client_id()};
  out.secret_hint = secret_hint(grant.client_secret().reveal(), grant.client_auth());
  out.client_auth = grant.client_auth();
  out.raw = options_.raw_basic;
  const auto plain = [](std::string_view text) { return http::form_encode(text) == text; };
  out.special = !plain(grant.client_id()) || !plain(grant.client_secret().reveal());
  return out;
}

/// The host may echo the secrets of this request or of an earlier one with another grant.
void LoginHost::hide_secrets(std::initializer_list<std::string*> words) const {
  for (const Grants* grants : {&grants_.all(), &replaced_}) {
    for (const auto& grant : *grants) {
      const auto secrets = secrets_in(dialect_->request(*grant, options_.token_url));
      for (std::string* text : words) *text = withhold(std::move(*text), secrets);
    }
  }
}

}  // namespace skewguard::oauth
