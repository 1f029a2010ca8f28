#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"

namespace skewguard::net {

/// The client certificate for servers that request one (mTLS); PEM.
struct ClientIdentityFiles {
  std::string certificate;  ///< the chain, the client's own first
  std::string key;          ///< not encrypted
};

struct TlsOptions {
  /// PEM file of the authorities to trust, instead of the system's. Read when the first https URL
  /// is requested; an unusable one fails that request with `bad_request`, naming the file.
  std::optional<std::string> ca_file{};
  /// Read at the same time; an unusable one fails the request in the same way.
  std::optional<ClientIdentityFiles> client_identity{};
  /// Keeps OpenSSL's buffers of a connection between records: 34 KiB for each, but clearing them
  /// costs a microsecond with each answer. What was decrypted is overwritten in any case.
  bool keep_buffers = false;
};

/// The certificate of a server; PEM.
struct ServerIdentity {
  std::string certificate;  ///< the chain, the server's own first
  Secret key;
};

struct PoolOptions {
  /// Requests in progress to one origin; others wait for their turn while their deadlines run. A
  /// thousand callers must not exhaust the 1024 descriptors that a process usually has.
  std::size_t most_connections = 64;
  /// Idle connections kept for each origin; one more closes the oldest. As many as may be in use: a
  /// smaller number makes steady callers connect again and again.
  std::size_t most_idle = 64;
  /// Just under the 60 s after which common load balancers close idle connections.
  Duration idle_timeout = std::chrono::seconds{50};
};

}  // namespace skewguard::net
