#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "skewguard/http.hpp"

/// What the head of an HTTP/1.1 message says (RFC 9112 sections 3 to 6). Pure functions.
namespace skewguard::net {

/// Why a message is unusable, in plain words; empty if it is usable.
using Fault = std::optional<std::string>;

struct StatusLine {
  int status = 0;    ///< 0..999
  int version = 11;  ///< 10 = HTTP/1.0, 11 = HTTP/1.1
};
/// A missing reason phrase is accepted, even without the space before it: nobody reads it.
std::optional<StatusLine> parse_status_line(std::string_view line);
/// Whether `text` is a prefix of a status line.
bool begins_like_answer(std::string_view text) noexcept;

struct RequestLine {
  std::string method;
  std::string target;
  int version = 11;
};
std::optional<RequestLine> parse_request_line(std::string_view line);

/// A field of a head or a trailer; empty if the line is not a field.
std::optional<HeaderField> parse_field(std::string_view line);

/// Where a message's body ends (RFC 9112 section 6.3).
struct Framing {
  enum class Kind { none, length, chunked, until_close };
  Kind kind = Kind::none;
  std::uint64_t length = 0;  ///< bytes; of `length`
};

/// Reads `framing` from an answer's head. Two equal lengths are accepted; a coding that was not
/// requested is not, since the body would have to be read until the close.
Fault answer_framing(const Headers& headers, int version, Framing& framing);
/// The same for a request, where anything ambiguous is an error: a server that reads it differently
/// would see another request behind it (request smuggling, RFC 9112 section 11.2).
Fault request_framing(const Headers& headers, int version, Framing& framing);

/// Whether a request has exactly one Host, as RFC 9112 section 3.2 requires.
Fault check_host(const Headers& headers, int version);

/// Whether a server says that it got plain HTTP but expects TLS, in the words of nginx, Apache or
/// Go.
bool wants_tls(int status, std::string_view body) noexcept;

/// Whether the sender keeps the connection open (RFC 9112 section 9.3).
bool keeps_alive(const Headers& headers, int version);

}  // namespace skewguard::net
