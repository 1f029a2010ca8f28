#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret_text.hpp"
#include "skewguard/result.hpp"

namespace skewguard::http {

/// A parsed absolute http or https URL.
struct Url {
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< lower case; IPv6 without brackets
  std::uint16_t port = 0;
  std::string target;  ///< path and query, percent-encoded as given; begins with '/'

  [[nodiscard]] bool tls() const noexcept { return scheme == "https"; }
  /// scheme://host[:port], without the scheme's default port; IPv6 in brackets.
  [[nodiscard]] std::string origin() const;
  /// The value of the Host field.
  [[nodiscard]] std::string authority() const;
  [[nodiscard]] std::string text() const { return origin() + target; }
  /// localhost, 127.0.0.0/8 or ::1.
  [[nodiscard]] bool loopback() const noexcept;
};

/// Parses a URL. Other schemes, user info, fragments, control bytes and spaces are errors that name
/// what is wrong.
Result<Url> parse_url(std::string_view text);

/// "127.0.0.1:80", "[::1]:80".
std::string endpoint_text(const std::string& host, std::uint16_t port);

/// The origin of an absolute URL; `text` unchanged if it is not one.
std::string origin_of(const std::string& text);

/// Any URL, even a relative or malformed one, without the parts that may be secret: user info,
/// query and fragment.
std::string without_secrets(std::string_view url);

/// base + path, joined by one slash; the base's own path and further slashes of the path are kept.
std::string join_url(std::string_view base, std::string_view path);

/// application/x-www-form-urlencoded (WHATWG URL, section 5) of one name or value.
SecretText form_encode(std::string_view text);
/// The reverse; empty if a `%` is not followed by two hexadecimal digits.
std::optional<SecretText> form_decode(std::string_view text);
/// A field value may contain only visible ASCII, space and tab (RFC 9110 section 5.5, without
/// obs-text).
bool valid_field_value(std::string_view value) noexcept;
bool valid_token(std::string_view name) noexcept;  ///< RFC 9110 section 5.6.2
/// Whether a field of that name may contain a secret of ours, the user's or the server's, so that
/// its value is never logged. A challenge (WWW-Authenticate) contains none.
bool confidential_field(std::string_view name);

}  // namespace skewguard::http
