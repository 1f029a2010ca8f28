#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "emulator/cloud_emulator.hpp"
#include "skewguard/result.hpp"

namespace skewguard::emulator {

/// Where the hosts listen.
struct ListenOptions {
  std::string address = "127.0.0.1";  ///< --listen: an IPv4 or IPv6 address
  std::uint16_t login_port = 0;       ///< --login-port; 0 = any free one
  std::uint16_t api_port = 0;         ///< --api-port
  bool tls = false;                   ///< --tls: with a CA and a certificate made at the start
  std::string
      ca_file;  ///< --ca-file: where to write the CA; empty = a temporary file, removed at the end
};

/// The flags of `skewguard emulate`; each field names its flag.
struct Options {
  Duration login_offset{0};    ///< --login-offset: login host minus true time
  double login_drift_ppm = 0;  ///< --login-drift
  Duration api_offset{0};      ///< --api-offset: API host minus true time
  double api_drift_ppm = 0;    ///< --api-drift
  /// --api-backend, repeatable: one backend for each, at this offset plus --api-offset. None = one
  /// backend at --api-offset.
  std::vector<Duration> api_backends;
  BackendChoice backend_choice = BackendChoice::per_request;  ///< --backend-choice
  TokenFormat token = TokenFormat::opaque;                    ///< --token
  Duration lifetime = Settings{}.lifetime;                    ///< --lifetime
  Duration nbf_offset{0};                                     ///< --nbf-offset: nbf minus iat
  bool strict_nbf = false;                                    ///< --strict-nbf
  bool strict_iat = false;                                    ///< --strict-iat
  std::vector<std::pair<std::string, Secret>> clients;  ///< --client, repeatable: id and secret
  std::string user;                                     ///< --user: gives every client this user
  Delays latency{};                                     ///< --latency
  ListenOptions listen{};
  std::vector<Event> events;  ///< --scenario: what happens while it runs
};

/// "ID:SECRET", split at the first colon; both must be there.
Result<std::pair<std::string, Secret>> parse_client(std::string_view text);
/// "20ms" (of the round trip: half each way) or "15ms/5ms" (up/down).
Result<Delays> parse_latency(std::string_view text);
Result<TokenFormat> parse_token_format(std::string_view text);      ///< "opaque", "jwt"
Result<BackendChoice> parse_backend_choice(std::string_view text);  ///< "request", "connection"

/// Checks the limits; errors name the flag. Several secrets of one id become one client.
Result<CloudOptions> cloud_options(const Options& options);

}  // namespace skewguard::emulator
