#pragma once

#include <openssl/ssl.h>

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace skewguard::net {

struct FreeTlsSession {
  void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
};
using TlsSession = std::unique_ptr<SSL_SESSION, FreeTlsSession>;

/// Sessions that servers have offered to resume (RFC 8446 section 2.2), in memory alone: they hold
/// keys. Each is used once, so that nobody on the network can tell two connections for one client's
/// (appendix C.4). Thread-safe: they come with what is read, on the thread that reads.
class TlsSessions {
 public:
  /// Servers send two as a rule; more are of use only to who connects often at once.
  static constexpr std::size_t kMaxEach = 4;
  /// Who talks to more servers than these does so in passing.
  static constexpr std::size_t kMaxServers = 64;

  /// `server`: "host:port".
  void put(const std::string& server, TlsSession session);
  /// The newest one that OpenSSL has not given up since (its connection broke), or null.
  TlsSession take(const std::string& server);

 private:
  std::mutex mutex_;
  std::map<std::string, std::deque<TlsSession>> sessions_;  // oldest first; no empty ones
};

}  // namespace skewguard::net
