#include "http/url.hpp"

#include <algorithm>
#include <array>
#include <boost/url/ipv4_address.hpp>
#include <boost/url/ipv6_address.hpp>
#include <boost/url/parse.hpp>
#include <charconv>
#include <utility>

#include "base/strings.hpp"

namespace skewguard::http {
namespace {

namespace urls = boost::urls;

constexpr std::size_t kMaxUrlBytes = 16 * 1024;  // twice what servers take (RFC 9110 section 4.1)
constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

/// The text itself is not repeated: it may contain a password or a token.
Error unusable(std::string what) {
  return {.kind = ErrorKind::config,
          .message = "unusable URL: it " + std::move(what),
          .remedy = "give an absolute http:// or https:// URL"};
}

constexpr bool alphanumeric(char c) noexcept {
  const char lower = ascii_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

/// Checks what no URL may contain.
std::optional<Error> check_characters(std::string_view text) {
  if (text.empty()) return unusable("is empty");
  if (text.size() > kMaxUrlBytes) return unusable("is over 16 KiB long");
  for (const char c : text) {
    if (c == ' ') return unusable("contains a space");
    if ((c >= 0 && c < ' ') || c == '\x7f') return unusable("contains a control character");
    if (static_cast<unsigned char>(c) > 0x7f) return unusable("contains a non-ASCII character");
  }
  return std::nullopt;
}

/// The parts of a URL. We split it ourselves and use Boost.URL 1.81 only to parse the parts: it
/// reads "127.0.0.1.example" as the host "127.0.0.1" and a path (boostorg/url issue 770), and
/// "a.example:x" likewise.
struct Parts {
  std::string scheme;
  std::string_view host;  ///< IPv6 in its brackets
  std::string_view port;  ///< with its colon; may be empty
  std::string_view rest;  ///< path, query and fragment
};

Result<Parts> split(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return unusable("has no scheme");
  Parts parts;
  parts.scheme = to_lower(text.substr(0, colon));
  if (parts.scheme != "http" && parts.scheme != "https") {
    return unusable("is neither http nor https");
  }
  text.remove_prefix(colon + 1);
  if (!text.starts_with("//")) return unusable("names no host");
  text.remove_prefix(2);

  const auto authority_end = std::min(text.find_first_of("/?#"), text.size());
  const std::string_view authority = text.substr(0, authority_end);
  parts.rest = text.substr(authority_end);
  if (authority.find('@') != std::string_view::npos) {
    return unusable("contains a user name or password");
  }
  const auto bracket = authority.starts_with('[') ? authority.find(']') : 0;
  const auto host_end = std::min(authority.find(':', bracket), authority.size());
  parts.host = authority.substr(0, host_end);
  parts.port = authority.substr(host_end);
  return parts;
}

/// Lower case, with IPv6 in canonical form, so that equal hosts have equal names.
Result<std::string> read_host(std::string_view host) {
  if (host.empty()) return unusable("names no host");
  if (host.starts_with('[')) {
    if (!host.ends_with(']')) return unusable("has an unfinished IPv6 address");
    const auto address = urls::parse_ipv6_address(host.substr(1, host.size() - 2));
    if (!address) return unusable("has no IPv6 address in its brackets");
    return address->to_string();
  }
  const bool plain = std::ranges::all_of(
      host, [](char c) { return alphanumeric(c) || c == '-' || c == '.' || c == '_'; });
  if (!plain) return unusable("has a host with characters other than letters, digits and -._");
  return to_lower(host);
}

/// 1..65535.
Result<std::uint16_t> read_port(std::string_view port, std::uint16_t usual) {
  if (port.size() <= 1) return usual;
  unsigned value = 0;
  for (const char digit : port.substr(1)) {
    if (digit < '0' || digit > '9' || value > 65535)
      return unusable("has a port that is not a number");
    value = value * 10 + static_cast<unsigned>(digit - '0');
  }
  if (value == 0 || value > 65535) return unusable("has a port outside 1 to 65535");
  return static_cast<std::uint16_t>(value);
}

/// The request target: path and query (origin-form, RFC 9112 section 3.2.1).
Result<std::string> read_target(std::string_view rest) {
  if (rest.find('#') != std::string_view::npos) return unusable("contains a fragment (#)");
  std::string target = rest.starts_with('/') ? "" : "/";
  target.append(rest);
  if (!urls::parse_origin_form(target)) return unusable("has a malformed path or query");
  return target;
}

/// As hosts stand in URLs: IPv6 in brackets.
std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (auto error = check_characters(text)) return *std::move(error);
  auto parts = split(text);
  if (!parts) return std::move(parts).error();
  Url url;
  url.scheme = parts->scheme;
  auto host = read_host(parts->host);
  if (!host) return std::move(host).error();
  url.host = *std::move(host);
  auto port = read_port(parts->port, url.tls() ? kHttpsPort : kHttpPort);
  if (!port) return std::move(port).error();
  url.port = *port;
  auto target = read_target(parts->rest);
  if (!target) return std::move(target).error();
  url.target = *std::move(target);
  return url;
}

std::string endpoint_text(const std::string& host, std::uint16_t port) {
  return bracketed(host) + ":" + std::to_string(port);
}

std::string Url::authority() const {
  return port == (tls() ? kHttpsPort : kHttpPort) ? bracketed(host) : endpoint_text(host, port);
}

std::string Url::origin() const {
  return scheme + "://" + authority();
}

bool Url::loopback() const noexcept {
  if (host == "localhost" || host == "::1") return true;
  const auto address = urls::parse_ipv4_address(host);
  return address && address->is_loopback();
}

std::string origin_of(const std::string& text) {
  const auto url = parse_url(text);
  return url ? url->origin() : text;
}

std::string without_secrets(std::string_view url) {
  url = url.substr(0, url.find_first_of("?#"));
  const auto slashes = url.find("//");
  const auto authority = slashes == std::string_view::npos ? 0 : slashes + 2;
  const auto end = std::min(url.find_first_of("/\\", authority), url.size());
  const auto at = url.substr(authority, end - authority).rfind('@');
  if (at == std::string_view::npos) return std::string(url);
  return std::string(url.substr(0, authority)).append(url.substr(authority + at + 1));
}

std::string join_url(std::string_view base, std::string_view path) {
  while (base.ends_with('/')) base.remove_suffix(1);
  if (path.starts_with('/')) path.remove_prefix(1);  // a second one belongs to the path
  return std::string(base).append("/").append(path);
}

SecretText form_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  SecretText out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (alphanumeric(c) || c == '*' || c == '-' || c == '.' || c == '_') {
      out.append(c);
    } else if (c == ' ') {
      out.append('+');
    } else {
      for (const char digit : {'%', kHex[byte >> 4U], kHex[byte & 0xFU]}) out.append(digit);
    }
  }
  return out;
}

std::optional<SecretText> form_decode(std::string_view text) {
  SecretText out;
  out.reserve(text.size());
  while (!text.empty()) {
    char c = text.front();
    text.remove_prefix(1);
    if (c == '%') {
      const auto digits = text.substr(0, 2);
      unsigned code = 0;
      const auto [end, error] = std::from_chars(digits.begin(), digits.end(), code, 16);
      if (error != std::errc{} || end != digits.end() || digits.size() < 2) return std::nullopt;
      text.remove_prefix(2);
      c = static_cast<char>(code);
    } else if (c == '+') {
      c = ' ';
    }
    out.append(c);
  }
  return out;
}

bool valid_field_value(std::string_view value) noexcept {
  return std::ranges::all_of(value, [](char c) { return (c >= ' ' && c <= '~') || c == '\t'; });
}

bool valid_token(std::string_view name) noexcept {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return alphanumeric(c) || kMarks.find(c) != std::string_view::npos;
  });
}

bool confidential_field(std::string_view name) {
  constexpr std::array<std::string_view, 9> kMarks{
      "auth", "token", "secret", "key", "cookie", "password", "signat", "credential", "session"};
  const std::string lower = to_lower(name);
  return lower != "www-authenticate" && std::ranges::any_of(kMarks, [&](std::string_view mark) {
           return lower.find(mark) != std::string::npos;
         });
}

}  // namespace skewguard::http
