#include "oauth/token_request.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/secret_text.hpp"
#include "http/url.hpp"
#include "oauth/base64.hpp"

namespace skewguard::oauth {
namespace {

constexpr std::string_view kGrantType = "grant_type";

void append_field(SecretText& body, std::string_view name, std::string_view value) {
  if (!body.empty()) body.append('&');
  body.append(http::form_encode(name).view());
  body.append('=');
  body.append(http::form_encode(value).view());
}

Secret basic(std::string_view id, std::string_view secret, BasicForm form) {
  const auto part = [form](std::string_view text) {
    return form == BasicForm::raw ? SecretText(text) : http::form_encode(text);
  };
  const Secret pair = joined_secret({part(id).view(), ":", part(secret).view()});
  return joined_secret({"Basic ", base64_encode(pair.reveal()).view()});
}

}  // namespace

HttpRequest token_request(const Grant& grant, std::string_view token_url, BasicForm form) {
  HttpRequest request;
  request.method = "POST";
  request.url = std::string(token_url);
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  request.headers.add("Accept", "application/json");

  SecretText body;
  const auto fields = grant.fields();
  if (std::ranges::find(fields, kGrantType, &FormField::name) == fields.end())
    append_field(body, kGrantType, grant.grant_type());
  for (const auto& field : fields) append_field(body, field.name, field.value.reveal());
  const bool secret = grant.client_auth() != ClientAuth::none && !grant.client_secret().empty();
  if (secret && grant.client_auth() == ClientAuth::basic) {
    request.authorization = basic(grant.client_id(), grant.client_secret().reveal(), form);
  } else {
    append_field(body, "client_id", grant.client_id());
    if (secret) append_field(body, "client_secret", grant.client_secret().reveal());
  }
  request.body = std::move(body).secret();
  return request;
}

}  // namespace skewguard::oauth
