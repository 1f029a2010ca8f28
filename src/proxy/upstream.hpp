#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "net/tls_engine.hpp"
#include "proxy/api_dialer.hpp"
#include "proxy/socket.hpp"
#include "relay/buffer.hpp"
#include "skewguard/http.hpp"
#include "skewguard/time.hpp"

namespace skewguard::proxy {

/// A connection to the API, for one request after the other. For its worker's thread.
class Upstream final : private Socket::User {
 public:
  using Moved = Socket::Moved;
  using User = Socket::User;

  /// `loop` and `clocks` must outlive it.
  Upstream(EventLoop& loop, Dialed dialed, ClockSource& clocks);
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;
  ~Upstream();

  /// Another request begins. `user` is told when something may be read or written.
  void begin(User& user);
  /// Its user is told nothing more.
  void rest() noexcept { user_ = nullptr; }
  /// Nothing is under way, and the server has neither closed it nor written to it, as far as the
  /// loop has noted; the session tickets of TLS do not count.
  [[nodiscard]] bool at_rest();
  /// Takes what it can from `from`, which may be empty, and writes it, and what it has still got.
  Moved write(relay::Buffer& from);
  /// Adds to `into`, which has room.
  Moved read(relay::Buffer& into);

  /// It has carried a request before this one.
  [[nodiscard]] bool reused() const noexcept { return requests_ > 1; }
  /// Not one byte of this request has left this machine.
  [[nodiscard]] bool nothing_sent() const noexcept { return !some_sent_; }
  /// The clocks just before the first byte of this request; not set = nothing was sent.
  [[nodiscard]] const Now& sent() const noexcept { return sent_; }
  /// When the first bytes of its answer came; not set = none have come.
  [[nodiscard]] Instant received() const noexcept { return received_; }
  /// Bytes had come before anything was sent.
  [[nodiscard]] bool early() const noexcept { return early_; }
  [[nodiscard]] std::uint64_t id() const noexcept { return id_; }

 private:
  void socket_ready() override;
  void note_sending();
  void note_arrival();
  Moved read_tls(relay::Buffer& into);
  Moved decrypt(relay::Buffer& into);
  Socket::Transfer feed(std::size_t most);
  bool flush();

  Socket socket_;
  std::unique_ptr<net::TlsEngine> tls_;  // null = plain
  std::string out_;                      // encrypted, not written yet
  bool undecided_ = true;                // tls_ may have more to give
  std::size_t without_content_ = 0;      // bytes since the last content
  ClockSource& clocks_;
  const std::uint64_t id_;
  User* user_ = nullptr;
  std::size_t requests_ = 0;
  Now sent_{};
  Instant received_{};
  bool some_sent_ = false;
  bool early_ = false;
};

}  // namespace skewguard::proxy
