#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "skewguard/http.hpp"

/// What the head of an HTTP/1.1 message says (RFC 9112 sections 3 to 6). Pure functions.
namespace skewguard::net {

/// A reason why a message cannot be used, in plain words; nothing: there is none.
using Fault = std::optional<std::string>;

struct StatusLine {
  int status = 0;    ///< 0..999
  int version = 11;  ///< 10 = HTTP/1.0, 11 = HTTP/1.1
};
/// A missing reason phrase is accepted, also without the blank before it: nobody reads it.
std::optional<StatusLine> parse_status_line(std::string_view line);
/// Whether `text` is, or may yet become, the beginning of a status line.
bool begins_like_answer(std::string_view text) noexcept;

struct RequestLine {
  std::string method;
  std::string target;
  int version = 11;
};
std::optional<RequestLine> parse_request_line(std::string_view line);

/// A field of a head or of a trailer; nothing if the line is none.
std::optional<HeaderField> parse_field(std::string_view line);

/// Where a message's body ends (RFC 9112 section 6.3).
struct Framing {
  enum class Kind { none, length, chunked, until_close };
  Kind kind = Kind::none;
  std::uint64_t length = 0;  ///< bytes; of `length`
};

/// Reads `framing` from an answer's head. Two equal lengths are accepted; a coding that was not
/// asked for is not, since it would have to be read until the close.
Fault answer_framing(const Headers& headers, int version, Framing& framing);
/// The same for a request, where any doubt is a fault: whoever reads a doubtful request otherwise
/// sees another one behind it (request smuggling, RFC 9112 section 11.2).
Fault request_framing(const Headers& headers, int version, Framing& framing);

/// Whether a request has the one Host that RFC 9112 section 3.2 asks for.
Fault check_host(const Headers& headers, int version);

/// Whether a server says that it got plain HTTP where it expects TLS, in the words of nginx, Apache
/// or Go.
bool wants_tls(int status, std::string_view body) noexcept;

/// Whether the sender keeps the connection open (RFC 9112 section 9.3).
bool keeps_alive(const Headers& headers, int version);

}  // namespace skewguard::net
