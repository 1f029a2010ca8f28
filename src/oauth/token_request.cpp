#include "oauth/token_request.hpp"

#include <string>

#include "http/url.hpp"
#include "oauth/base64.hpp"

namespace skewguard::oauth {
namespace {

void append_wiping(std::string& to, std::string&& piece) {
  if (to.capacity() < to.size() + piece.size()) {
    // Growing by itself, a string would leave its old characters in freed memory.
    std::string grown;
    grown.reserve(2 * (to.size() + piece.size()));
    grown.append(to);
    Secret::wipe(to);
    to.swap(grown);
  }
  to.append(piece);
  Secret::wipe(piece);
}

void append_field(std::string& body, std::string_view name, std::string_view value) {
  if (!body.empty()) body += '&';
  append_wiping(body, http::form_encode(name) + '=');
  append_wiping(body, http::form_encode(value));
}

Secret basic(std::string_view id, std::string_view secret, BasicForm form) {
  const auto part = [form](std::string_view text) {
    return form == BasicForm::raw ? std::string(text) : http::form_encode(text);
  };
  std::string pair = part(id) + ':';
  append_wiping(pair, part(secret));
  std::string value = "Basic ";
  append_wiping(value, base64_encode(pair));
  Secret::wipe(pair);
  return Secret{std::move(value)};
}

}  // namespace

HttpRequest token_request(const Grant& grant, std::string_view token_url, BasicForm form) {
  HttpRequest request;
  request.method = "POST";
  request.url = std::string(token_url);
  request.headers.add("Content-Type", "application/x-www-form-urlencoded");
  request.headers.add("Accept", "application/json");

  std::string body;
  append_field(body, "grant_type", grant.grant_type());
  for (const auto& field : grant.fields()) append_field(body, field.name, field.value.reveal());
  if (grant.client_secret().empty()) {
    append_field(body, "client_id", grant.client_id());
  } else {
    request.authorization = basic(grant.client_id(), grant.client_secret().reveal(), form);
  }
  request.body = Secret{std::move(body)};
  return request;
}

}  // namespace skewguard::oauth
