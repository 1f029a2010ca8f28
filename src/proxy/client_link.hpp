#pragma once

#include <algorithm>
#include <array>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <cstddef>
#include <utility>

#include "relay/buffer.hpp"

namespace skewguard::proxy {

/// A client's connection, TCP or Unix, on a worker's own thread.
using ClientSocket = boost::asio::basic_stream_socket<boost::asio::generic::stream_protocol,
                                                      boost::asio::io_context::executor_type>;

/// A client's socket. The buffers of its session may move between two calls, and none of them is
/// kept: what comes first comes into memory of its own, enough for most requests. For its worker's
/// thread. Handlers are called on the loop, and keep their owner alive.
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

  /// What has come: after when_readable(), which was told of this buffer's room.
  Moved read(relay::Buffer& into);
  /// What is in it, which is not empty.
  Moved write(relay::Buffer& from);
  /// Reads and drops what is there, at most kMaxDropped bytes of one connection.
  Moved drop();
  static constexpr std::size_t kMaxDropped = std::size_t{16} * 1024 * 1024;

  /// `handler()` is called once something has come, at first no more than `room` bytes, or it has
  /// failed. Nothing if one waits already.
  template <typename Handler>
  void when_readable(std::size_t room, Handler handler) {
    if (std::exchange(awaits_reading_, true)) return;
    socket_.async_read_some(
        boost::asio::buffer(first_.data(), std::min(room, first_.size())),
        [this, handler = std::move(handler)](const auto& error, std::size_t size) {
          awaits_reading_ = false;
          error_ = error;
          arrived_ = size;
          handler();
        });
  }
  /// `handler()` is called once it can be written, or has failed. Nothing if one waits already.
  template <typename Handler>
  void when_writable(Handler handler) {
    if (std::exchange(awaits_writing_, true)) return;
    socket_.async_wait(ClientSocket::wait_write,
                       [this, handler = std::move(handler)](const auto& /*error*/) {
                         awaits_writing_ = false;
                         handler();
                       });
  }
  /// `handler()` is called once the client has reset the connection. Nothing if one waits already.
  template <typename Handler>
  void when_gone(Handler handler) {
    if (std::exchange(awaits_departure_, true)) return;
    socket_.async_wait(ClientSocket::wait_error,
                       [this, handler = std::move(handler)](const auto& /*error*/) {
                         awaits_departure_ = false;
                         handler();
                       });
  }
  [[nodiscard]] bool awaits_writing() const noexcept { return awaits_writing_; }

  /// Says that nothing more will be written.
  void finish();
  /// Handlers are called soon.
  void close();
  /// Closes it so that the client sees that its answer was cut short.
  void reset();

 private:
  ClientSocket socket_;
  boost::system::error_code error_;  // of the last read
  std::size_t arrived_ = 0;          // of first_, not taken yet
  bool awaits_reading_ = false;
  bool awaits_writing_ = false;
  bool awaits_departure_ = false;
  std::size_t dropped_ = 0;
  std::array<char, 768> first_;
};

}  // namespace skewguard::proxy
