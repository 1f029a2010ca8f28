#include "http/url.hpp"

#include <algorithm>
#include <boost/url/ipv4_address.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <utility>

#include "base/strings.hpp"

namespace skewguard::http {
namespace {

namespace urls = boost::urls;

constexpr std::size_t kMaxUrlBytes = 16 * 1024;  // twice what servers take (RFC 9110 section 4.1)
constexpr std::uint16_t kHttpPort = 80;
constexpr std::uint16_t kHttpsPort = 443;

/// The text itself is not repeated: it may hold a password or a token.
Error unusable(std::string what) {
  return {.kind = ErrorKind::config,
          .message = "unusable URL: it " + std::move(what),
          .remedy = "give an absolute http:// or https:// URL"};
}

constexpr bool alphanumeric(char c) noexcept {
  const char lower = ascii_lower(c);
  return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9');
}

/// What no URL may hold, whatever its parts are.
std::optional<Error> check_characters(std::string_view text) {
  if (text.empty()) return unusable("is empty");
  if (text.size() > kMaxUrlBytes) return unusable("is over 16 KiB long");
  for (const char c : text) {
    if (c == ' ') return unusable("holds a space");
    if ((c >= 0 && c < ' ') || c == '\x7f') return unusable("holds a control character");
    if (static_cast<unsigned char>(c) > 0x7f) return unusable("holds a character beyond ASCII");
  }
  return std::nullopt;
}

std::optional<Error> check_parts(const urls::url_view& url) {
  if (!iequals(url.scheme(), "http") && !iequals(url.scheme(), "https")) {
    return unusable("is neither http nor https");
  }
  if (!url.has_authority() || url.encoded_host().empty()) return unusable("names no host");
  if (url.has_userinfo()) return unusable("holds a user name or password");
  if (url.has_fragment()) return unusable("holds a fragment (#)");
  return std::nullopt;
}

/// Lower case; IPv6 in its canonical form, so that equal hosts have equal names.
Result<std::string> host_of(const urls::url_view& url) {
  switch (url.host_type()) {
    case urls::host_type::ipv4:
      return std::string(url.encoded_host());
    case urls::host_type::ipv6:
      return std::string(url.host_ipv6_address().to_string());
    case urls::host_type::name: {
      const std::string_view name = url.encoded_host();
      const bool plain = std::ranges::all_of(
          name, [](char c) { return alphanumeric(c) || c == '-' || c == '.' || c == '_'; });
      if (plain) return to_lower(name);
      return unusable("has a host name with other characters than letters, digits and -._");
    }
    default:
      return unusable("has a host that is neither a name nor an IP address");
  }
}

/// 1..65535, or nothing.
std::optional<std::uint16_t> port_of(const urls::url_view& url, std::uint16_t usual) noexcept {
  const std::string_view digits = url.port();
  if (digits.empty()) return usual;
  unsigned port = 0;
  for (const char digit : digits) {
    port = port * 10 + static_cast<unsigned>(digit - '0');
    if (port > 65535) return std::nullopt;
  }
  if (port == 0) return std::nullopt;
  return static_cast<std::uint16_t>(port);
}

std::string target_of(const urls::url_view& url) {
  std::string target(url.encoded_path());
  if (!target.starts_with('/')) target.insert(0, 1, '/');
  if (url.has_query()) target.append("?").append(std::string_view(url.encoded_query()));
  return target;
}

}  // namespace

Result<Url> parse_url(std::string_view text) {
  if (auto error = check_characters(text)) return *std::move(error);
  const auto parsed = urls::parse_uri(text);
  if (!parsed) return unusable("is not an absolute URL (RFC 3986)");
  const urls::url_view& parts = *parsed;
  if (auto error = check_parts(parts)) return *std::move(error);

  Url url;
  url.scheme = to_lower(parts.scheme());
  auto host = host_of(parts);
  if (!host) return std::move(host).error();
  url.host = *std::move(host);
  const auto port = port_of(parts, url.tls() ? kHttpsPort : kHttpPort);
  if (!port) return unusable("has a port outside 1 to 65535");
  url.port = *port;
  url.target = target_of(parts);
  return url;
}

std::string Url::authority() const {
  const bool ipv6 = host.find(':') != std::string::npos;
  std::string text = ipv6 ? "[" + host + "]" : host;
  if (port != (tls() ? kHttpsPort : kHttpPort)) text.append(":").append(std::to_string(port));
  return text;
}

std::string Url::origin() const {
  return scheme + "://" + authority();
}

bool Url::loopback() const noexcept {
  if (host == "localhost" || host == "::1") return true;
  const auto address = urls::parse_ipv4_address(host);
  return address && address->is_loopback();
}

std::string join_url(std::string_view base, std::string_view path) {
  while (base.ends_with('/')) base.remove_suffix(1);
  while (path.starts_with('/')) path.remove_prefix(1);
  return std::string(base).append("/").append(path);
}

std::string form_encode(std::string_view text) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (alphanumeric(c) || c == '*' || c == '-' || c == '.' || c == '_') {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += {'%', kHex[byte >> 4U], kHex[byte & 0xFU]};
    }
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

}  // namespace skewguard::http
