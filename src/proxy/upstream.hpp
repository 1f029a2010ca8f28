#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "net/dialer.hpp"
#include "relay/buffer.hpp"
#include "skewguard/http.hpp"
#include "skewguard/secret.hpp"
#include "skewguard/time.hpp"

namespace skewguard::proxy {

/// A connection to the API, for one request after the other. It copies what passes, since a
/// session's buffers may move; so it lies in secret memory. For its worker's thread. It must not be
/// destroyed while busy(), unless its loop does not run any more.
class Upstream {
 public:
  /// What a read has brought.
  enum class Came {
    some,    ///< bytes()
    end,     ///< the server has ended the connection
    failure  ///< nothing more will come
  };
  /// Who uses it. Called on the loop, never from within a function of the connection, which the
  /// user may give up from within.
  class User {
   public:
    /// A write has ended.
    virtual void upstream_wrote(bool failed) = 0;
    /// A read has ended.
    virtual void upstream_read(Came what) = 0;

   protected:
    ~User() = default;
  };

  /// `clocks` must outlive it.
  Upstream(net::Connection connection, ClockSource& clocks)
      : connection_(std::move(connection)), clocks_(clocks) {}
  Upstream(const Upstream&) = delete;
  Upstream& operator=(const Upstream&) = delete;
  ~Upstream() = default;

  static void* operator new(std::size_t size) { return SecretMemory::take(size); }
  static void operator delete(void* block, std::size_t size) noexcept {
    SecretMemory::give_back(block, size);
  }

  /// Another request begins.
  void begin(User& user);
  /// Nothing is under way, and the server has neither closed it nor written to it: asks the kernel,
  /// since the loop may not have got to that yet.
  [[nodiscard]] bool at_rest() {
    return !busy() && connection_.stream->unread() == net::Stream::Unread::nothing;
  }
  /// Ends what is under way soon, for this user.
  void close_for(User& user) {
    user_ = &user;
    connection_.stream->close();
  }
  /// Takes what it can from `from`, which is not empty, and writes it. Not while writing().
  void write(relay::Buffer& from);
  /// At most `most` bytes. Not while reading().
  void read(std::size_t most);
  /// What the last read brought. Valid until the next.
  [[nodiscard]] std::string_view bytes() const noexcept { return {in_.data(), arrived_}; }

  [[nodiscard]] bool writing() const noexcept { return writing_; }
  [[nodiscard]] bool reading() const noexcept { return reading_; }
  [[nodiscard]] bool busy() const noexcept { return writing_ || reading_; }
  /// It has carried a request before this one.
  [[nodiscard]] bool reused() const noexcept { return requests_ > 1; }
  /// Not one byte of this request has left this machine.
  [[nodiscard]] bool nothing_sent() const noexcept { return !some_sent_ && !writing_; }
  /// The clocks just before the first byte of this request; not set = nothing was sent.
  [[nodiscard]] const Now& sent() const noexcept { return sent_; }
  /// The clocks with the first bytes of its answer.
  [[nodiscard]] const Now& received() const noexcept { return received_; }
  /// Bytes had come before anything was sent.
  [[nodiscard]] bool early() const noexcept { return early_; }
  [[nodiscard]] std::uint64_t id() const noexcept { return connection_.id; }

 private:
  static constexpr std::size_t kChunk = std::size_t{16} * 1024;

  net::Connection connection_;
  ClockSource& clocks_;
  User* user_ = nullptr;
  std::size_t requests_ = 0;
  std::size_t arrived_ = 0;
  Now sent_{};
  Now received_{};
  bool writing_ = false;
  bool reading_ = false;
  bool some_sent_ = false;
  bool early_ = false;
  std::array<char, kChunk> in_;
  std::array<char, kChunk> out_;
};

}  // namespace skewguard::proxy
