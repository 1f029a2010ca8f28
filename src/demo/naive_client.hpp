#pragma once

#include <functional>
#include <memory>
#include <string>

#include "skewguard/secret.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::demo {

/// The wrapper that most programs have around their HTTP client, neither better nor worse: it keeps
/// the end of the token as wall time (`exp` of a JWT, else now + `expires_in`), asks for a new one
/// when that has come, and answers a 401 with one refresh and one retry, noting "clock skew
/// detected" where the token was still valid by the local clock. Thread-safe, in that a lock guards
/// the token; threads that find it ended or refused each ask for a new one. Blocks.
class NaiveClient {
 public:
  struct Options {
    std::string login_url;
    std::string api_url;
    std::string client_id;
    Secret client_secret;
  };
  /// `say` gets each thing that it would log, from any thread.
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
