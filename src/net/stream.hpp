#pragma once

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "net/tls_engine.hpp"

namespace skewguard::net {

/// What a connection consists of, for whoever goes on with it.
struct Parts {
  int socket = -1;                 ///< does not block; to be closed
  std::unique_ptr<TlsEngine> tls;  ///< null = plain
};

/// One connection, plain or TLS, of a client or of a server. One write and one read at a time,
/// which do not wait for each other. Handlers run on the loop, never from within the call; after
/// close() they come with an error. Not thread-safe.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  using ErrorCode = boost::system::error_code;
  using Handler = std::function<void(ErrorCode, std::size_t)>;
  using ReadyHandler = std::function<void(std::optional<TransportFailure>)>;

  /// The most bytes that unread() reads: session tickets on an idle connection are shorter. One
  /// turn of the loop may check all idle connections of an origin.
  static constexpr std::size_t kMaxLookedAt = std::size_t{3} * 1024;

  /// What the peer has sent that has not been read yet.
  enum class Unread { nothing, bytes, end };

  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  virtual ~Stream() = default;  ///< closes

  /// Prepares it for requests: the TLS handshake.
  virtual void prepare(ReadyHandler handler) = 0;
  /// Looks without waiting: `end` also where more came than kMaxLookedAt, and no content.
  virtual Unread unread() = 0;
  /// Writes both, one after the other; they stay where they are until `handler`. Its size is how
  /// much went to the network, in bytes of the network: 0 = none of it.
  void write(std::string_view head, std::string_view body, Handler handler) {
    write(head, body, std::move(handler), [] {});
  }
  /// The same. `leaving` is called from within, once all is encrypted, just before the first byte
  /// may go to the network; not at all where encryption fails.
  virtual void write(std::string_view head, std::string_view body, Handler handler,
                     const std::function<void()>& leaving) = 0;
  /// At least one byte, or an error; `eof` where the peer closed in good order.
  virtual void read_some(std::span<char> buffer, Handler handler) = 0;
  /// The TLS failure, if an error was not one of the network.
  [[nodiscard]] virtual std::optional<TransportFailure> fault() const { return std::nullopt; }
  /// Once it is ready: version, cipher and the peer's certificate, in words; empty without TLS.
  [[nodiscard]] virtual std::string about_peer() const { return ""; }
  /// It offered to resume a TLS session; a failed handshake may be due to that.
  [[nodiscard]] virtual bool offered_session() const noexcept { return false; }
  /// Says that nothing more will be written, once the last write has ended; reading goes on.
  virtual void finish() = 0;
  virtual void close() = 0;
  /// Closes with a reset (RST): the peer may lose what it has not read.
  virtual void reset() = 0;
  /// Leaves the loop. Only while nothing is under way; nothing may follow.
  virtual Parts release() = 0;
};

std::shared_ptr<Stream> plain_stream(boost::asio::ip::tcp::socket socket);
/// `sessions`: null = none is resumed, and none is kept for later.
std::shared_ptr<Stream> tls_stream(boost::asio::ip::tcp::socket socket, const TlsContext& context,
                                   CertificateDemand demand,
                                   std::shared_ptr<TlsSessions> sessions = nullptr);
/// The server's side.
std::shared_ptr<Stream> tls_stream(boost::asio::ip::tcp::socket socket, const TlsContext& context);

}  // namespace skewguard::net
