#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "skewguard/http.hpp"

namespace skewguard::emulator {

enum class Host { login, api };
std::string_view to_string(Host host) noexcept;

/// A complete request as a host reads it, including credentials.
struct ServerRequest {
  std::string method;
  std::string target;  ///< as sent: path and query, or absolute (RFC 9112 section 3.2.2)
  Headers headers;
  std::string body;
  std::uint64_t connection = 0;  ///< counted from 0 for each port
};

/// Converts a client's request to what the host sees (without Host and Content-Length).
ServerRequest as_received(const HttpRequest& request, std::uint64_t connection = 0);

/// How an answer's bytes are sent.
struct Delivery {
  enum class Kind {
    whole,
    cut,      ///< the connection is closed after `after` bytes of the body
    reset,    ///< it is reset there (RST)
    slow,     ///< `piece` bytes at a time, a `pause` before each
    silence,  ///< nothing more after `after` bytes of the body; the connection stays open
    drop,     ///< it is closed without an answer
  };
  Kind kind = Kind::whole;
  /// Default: half of the body (cut, reset), or not even the head (silence).
  std::optional<std::size_t> after{};
  std::size_t piece = 1;
  Duration pause{0};
};
std::string_view to_string(Delivery::Kind kind) noexcept;

/// A complete answer with its Date. Sending it is up to the server.
struct Reply {
  int status = 200;
  Headers headers;
  std::string body;
  std::string outcome = "ok";  ///< one word for the counters (docs/guide/emulator.md); not sent
  bool quit = false;           ///< the emulator was asked to end once this is sent
  Delivery delivery{};
};

/// A parsed request target. Empty if the query's percent-encoding is malformed.
struct Target {
  std::string path;  ///< as sent, not decoded
  std::vector<std::pair<std::string, std::string>> query;
};
std::optional<Target> parse_target(std::string_view target);

}  // namespace skewguard::emulator
