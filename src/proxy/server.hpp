#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proxy/access_log.hpp"
#include "proxy/options.hpp"
#include "skewguard/client.hpp"
#include "skewguard/result.hpp"

namespace skewguard::proxy {

/// What a reload brings.
struct Reloaded {
  Secret local_secret;                 ///< empty = every local program is served
  std::vector<Secret> client_secrets;  ///< none = they stay
  AccessLog::Writer access_log{};      ///< empty = it stays where it is
};

/// The sidecar: its listeners, its workers' threads, and the client that holds the credentials.
class Server {
  struct Impl;

 public:
  /// Listens, but serves nobody yet; nothing is sent. `clocks` and `access_log` must outlive it.
  /// Errors: `config`; `unavailable` where this machine is out of sockets or threads,
  /// or this process may open too few files.
  static Result<std::unique_ptr<Server>> start(ServeOptions options, ClientOptions client,
                                               Hooks hooks, Dependencies dependencies,
                                               AccessLog& access_log);
  explicit Server(std::unique_ptr<Impl> impl);  ///< start() makes it
  ~Server();                                    ///< Ends what is under way.
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// What it listens on, with the ports that it got.
  [[nodiscard]] std::vector<ListenAddress> addresses() const;
  /// What SIGHUP is to do; its error changes nothing. Before run().
  void on_reload(std::function<Result<Reloaded>()> reload);
  /// Serves until SIGTERM or SIGINT, and then until the requests under way are answered, for at
  /// most ServeOptions::drain; a second signal ends it at once. Call it once, on one thread.
  void run();

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace skewguard::proxy
