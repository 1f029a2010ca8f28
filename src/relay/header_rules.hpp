#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "relay/buffer.hpp"
#include "relay/framing.hpp"
#include "relay/head_codec.hpp"

/// What changes in heads on their way: as little as possible. Fields keep order, spelling and
/// repetition. Those of one connection (RFC 9110 section 7.6.1) end here, and those that Connection
/// names, except for the ones that the relay or the message depends on: `Connection: Host` removes
/// nothing.
namespace skewguard::relay {

struct OutgoingRequest {
  std::string_view target;         ///< byte for byte
  std::string_view authority;      ///< of the API: the value of Host
  std::string_view authorization;  ///< the whole value; replaces what the client sent
};
/// Appends the head that goes to the API. It has exactly one Authorization, ours, and the framing
/// of the client's request. Cookies pass: the API gave them. False if it does not fit; then nothing
/// is appended.
bool append_request_head(const RequestHead& head, const OutgoingRequest& outgoing,
                         Buffer& out) noexcept;

struct OutgoingAnswer {
  std::string_view method;       ///< of the request
  int client_version = 11;       ///< of the request
  std::string_view api_origin;   ///< scheme://host[:port]; a Location there is rewritten to ours
  std::string_view client_host;  ///< the request's Host
  std::string_view verdict;      ///< for Skewguard-Verdict
  unsigned attempts = 1;         ///< for Skewguard-Attempts
  /// Of the web page that reads it: what the API says about pages is replaced. Empty if none does.
  std::string_view origin;
  bool close = false;  ///< whether the client's connection ends after it
};
/// Appends the head of a final answer for the client. The body must follow in the framing that
/// client_framing() gives. False if it does not fit; then nothing is appended.
bool append_answer_head(const AnswerHead& head, const OutgoingAnswer& outgoing,
                        Buffer& out) noexcept;

/// Appends an interim answer (1xx) for a client of HTTP/1.1.
bool append_interim_head(const AnswerHead& head, Buffer& out) noexcept;

/// An answer of our own, without its body.
struct OutgoingPage {
  int status = 200;
  std::string_view reason;
  std::string_view fields;  ///< complete lines
  std::size_t length = 0;   ///< bytes of its body; said except for status 204
  std::string_view origin;  ///< of the web page that reads it; empty if none does
  bool close = false;       ///< whether the client's connection ends after it
};
/// False if it does not fit; then nothing is appended.
bool append_page_head(const OutgoingPage& page, Buffer& out) noexcept;

/// The field by which a browser asks whether a page may send a request with this method.
inline constexpr std::string_view kAskedMethod = "Access-Control-Request-Method";
/// Appends the answer to such a question (Fetch standard, "CORS-preflight request"): the page of
/// this origin may send what it asks for. False if it does not fit; then nothing is appended.
bool append_preflight_answer(const RequestHead& head, std::string_view origin, bool close,
                             Buffer& out) noexcept;

/// For how long the sender keeps an idle connection, if a Keep-Alive field says so (`timeout=5`).
std::optional<std::chrono::seconds> keep_alive_time(const HeadFacts& head) noexcept;

/// Whether a Connection field names this one, so that it is about one connection only.
bool named_by_connection(const HeadFacts& head, std::string_view name) noexcept;

/// Where `location` leads on the API's origin: the path, query and fragment. Empty if it leads
/// elsewhere or is relative.
std::string_view path_on_origin(std::string_view location, std::string_view origin) noexcept;

}  // namespace skewguard::relay
