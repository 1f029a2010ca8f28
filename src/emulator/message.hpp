#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emulator/transfer.hpp"
#include "skewguard/http.hpp"

namespace skewguard::emulator {

enum class Host { login, api };
std::string_view to_string(Host host) noexcept;

/// What is known of a body that was not kept.
struct BodyDigest {
  std::uint64_t size = 0;  ///< bytes
  std::string sha256;      ///< hex
};

/// A complete request as a host reads it, including credentials.
struct ServerRequest {
  std::string method;
  std::string target;  ///< as sent: path and query, or absolute (RFC 9112 section 3.2.2)
  Headers headers;
  std::string body;
  std::uint64_t connection = 0;        ///< counted from 0 for each port
  std::optional<BodyDigest> digest{};  ///< of a body that was read piece by piece; `body` is empty
};

/// Converts a client's request to what the host sees (without Host and Content-Length).
ServerRequest as_received(const HttpRequest& request, std::uint64_t connection = 0);

/// How an answer's bytes are sent.
struct Delivery {
  enum class Kind {
    whole,
    cut,      ///< the connection is closed after a part of the answer
    reset,    ///< it is reset there (RST)
    slow,     ///< at this `pace`
    silence,  ///< nothing more after that part; the connection stays open
    drop,     ///< it is closed without an answer
  };
  Kind kind = Kind::whole;
  /// The part: so many bytes behind the head; or of the whole answer. Default: half of the body
  /// (cut, reset), or not even the head (silence).
  std::optional<std::uint64_t> after{};
  std::optional<std::uint64_t> answer_byte{};
  Pace pace{};
};
std::string_view to_string(Delivery::Kind kind) noexcept;

/// A complete answer with its Date. Sending it is up to the server.
struct Reply {
  int status = 200;
  Headers headers;
  std::string body;
  std::optional<Download> download{};  ///< follows in place of `body`
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
