#include <algorithm>
#include <optional>
#include <utility>

#include "base/strings.hpp"
#include "http/url.hpp"
#include "settings/sources.hpp"

namespace skewguard::settings {
namespace {

Error unusable(const Value& value, const std::string& why, std::string remedy) {
  return config_error("the proxy (" + value.origin + ") " + why, std::move(remedy));
}

int hex_digit(char c) {
  const char lower = ascii_lower(c);
  if (lower >= '0' && lower <= '9') return lower - '0';
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/// Nothing where a percent sign has no two digits behind it.
std::optional<SecretText> percent_decoded(std::string_view text) {
  SecretText out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.append(text[i]);
      continue;
    }
    const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return std::nullopt;
    out.append(static_cast<char>(high * 16 + low));
    i += 2;
  }
  return out;
}

/// "user:password" of the text before the '@', decoded.
Result<Secret> credentials_of(std::string_view text, const Value& value) {
  const std::size_t colon = std::min(text.find(':'), text.size());
  const auto user = percent_decoded(text.substr(0, colon));
  const auto password = percent_decoded(text.substr(std::min(colon + 1, text.size())));
  if (!user || !password) {
    return unusable(value, "has a % in its credentials without two hexadecimal digits after it",
                    "write a percent sign as %25");
  }
  if (user->view().find(':') != std::string_view::npos) {  // RFC 7617 section 2
    return unusable(value, "has a colon in its user name",
                    "Basic authentication cannot send such a name");
  }
  Secret credentials = joined_secret({user->view(), ":", password->view()});
  const auto control = [](char c) { return (c >= 0 && c < ' ') || c == '\x7f'; };
  if (std::ranges::any_of(credentials.reveal(), control)) {
    return unusable(value, "has a control character in its credentials",
                    "use user and password exactly as they are");
  }
  return credentials;
}

/// As curl takes it: [http://][user[:password]@]host[:port]
std::optional<Error> read_proxy_url(const Value& value, ProxyOptions& into) {
  std::string_view text = trim(value.text);
  if (const auto end = text.find("://"); end != std::string_view::npos) {
    const std::string scheme = to_lower(text.substr(0, end));
    if (scheme != "http") {
      const bool known = scheme == "https" || scheme.starts_with("socks");
      return unusable(
          value, known ? "uses " + scheme + "://, which is not supported" : "is not an http:// URL",
          "use an http:// proxy");
    }
    text.remove_prefix(end + 3);
  }
  const auto host = text.rfind('@');  // no host contains one, a password may
  if (host != std::string_view::npos && host > 0) {
    auto credentials = credentials_of(text.substr(0, host), value);
    if (!credentials) return std::move(credentials).error();
    into.credentials = *std::move(credentials);
  }
  if (host != std::string_view::npos) text.remove_prefix(host + 1);
  const auto url = http::parse_url("http://" + std::string(text));
  if (!url) return unusable(value, "has an " + url.error().message, "use http://host:port");
  if (url->target != "/") return unusable(value, "has a path", "use http://host:port");
  into.url = url->origin();
  return std::nullopt;
}

}  // namespace

std::optional<Error> read_proxy(const Sources& sources, bool any_tls, ProxyOptions& into) {
  const auto value = sources.find(kProxy);
  if (!value || trim(value->text).empty()) return std::nullopt;  // as curl: --proxy "" is none
  into.https_only = value->rank == Rank::environment;
  if (into.https_only && !any_tls) return std::nullopt;
  if (const auto direct = sources.find(kNoProxy)) into.no_proxy = direct->text;
  return read_proxy_url(*value, into);
}

}  // namespace skewguard::settings
