#include "runtime/check_options.hpp"

#include <string>
#include <utility>

#include "base/strings.hpp"
#include "http/url.hpp"
#include "net/proxy.hpp"
#include "net/sntp_client.hpp"
#include "net/tls_identity.hpp"
#include "settings/limits.hpp"

namespace skewguard::runtime {
namespace {

Error config(std::string message, std::string remedy) {
  return Error{ErrorKind::config, std::move(message), std::move(remedy)};
}

Result<void> check_url(const std::string& name, const std::string& text, bool insecure_http) {
  const auto url = http::parse_url(text);
  if (!url) return config(name + ": " + url.error().message, url.error().remedy);
  if (url->target.find('?') != std::string::npos)
    return config(name + " has a query", "give only the base URL");
  if (!url->tls() && !url->loopback() && !insecure_http) {
    return config(
        name + " is http:// to " + url->host + ", which would expose secrets to the network",
        "use https://, or allow it with insecure_http (--insecure-http)");
  }
  return {};
}

// A secret ends up in a header, in base64 or as it is. Errors may contain its name, never its
// value.
Result<void> check_text(const std::string& name, std::string_view value) {
  if (http::valid_field_value(value)) return {};
  return config(name + " contains control or non-ASCII characters", "use it exactly as issued");
}

Result<void> check_secrets(const std::vector<Secret>& secrets) {
  for (const Secret& secret : secrets) {
    if (auto ok = check_text("a client secret", secret.reveal()); !ok) return ok;
  }
  return {};
}

/// The client must be named exactly once.
Result<void> check_authentication(const ClientOptions& options) {
  const bool raw =
      options.dialect == DialectName::genesys && options.client_auth == ClientAuth::basic;
  if (raw && options.client_id.find(':') != std::string::npos) {  // RFC 7617 section 2
    return config("client_id contains a colon, which Basic authentication does not allow",
                  "choose the dialect rfc6749, or client_auth post");
  }
  bool grant_type = false;
  for (const auto& [name, value] : options.token_params) {
    if (name == "grant_type" && std::exchange(grant_type, true))
      return config("token_params has grant_type twice", "give it once");  // RFC 6749 section 3.2
    if (iequals(name, "client_id") || iequals(name, "client_secret"))
      return config("token_params has " + name + ", which has its own option", "leave it out");
  }
  return {};
}

Result<void> check_client_certificate(const ClientOptions& options) {
  if (options.client_cert_file.empty() && options.client_key_file.empty()) return {};
  if (options.client_cert_file.empty() || options.client_key_file.empty()) {
    const bool no_key = options.client_key_file.empty();
    return config(std::string("a client ") + (no_key ? "certificate is given without its key"
                                                     : "key is given without its certificate"),
                  "give both (--client-cert and --client-key)");
  }
  if (auto fault =
          net::check_client_identity({options.client_cert_file, options.client_key_file})) {
    return config(*std::move(fault), "name readable PEM files, with an unencrypted key");
  }
  return {};
}

}  // namespace

Result<void> check_new_secrets(const std::vector<Secret>& secrets) {
  if (secrets.empty()) return config("there is no client secret", "give at least one");
  return check_secrets(secrets);
}

Result<void> check_options(const ClientOptions& options) {
  if (auto ok = check_url("api_url", options.api_url, options.insecure_http); !ok) return ok;
  if (options.access_token.empty()) {
    if (auto ok = check_url("login_url", options.login_url, options.insecure_http); !ok) return ok;
    if (options.client_id.empty()) {
      return config("client_id is missing", "give a client id, or an access token");
    }
    if (auto ok = check_text("client_id", options.client_id); !ok) return ok;
    if (auto ok = check_authentication(options); !ok) return ok;
    if (auto ok = check_secrets(options.client_secrets); !ok) return ok;
  }
  if (auto ok = check_text("access_token", options.access_token.reveal()); !ok) return ok;
  if (!options.token_path.starts_with('/')) {
    return config("token_path \"" + options.token_path + "\" does not begin with a slash", "");
  }
  const std::string& verify = options.verify_path;
  if (!verify.empty() &&
      (!verify.starts_with('/') || !http::parse_url(http::join_url(options.api_url, verify)))) {
    return config("verify_path \"" + verify + "\" is not a path",
                  "start it with a slash: /api/v2/tokens/me");
  }
  if (auto proxy = net::ProxyRule::make(options.proxy); !proxy) return std::move(proxy).error();
  if (auto ok = check_client_certificate(options); !ok) return ok;
  if (options.ntp) {
    if (auto ok = net::check_sntp_names(*options.ntp); !ok) return ok;
  }
  if (options.timeout <= Duration{0} || options.timeout > settings::kMaxTimeout) {
    return config("timeout must be above zero and at most 24 hours", "");
  }
  if (options.max_wait < Duration{0} || options.max_wait > settings::kMaxTimeout) {
    return config("max_wait must be between 0 and 24 hours", "");
  }
  if (options.staleness < Duration{0} || options.staleness > settings::kMaxStaleness) {
    return config("staleness must be between 0 and 1 hour", "");
  }
  if (options.attempts < 1) return config("attempts must be at least 1", "");
  return {};
}

}  // namespace skewguard::runtime
