#pragma once

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <utility>

#include "relay/buffer.hpp"

namespace skewguard::proxy {

/// A client's connection, TCP or Unix, on a worker's own thread.
using ClientSocket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                                      boost::asio::io_context::executor_type>;

/// A client's socket, read and written when it is ready: the buffers of its session may move
/// between two calls, and none of them is kept. For its worker's thread. Handlers are called on the
/// loop, and keep their owner alive.
class ClientLink {
 public:
  enum class Moved {
    nothing,  ///< it is not ready
    some,
    end,     ///< the client sends no more
    failed,  ///< it can be neither read nor written any more
  };

  explicit ClientLink(ClientSocket socket);
  ClientLink(const ClientLink&) = delete;
  ClientLink& operator=(const ClientLink&) = delete;
  ~ClientLink() = default;

  /// Into all of its room, which is not empty.
  Moved read(relay::Buffer& into);
  /// What is in it, which is not empty.
  Moved write(relay::Buffer& from);
  /// Reads and drops what is there, at most kMaxDropped bytes of one connection.
  Moved drop();
  static constexpr std::size_t kMaxDropped = std::size_t{16} * 1024 * 1024;

  /// `handler()` is called once it can be read, or has failed. Nothing if one waits already.
  template <typename Handler>
  void when_readable(Handler handler) {
    if (!std::exchange(awaits_reading_, true))
      socket_.async_wait(ClientSocket::wait_read, after(awaits_reading_, std::move(handler)));
  }
  template <typename Handler>
  void when_writable(Handler handler) {
    if (!std::exchange(awaits_writing_, true))
      socket_.async_wait(ClientSocket::wait_write, after(awaits_writing_, std::move(handler)));
  }
  /// `handler()` is called once the client has reset the connection.
  template <typename Handler>
  void when_gone(Handler handler) {
    socket_.async_wait(ClientSocket::wait_error,
                       [handler = std::move(handler)](const auto& /*error*/) { handler(); });
  }
  [[nodiscard]] bool awaits_writing() const noexcept { return awaits_writing_; }

  /// Says that nothing more will be written.
  void finish();
  /// Handlers are called soon.
  void close();
  /// Closes it so that the client sees that its answer was cut short.
  void reset();

 private:
  template <typename Handler>
  static auto after(bool& awaits, Handler handler) {
    return [&awaits, handler = std::move(handler)](const auto& /*error*/) {
      awaits = false;
      handler();
    };
  }

  ClientSocket socket_;
  bool awaits_reading_ = false;
  bool awaits_writing_ = false;
  std::size_t dropped_ = 0;
};

}  // namespace skewguard::proxy
