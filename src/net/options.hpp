#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"

namespace skewguard::net {

/// What a client shows to servers that ask for a certificate (mTLS); PEM.
struct ClientIdentityFiles {
  std::string certificate;  ///< the chain, the client's own first
  std::string key;          ///< not encrypted
};

struct TlsOptions {
  /// PEM file of the authorities to trust, instead of the system's. Read when the first https URL
  /// is asked for; one that cannot be used fails that request as `bad_request`, naming the file.
  std::optional<std::string> ca_file{};
  /// Read at the same time; what cannot be used fails the request in the same way.
  std::optional<ClientIdentityFiles> client_identity{};
};

/// What a server shows its clients; PEM.
struct ServerIdentity {
  std::string certificate;  ///< the chain, the server's own first
  Secret key;
};

struct PoolOptions {
  /// Requests under way to one origin; further ones wait for their turn, deadlines running. A
  /// thousand callers must not exhaust the 1024 descriptors that a process usually has.
  std::size_t most_connections = 64;
  /// Idle connections kept for one origin; one more ends the oldest.
  std::size_t most_idle = 16;
  /// Just under the 60 s after which common load balancers close an idle connection.
  Duration idle_timeout = std::chrono::seconds{50};
};

}  // namespace skewguard::net
