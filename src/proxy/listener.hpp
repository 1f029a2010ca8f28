#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "proxy/descriptor.hpp"
#include "proxy/event_loop.hpp"
#include "proxy/options.hpp"
#include "skewguard/result.hpp"

namespace skewguard::proxy {

/// One address that clients connect to. For one thread.
class Listener final : private EventLoop::Watched {
 public:
  /// Gets each connection, a socket that does not block.
  using Handler = std::function<void(Descriptor)>;

  Listener() = default;
  ~Listener() override { close(); }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// A Unix socket is for this user alone (mode 0600); one that nobody listens on any more is
  /// replaced. Error: `config`, or `unavailable` where this machine is out of sockets.
  Result<void> open(const ListenAddress& address);
  /// With the port that it got.
  [[nodiscard]] const ListenAddress& address() const noexcept { return address_; }

  /// On `loop`, which must outlive it. From here on it is for its thread. Throws std::system_error
  /// where this machine is out of resources.
  void accept(EventLoop& loop, Handler handler);
  void close();

 private:
  void ready() override;
  void pause();
  void resume();

  Descriptor socket_;
  ListenAddress address_;
  EventLoop* loop_ = nullptr;  // once it accepts
  std::optional<LoopTimer> pause_;
  Handler handler_;
};

/// Whether a program of the user `peer` may use a sidecar that runs as `own`: the same user, or
/// root, who can read our memory anyway.
constexpr bool same_user(unsigned peer, unsigned own) noexcept {
  return peer == own || peer == 0;
}

}  // namespace skewguard::proxy
