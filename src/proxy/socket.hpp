#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "proxy/descriptor.hpp"
#include "proxy/event_loop.hpp"
#include "relay/buffer.hpp"

namespace skewguard::proxy {

/// A connected socket on a loop. It knows when there is nothing to read or no room to write, and
/// asks the kernel no more until that has changed. For the loop's thread.
class Socket final : private EventLoop::Watched {
 public:
  enum class Moved {
    nothing,  ///< it is not ready
    some,
    end,     ///< the peer sends no more
    failed,  ///< it can be neither read nor written any more
  };
  struct Transfer {
    Moved moved = Moved::nothing;
    std::size_t size = 0;
  };
  /// Who uses it.
  class User {
   public:
    /// Something about the socket has changed. The user may end it from within.
    virtual void socket_ready() = 0;

   protected:
    ~User() = default;
  };

  /// `descriptor` does not block. `loop` must outlive it.
  Socket(EventLoop& loop, Descriptor descriptor, User& user);
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() override { close(); }

  /// Adds to `into`, which has room.
  Moved read(relay::Buffer& into);
  Transfer read(std::span<char> into);
  /// Takes from `from`, which is not empty.
  Moved write(relay::Buffer& from);
  Transfer write(std::string_view bytes);
  /// There is something to read, the end included. Asks the kernel only where that is not known.
  [[nodiscard]] bool unread();
  /// The peer has reset the connection, or neither side sends any more.
  [[nodiscard]] bool gone() const noexcept;
  /// The user gets another turn soon, for what it has not read or written although it could.
  void again();

  /// Says that nothing more will be written.
  void finish() noexcept;
  void close() noexcept;
  /// Closes it so that the peer sees that something was cut short.
  void reset() noexcept;

 private:
  void ready() override { user_.socket_ready(); }
  [[nodiscard]] bool readable() const noexcept;
  void nothing_left() noexcept;

  EventLoop& loop_;
  Descriptor descriptor_;
  User& user_;
  const bool by_pieces_;  // a read may end early although more is there
  bool full_ = false;     // until it is told to be writable
  bool watches_writing_ = false;
};

}  // namespace skewguard::proxy
