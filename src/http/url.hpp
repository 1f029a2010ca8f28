#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/secret_text.hpp"
#include "skewguard/result.hpp"

namespace skewguard::http {

/// An absolute http or https URL, taken apart.
struct Url {
  std::string scheme;  ///< "http" or "https"
  std::string host;    ///< lower case; IPv6 without brackets
  std::uint16_t port = 0;
  std::string target;  ///< path and query, percent-encoded as given; begins with '/'

  [[nodiscard]] bool tls() const noexcept { return scheme == "https"; }
  /// scheme://host[:port], the port left out where it is the scheme's own; IPv6 in brackets.
  [[nodiscard]] std::string origin() const;
  /// What the Host field says.
  [[nodiscard]] std::string authority() const;
  [[nodiscard]] std::string text() const { return origin() + target; }
  /// localhost, 127.0.0.0/8 or ::1.
  [[nodiscard]] bool loopback() const noexcept;
};

/// Refuses other schemes, user info, fragments, control bytes and spaces, naming what is wrong.
Result<Url> parse_url(std::string_view text);

/// The origin of an absolute URL; `text` as it is, where it is none.
std::string origin_of(const std::string& text);

/// Any URL, also a relative or malformed one, without what may be secret in it: user info, query
/// and fragment.
std::string without_secrets(std::string_view url);

/// base + path: one slash between them, and what the path has beyond its first; the base's own path
/// is kept.
std::string join_url(std::string_view base, std::string_view path);

/// application/x-www-form-urlencoded (WHATWG URL, section 5) of one name or value.
SecretText form_encode(std::string_view text);
/// The reverse; nothing where a `%` is not followed by two hexadecimal digits.
std::optional<SecretText> form_decode(std::string_view text);
/// A field value may hold visible ASCII, space and tab alone (RFC 9110 section 5.5, less obs-text).
bool valid_field_value(std::string_view value) noexcept;
bool valid_token(std::string_view name) noexcept;  ///< RFC 9110 section 5.6.2
/// Whether a field of that name may hold a secret, ours, the user's or the server's: its value goes
/// to no log. A challenge (WWW-Authenticate) holds none.
bool confidential_field(std::string_view name);

}  // namespace skewguard::http
