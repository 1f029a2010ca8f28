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

/// One whole request as a host reads it: credentials included, since it is their reader.
struct ServerRequest {
  std::string method;
  std::string target;  ///< as sent: path and query, or absolute (RFC 9112 section 3.2.2)
  Headers headers;
  std::string body;
  std::uint64_t connection = 0;  ///< counted from 0 for each port
};

/// What a client's request looks like on the other side (Host and Content-Length left out).
ServerRequest as_received(const HttpRequest& request, std::uint64_t connection = 0);

/// How an answer's bytes go out.
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

/// One whole answer, its Date stamped. How it is cut into bytes is the shell's business.
struct Reply {
  int status = 200;
  Headers headers;
  std::string body;
  std::string outcome = "ok";  ///< one word for the counters (docs/guide/emulator.md); not sent
  bool quit = false;           ///< the emulator was asked to end once this is sent
  Delivery delivery{};
};

/// A request target taken apart. Nothing where the query's percent-encoding is malformed.
struct Target {
  std::string path;  ///< as sent, not decoded
  std::vector<std::pair<std::string, std::string>> query;
};
std::optional<Target> parse_target(std::string_view target);

}  // namespace skewguard::emulator
