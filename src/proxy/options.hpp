#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/admission.hpp"
#include "skewguard/result.hpp"
#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"

namespace skewguard::proxy {

/// Where the sidecar listens: an IP address and a port, or a Unix socket.
struct ListenAddress {
  std::string host;        ///< an IP address, without brackets; empty for a Unix socket
  std::uint16_t port = 0;  ///< 0 = any free one
  std::string path;        ///< of the Unix socket; empty = TCP

  [[nodiscard]] bool unix_socket() const noexcept { return !path.empty(); }
  /// Whether programs on other machines can connect.
  [[nodiscard]] bool remote() const;
  /// "http://127.0.0.1:8484" or "unix:PATH".
  [[nodiscard]] std::string text() const;
};

/// Reads ADDR:PORT, [ADDR]:PORT or unix:PATH. Error (`config`): it is none of these.
Result<ListenAddress> parse_listen_address(std::string_view text);

/// How the sidecar serves. Plain data; each default has its reason.
struct ServeOptions {
  std::vector<ListenAddress> listen;  ///< at least one
  Secret local_secret;                ///< empty = every local program is served
  /// The longest time that a request waits for a token: SDKs give up after 16 s.
  Duration max_hold = std::chrono::seconds{12};
  std::size_t workers = 1;  ///< threads, at least 1
  /// The largest body, in bytes, that is kept so that its request can be sent again.
  std::size_t max_replay_body = std::size_t{1024} * 1024;
  relay::AdmissionRules admission;  ///< without bearers, which follow from the local secret
  std::size_t max_waiting = 1024;   ///< the most requests that wait for a token at once
  /// The longest time from SIGTERM to the end: container runtimes kill after 30 s.
  Duration drain = std::chrono::seconds{25};
};

}  // namespace skewguard::proxy
