#include "net/stream.hpp"

#include <sys/socket.h>

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <deque>
#include <string>
#include <tuple>
#include <utility>

namespace skewguard::net {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

Stream::Unread peek(tcp::socket& socket) {
  char byte = 0;
  const auto got = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  if (got > 0) return Stream::Unread::bytes;
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return Stream::Unread::nothing;
  return Stream::Unread::end;  // closed, or broken
}

void shut_down_sending(tcp::socket& socket) {
  boost::system::error_code ignored;
  std::ignore = socket.shutdown(tcp::socket::shutdown_send, ignored);
}

/// SO_LINGER of 0: the kernel answers what is on its way with a reset.
void reset_socket(tcp::socket& socket) {
  boost::system::error_code ignored;
  std::ignore = socket.set_option(asio::socket_base::linger(true, 0), ignored);
  std::ignore = socket.close(ignored);
}

/// -1 where that fails.
int released(tcp::socket& socket) {
  boost::system::error_code failed;
  std::ignore = socket.non_blocking(true, failed);
  const int descriptor = failed ? -1 : socket.release(failed);
  return failed ? -1 : descriptor;
}

/// Keeps the socket until its operation has ended, whoever lets go of it meanwhile. No
/// std::function: Asio has memory for its handlers, and uses it again.
auto kept(std::shared_ptr<Stream> stream, Stream::Handler handler) {
  return [stream = std::move(stream), handler = std::move(handler)](
             Stream::ErrorCode error, std::size_t size) { handler(error, size); };
}

class PlainStream final : public Stream {
 public:
  explicit PlainStream(tcp::socket socket) : socket_(std::move(socket)) {}

  void prepare(ReadyHandler handler) override {
    asio::post(socket_.get_executor(), [handler = std::move(handler)] { handler(std::nullopt); });
  }
  Unread unread() override { return peek(socket_); }
  void write(std::string_view head, std::string_view body, Handler handler,
             const std::function<void()>& leaving) override {
    leaving();
    auto done = kept(shared_from_this(), std::move(handler));
    if (body.empty()) {  // one buffer takes a simpler system call
      asio::async_write(socket_, asio::buffer(head), std::move(done));
      return;
    }
    const std::array<asio::const_buffer, 2> buffers{asio::buffer(head), asio::buffer(body)};
    asio::async_write(socket_, buffers, std::move(done));
  }
  void read_some(std::span<char> buffer, Handler handler) override {
    socket_.async_read_some(asio::buffer(buffer.data(), buffer.size()),
                            kept(shared_from_this(), std::move(handler)));
  }
  void finish() override { shut_down_sending(socket_); }
  void close() override {
    ErrorCode ignored;
    std::ignore = socket_.close(ignored);
  }
  void reset() override { reset_socket(socket_); }
  Parts release() override { return {released(socket_), nullptr}; }

 private:
  tcp::socket socket_;
};

/// What a peer may send between two pieces of content: tickets, key updates. There is no end to
/// what it could send.
constexpr std::size_t kMaxWithoutContent = std::size_t{32} * 1024;

/// Writes that wait for each other: one of content, and replies to what was read meanwhile.
constexpr std::size_t kMaxOnTheirWay = 8;

class TlsStream final : public Stream {
 public:
  TlsStream(tcp::socket socket, const TlsContext& context, CertificateDemand demand,
            std::shared_ptr<TlsSessions> sessions)
      : socket_(std::move(socket)),
        engine_(std::make_unique<TlsEngine>(context, std::move(demand), std::move(sessions))) {}
  TlsStream(tcp::socket socket, const TlsContext& context)
      : socket_(std::move(socket)), engine_(std::make_unique<TlsEngine>(context)) {}
  TlsStream(const TlsStream&) = delete;
  TlsStream& operator=(const TlsStream&) = delete;
  ~TlsStream() override { shut(); }

  void prepare(ReadyHandler handler) override {
    const auto step = engine_->handshake();
    if (step == TlsEngine::Step::done) without_content_ = 0;  // OpenSSL bounds the handshake
    if (step == TlsEngine::Step::failed) {
      send_now();  // the alert
      asio::post(socket_.get_executor(), [handler = std::move(handler),
                                          failure = engine_->failure()] { handler(failure); });
      return;
    }
    send(engine_->output(), [this, self = shared_from_this(), step, handler = std::move(handler)](
                                ErrorCode error, std::size_t) mutable {
      if (error) return handler(broken(error));
      if (step == TlsEngine::Step::done) return handler(std::nullopt);
      receive([this, self, handler = std::move(handler)](ErrorCode failed, std::size_t) mutable {
        failed ? handler(broken(failed)) : prepare(std::move(handler));
      });
    });
  }

  /// Session tickets are read here, so that they do not pass for an answer.
  Unread unread() override {
    // A read decrypts one record; more may have come with it.
    if (const auto step = engine_->peek(); step != TlsEngine::Step::want_input)
      return step == TlsEngine::Step::done ? Unread::bytes : Unread::end;
    std::size_t looked_at = 0;
    auto waiting = peek(socket_);
    while (waiting == Unread::bytes && looked_at < kMaxLookedAt) {
      ErrorCode error;
      const auto size =
          socket_.read_some(asio::buffer(in_.data(), kMaxLookedAt - looked_at), error);
      if (error) return Unread::end;
      looked_at += size;
      engine_->feed({in_.data(), size});
      const auto step = engine_->peek();
      if (step == TlsEngine::Step::done) return Unread::bytes;
      if (step != TlsEngine::Step::want_input) return Unread::end;
      waiting = peek(socket_);
    }
    return waiting == Unread::bytes ? Unread::end : waiting;
  }

  void write(std::string_view head, std::string_view body, Handler handler,
             const std::function<void()>& leaving) override {
    if (!engine_->write(head) || !engine_->write(body)) {
      failed_ = true;
      post(std::move(handler), asio::error::connection_aborted);
      return;
    }
    leaving();
    send(engine_->output(), std::move(handler));
  }

  void read_some(std::span<char> buffer, Handler handler) override {
    std::size_t size = 0;
    const auto step = read(buffer, size);
    proceed(step, size, buffer, std::move(handler));
  }

  [[nodiscard]] std::optional<TransportFailure> fault() const override {
    return failed_ ? std::optional(engine_->failure()) : std::nullopt;
  }

  [[nodiscard]] std::string about_peer() const override { return engine_->about_peer(); }
  [[nodiscard]] bool offered_session() const noexcept override {
    return engine_->offered_session();
  }

  void finish() override {
    engine_->close();
    send_now();
    shut_down_sending(socket_);
  }
  void close() override { shut(); }
  void reset() override { reset_socket(socket_); }
  Parts release() override {
    const int socket = released(socket_);
    return {socket, socket < 0 ? nullptr : std::move(engine_)};
  }

 private:
  /// What follows a read. Each step is acted upon: after a fatal alert the next read would say no
  /// more than that the connection is closed.
  void proceed(TlsEngine::Step step, std::size_t size, std::span<char> buffer, Handler handler) {
    if (step == TlsEngine::Step::done) return post(std::move(handler), {}, size);
    if (step == TlsEngine::Step::closed) return post(std::move(handler), asio::error::eof);
    if (step == TlsEngine::Step::failed) {
      failed_ = true;
      send_now();
      return post(std::move(handler), asio::error::connection_aborted);
    }
    auto reply = engine_->output();
    if (reply.empty()) return read_more(buffer, std::move(handler));
    if (on_their_way_.size() < kMaxOnTheirWay) {
      // If that fails, the next read does too.
      send(std::move(reply), [](ErrorCode, std::size_t) {});
      return read_more(buffer, std::move(handler));
    }
    // A peer that asks for replies and takes none is not listened to meanwhile.
    send(std::move(reply), [this, self = shared_from_this(), buffer, handler = std::move(handler)](
                               ErrorCode error, std::size_t) mutable {
      error ? handler(error, 0) : read_more(buffer, std::move(handler));
    });
  }

  void read_more(std::span<char> buffer, Handler handler) {
    receive([this, self = shared_from_this(), buffer, handler = std::move(handler)](
                ErrorCode failed, std::size_t) mutable {
      // An end without good-bye may be an attacker's cut (RFC 8446 section 6.1).
      if (failed == asio::error::eof) failed = asio::error::connection_reset;
      failed ? handler(failed, 0) : take(buffer, std::move(handler));
    });
  }

  TlsEngine::Step read(std::span<char> buffer, std::size_t& size) {
    auto step = engine_->read(buffer, size);
    if (step == TlsEngine::Step::done) without_content_ = 0;
    if (step == TlsEngine::Step::want_input && without_content_ > kMaxWithoutContent) {
      step = engine_->give_up("it kept sending TLS records without content");
    }
    return step;
  }

  /// As read_some, straight from the network's turn: no need to go through the loop once more.
  void take(std::span<char> buffer, Handler handler) {
    std::size_t size = 0;
    const auto step = read(buffer, size);
    if (step == TlsEngine::Step::done) return handler({}, size);
    proceed(step, size, buffer, std::move(handler));
  }

  void receive(Handler handler) {
    socket_.async_read_some(asio::buffer(in_),
                            [this, self = shared_from_this(), handler = std::move(handler)](
                                ErrorCode error, std::size_t size) {
                              without_content_ += size;
                              if (!error) engine_->feed({in_.data(), size});
                              handler(error, size);
                            });
  }

  /// Sends output of the engine, after what is on its way already. Where that is nothing, `handler`
  /// runs at once: only prepare() meets that, and it passes it on.
  void send(std::string bytes, Handler handler) {
    if (bytes.empty() && on_their_way_.empty()) return handler({}, 0);
    on_their_way_.push_back({std::move(bytes), std::move(handler)});
    if (on_their_way_.size() == 1) send_first();
  }
  void send_first() {
    asio::async_write(socket_, asio::buffer(on_their_way_.front().bytes),
                      [this, self = shared_from_this()](ErrorCode error, std::size_t size) {
                        const Handler sent = std::move(on_their_way_.front().handler);
                        on_their_way_.pop_front();
                        if (!on_their_way_.empty()) send_first();
                        sent(error, size);
                      });
  }

  /// What fits into the socket's buffer, without waiting; the rest is dropped.
  void send_now() {
    const auto bytes = engine_->output();
    if (bytes.empty() || !socket_.is_open() || !on_their_way_.empty()) return;
    ErrorCode ignored;
    std::ignore = socket_.non_blocking(true, ignored);
    std::ignore = socket_.write_some(asio::buffer(bytes), ignored);
  }

  void shut() {
    if (!socket_.is_open()) return;  // or released
    engine_->close();
    send_now();
    ErrorCode ignored;
    std::ignore = socket_.close(ignored);
  }

  void post(Handler handler, ErrorCode error, std::size_t size = 0) {
    asio::post(socket_.get_executor(), [self = shared_from_this(), handler = std::move(handler),
                                        error, size] { handler(error, size); });
  }

  [[nodiscard]] TransportFailure broken(ErrorCode error) const {
    TransportFailure failure;
    failure.kind = TransportFailure::Kind::tls_failed;
    failure.detail = "the TLS handshake with " + engine_->peer() + " failed: " +
                     (error == asio::error::eof ? std::string("the peer closed the connection")
                                                : error.message()) +
                     engine_->about_our_certificate();
    return failure;
  }

  /// Ciphertext, which ends records: what comes later may not come between.
  struct Sending {
    std::string bytes;
    Handler handler;
  };

  tcp::socket socket_;
  std::unique_ptr<TlsEngine> engine_;  // null once it is released
  bool failed_ = false;                // after the handshake
  std::size_t without_content_ = 0;    // bytes read since the handshake or content
  std::deque<Sending> on_their_way_;
  std::array<char, std::size_t{17} * 1024> in_{};  // one TLS record and its frame
};

}  // namespace

std::shared_ptr<Stream> plain_stream(tcp::socket socket) {
  return std::make_shared<PlainStream>(std::move(socket));
}

std::shared_ptr<Stream> tls_stream(tcp::socket socket, const TlsContext& context,
                                   CertificateDemand demand,
                                   std::shared_ptr<TlsSessions> sessions) {
  return std::make_shared<TlsStream>(std::move(socket), context, std::move(demand),
                                     std::move(sessions));
}

std::shared_ptr<Stream> tls_stream(tcp::socket socket, const TlsContext& context) {
  return std::make_shared<TlsStream>(std::move(socket), context);
}

}  // namespace skewguard::net
