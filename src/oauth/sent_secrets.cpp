#include "oauth/sent_secrets.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "base/secret_text.hpp"
#include "base/strings.hpp"
#include "http/url.hpp"
#include "oauth/base64.hpp"

namespace skewguard::oauth {
namespace {

constexpr std::string_view kForm = "application/x-www-form-urlencoded";

/// A field of a form that a grant proves itself with.
bool secret_field(std::string_view name) {
  const auto lower = to_lower(name);
  return std::ranges::any_of(
      std::array<std::string_view, 5>{"password", "secret", "assertion", "token", "code"},
      [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

/// The plain one first: what withhold() has shortened by the other it would not find whole.
void add_form_value(std::vector<Secret>& out, std::string_view sent) {
  auto plain = http::form_decode(sent);
  if (plain && plain->view() != sent) out.push_back((*std::move(plain)).secret());
  out.emplace_back(sent);
}

void add_basic(std::vector<Secret>& out, std::string_view credentials) {
  SecretText url_safe(credentials.substr(0, credentials.find('=')));
  std::replace(url_safe.data(), url_safe.data() + url_safe.size(), '+', '-');
  std::replace(url_safe.data(), url_safe.data() + url_safe.size(), '/', '_');
  const auto pair = base64url_decode(url_safe.view());
  if (!pair) return;
  const auto colon = pair->view().find(':');
  if (colon == std::string_view::npos) return;
  const auto secret = pair->view().substr(colon + 1);
  add_form_value(out, secret);
  out.push_back(http::form_encode(secret).secret());  // if it was sent raw
}

void add_form(std::vector<Secret>& out, std::string_view form) {
  while (!form.empty()) {
    const auto field = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(field.size() + 1, form.size()));
    const auto equals = field.find('=');
    if (equals != std::string_view::npos && secret_field(field.substr(0, equals)))
      add_form_value(out, field.substr(equals + 1));
  }
}

}  // namespace

std::vector<Secret> secrets_in(const HttpRequest& request) {
  std::vector<Secret> out;
  const auto sent = request.authorization.reveal();
  const auto blank = std::min(sent.find(' '), sent.size());
  const auto credentials = sent.substr(std::min(blank + 1, sent.size()));
  if (!credentials.empty()) out.emplace_back(credentials);
  if (iequals(sent.substr(0, blank), "Basic")) add_basic(out, credentials);
  const auto type = request.headers.find("Content-Type");
  if (type && iequals(std::string_view(*type).substr(0, kForm.size()), kForm))
    add_form(out, request.body.reveal());
  return out;
}

}  // namespace skewguard::oauth
