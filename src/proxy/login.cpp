#include "proxy/login.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "base/secret_text.hpp"
#include "base/strings.hpp"
#include "http/url.hpp"
#include "oauth/base64.hpp"

namespace skewguard::proxy {
namespace {

/// As the platform grants it. SDKs never log in again, so the real token's life is not theirs.
constexpr int kHandleLife = 86400;

Page oauth_error(int status, const char* error, const char* description) {
  const nlohmann::ordered_json body{{"error", error}, {"error_description", description}};
  return json_page(status, body.dump());
}

/// The field of a form, decoded; empty if it is not there.
std::optional<SecretText> form_field(std::string_view form, std::string_view name) {
  while (!form.empty()) {
    const std::string_view pair = form.substr(0, form.find('&'));
    form.remove_prefix(std::min(form.size(), pair.size() + 1));
    if (pair.substr(0, pair.find('=')) != name) continue;
    return http::form_decode(pair.substr(std::min(pair.size(), name.size() + 1)));
  }
  return std::nullopt;
}

/// From Basic credentials, which some clients form-encode first (RFC 6749 section 2.3.1).
bool basic_admitted(const LocalSecret& local, std::string_view credentials) {
  SecretText url_safe;  // of which the decoder takes the alphabet of RFC 4648 section 5 alone
  for (const char c : credentials.substr(0, credentials.find('='))) {
    url_safe.append(c == '+' ? '-' : c == '/' ? '_' : c);
  }
  const auto decoded = oauth::base64url_decode(url_safe.view());
  if (!decoded) return false;
  const std::size_t colon = decoded->view().find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view secret = decoded->view().substr(colon + 1);
  if (local.admits_login(secret)) return true;
  const auto plain = http::form_decode(secret);
  return plain && local.admits_login(plain->view());
}

bool admitted(const LocalSecret& local, std::string_view authorization, std::string_view body) {
  constexpr std::string_view kBasic = "Basic ";
  if (local.admits_login("")) return true;
  if (iequals(authorization.substr(0, kBasic.size()), kBasic)) {
    return basic_admitted(local, trim(authorization.substr(kBasic.size())));
  }
  const auto secret = form_field(body, "client_secret");
  return secret && local.admits_login(secret->view());
}

}  // namespace

Page login_page(const LocalSecret& local, std::string_view authorization, std::string_view body) {
  const auto grant = form_field(body, "grant_type");
  if (!grant) return oauth_error(400, "invalid_request", "grant_type is missing");
  if (*grant != "client_credentials") {
    return oauth_error(400, "unsupported_grant_type",
                       "skewguard serve answers client_credentials alone");
  }
  if (!admitted(local, authorization, body)) {
    Page page = oauth_error(401, "invalid_client", "the client secret is not the local secret");
    page.headers.add("WWW-Authenticate", "Basic realm=\"skewguard\"");
    return page;
  }
  const std::string life = std::to_string(kHandleLife);
  Page page{200, {{"Content-Type", "application/json"}, {"Cache-Control", "no-store"}}};
  page.body = joined_secret({R"({"access_token":")", local.handle().reveal(),
                             R"(","token_type":"bearer","expires_in":)", life, "}"});
  return page;
}

}  // namespace skewguard::proxy
