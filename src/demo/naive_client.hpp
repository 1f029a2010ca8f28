#pragma once

#include <functional>
#include <memory>
#include <string>

#include "skewguard/secret.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::demo {

/// A typical wrapper around an HTTP client: it stores the expiry of the token as wall time (`exp`
/// of a JWT, otherwise now + `expires_in`), requests a new one after that, and answers a 401 with
/// one refresh and one retry, noting "clock skew detected" if the token was still valid by the
/// local clock. Thread-safe, but only the token is guarded by a lock: threads that find it expired
/// or refused each request a new one. Blocks.
class NaiveClient {
 public:
  struct Options {
    std::string login_url;
    std::string api_url;
    std::string client_id;
    Secret client_secret;
  };
  /// `say` gets each line that it would log, on any thread.
  NaiveClient(Options options, std::shared_ptr<ClockSource> clock,
              std::function<void(std::string)> say);
  ~NaiveClient();
  NaiveClient(const NaiveClient&) = delete;
  NaiveClient& operator=(const NaiveClient&) = delete;

  /// The status that reaches the caller; 0 = no answer, or no token.
  int get(const std::string& path);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace skewguard::demo
