#include "emulator/session.hpp"

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <string>
#include <utility>

#include "emulator/cloud_emulator.hpp"
#include "net/reason_phrase.hpp"
#include "net/request_parser.hpp"

namespace skewguard::emulator {
namespace {

using net::RequestParser;
using net::Stream;

/// The head is large since a token of 64 KiB must get through.
constexpr RequestParser::Limits kLimits{.head = std::size_t{128} * 1024,
                                        .body = std::size_t{1024} * 1024};
constexpr std::size_t kDrainLimit = std::size_t{16} * 1024 * 1024;  // of a body that was refused
constexpr std::chrono::seconds kIdleTime{120};  // between requests, and within one
constexpr std::chrono::seconds kDrainTime{2};

int status_for(RequestParser::Outcome outcome) noexcept {
  if (outcome == RequestParser::Outcome::body_over) return 413;
  return outcome == RequestParser::Outcome::head_over ? 431 : 400;
}

enum class Body { follows, left_out };

/// The bytes up to the body. A HEAD is answered without a length: it would have to be that of GET.
/// A 204 may have none (RFC 9110 section 8.6).
std::string head_of(const Reply& reply, int version, bool keep_alive, Body body) {
  std::string out = version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out += std::to_string(reply.status) + ' ';
  out += net::reason_phrase(reply.status);
  const auto add = [&out](std::string_view name, std::string_view value) {
    ((((out += "\r\n") += name) += ": ") += value);
  };
  for (const auto& field : reply.headers.fields()) add(field.name, field.value);
  if (keep_alive == (version == 10)) add("Connection", keep_alive ? "keep-alive" : "close");
  if (body == Body::follows && reply.status != 204) {
    add("Content-Length", std::to_string(reply.body.size()));
  }
  return out += "\r\n\r\n";
}

class ServerSession final : public Session, public std::enable_shared_from_this<ServerSession> {
 public:
  ServerSession(std::shared_ptr<Hub> hub, Host host, std::uint64_t number,
                std::shared_ptr<Stream> stream)
      : hub_(std::move(hub)),
        host_(host),
        number_(number),
        stream_(std::move(stream)),
        delay_(hub_->io),
        idle_(hub_->io) {}

  void run() {
    limit(kIdleTime);
    stream_->prepare([this, self = shared_from_this()](const auto& failure) {
      if (!failure && !hub_->stopped) look("");
    });
  }

  void close() override {
    delay_.cancel();
    idle_.cancel();
    stream_->close();
  }

 private:
  /// Ends the connection where what comes next takes longer than this.
  void limit(std::chrono::seconds time) {
    idle_.expires_after(time);
    idle_.async_wait([weak = weak_from_this()](const auto& why) {
      const auto self = weak.lock();
      if (!why && self) self->close();
    });
  }

  /// Keeps this session alive until `handler` has run; drops it once the server has stopped.
  template <typename Handler>
  auto next(Handler handler) {
    return [self = shared_from_this(), handler = std::move(handler)](Stream::ErrorCode why,
                                                                     std::size_t size) mutable {
      if (self->hub_->stopped) return;
      if (why) return self->close();
      handler(size);
    };
  }

  void read() {
    stream_->read_some(in_, next([this](std::size_t size) { look({in_.data(), size}); }));
  }

  void look(std::string_view bytes) {
    switch (const auto outcome = parser_.feed(bytes)) {
      case RequestParser::Outcome::more:
        if (!invited_ && parser_.awaits_continue()) return invite();
        return read();
      case RequestParser::Outcome::complete:
        return arrived();
      default:
        return refuse(status_for(outcome));
    }
  }

  void invite() {
    invited_ = true;
    stream_->write("HTTP/1.1 100 Continue\r\n\r\n", "", next([this](std::size_t) { read(); }));
  }

  /// The request is here whole: it spends its way up, is answered, and the answer its way down.
  void arrived() {
    idle_.cancel();
    invited_ = false;
    auto received = parser_.take();
    version_ = received.version;
    keep_alive_ = received.keep_alive;
    request_ = {std::move(received.method), std::move(received.target), std::move(received.headers),
                std::move(received.body), number_};
    const bool control = host_ == Host::login && CloudEmulator::is_control(request_);
    hub_->cloud.advance(hub_->clocks.now());
    const auto delays = control ? Delays{} : hub_->cloud.delays(host_);
    after(delays.up, [this, control, down = delays.down] {
      reply_ = answer(control);
      after(down, [this] { write(); });
    });
  }

  Reply answer(bool control) {
    auto& cloud = hub_->cloud;
    const auto now = hub_->clocks.now();
    if (control) return cloud.handle_control(request_, now);
    return host_ == Host::login ? cloud.handle_login(request_, now)
                                : cloud.handle_api(request_, now);
  }

  /// A timer that is due at once is never armed: under libfaketime it would not fire.
  template <typename Then>
  void after(Duration delay, Then then) {
    if (delay <= Duration::zero()) return then();
    delay_.expires_after(delay);
    delay_.async_wait([this, self = shared_from_this(), then](const auto& why) {
      if (!why && !hub_->stopped) then();
    });
  }

  void write() {
    using Kind = Delivery::Kind;
    const bool head_only = request_.method == "HEAD";
    const auto& delivery = reply_.delivery;
    goes_on_ = keep_alive_ && !reply_.quit && delivery.kind != Kind::cut;
    head_ = head_of(reply_, version_, goes_on_, head_only ? Body::left_out : Body::follows);
    if (head_only || reply_.status == 204) reply_.body.clear();
    limit(kIdleTime);
    switch (delivery.kind) {
      case Kind::drop:
        return close();
      case Kind::slow:
        return write_slowly();
      case Kind::silence:
        if (!delivery.after) return ignore();
        [[fallthrough]];
      case Kind::cut:
      case Kind::reset:
        return write_part(delivery.after.value_or(reply_.body.size() / 2));
      case Kind::whole:
        stream_->write(head_, reply_.body, next([this](std::size_t) { written(); }));
    }
  }

  void written() {
    if (reply_.quit) return hub_->quit();
    if (!goes_on_) return drain();
    limit(kIdleTime);
    look("");
  }

  /// The head, which tells the whole length, and so much of the body.
  void write_part(std::size_t size) {
    const auto part = std::string_view(reply_.body).substr(0, size);
    stream_->write(head_, part, next([this](std::size_t) {
                     if (reply_.delivery.kind == Delivery::Kind::cut) return drain();
                     if (reply_.delivery.kind == Delivery::Kind::silence) return ignore();
                     delay_.cancel();
                     idle_.cancel();
                     stream_->reset();
                   }));
  }

  void write_slowly() {
    head_ += reply_.body;
    write_piece(0);
  }
  void write_piece(std::size_t from) {
    if (from >= head_.size()) return written();
    after(reply_.delivery.pause, [this, from] {
      const auto piece = std::string_view(head_).substr(from, reply_.delivery.piece);
      limit(kIdleTime);
      stream_->write(piece, "",
                     next([this, to = from + piece.size()](std::size_t) { write_piece(to); }));
    });
  }

  /// Says nothing more, until the client leaves or kIdleTime is over.
  void ignore() {
    stream_->read_some(in_, next([this](std::size_t) { ignore(); }));
  }

  /// Answers what cannot be read, and ends.
  void refuse(int status) {
    reply_ = hub_->cloud.refuse(host_, status, hub_->clocks.now());
    head_ = head_of(reply_, 11, false, Body::follows);
    stream_->write(head_, reply_.body, next([this](std::size_t) { drain(); }));
  }

  /// Reads on for a while: closing with bytes unread would reset the answer away.
  void drain() {
    stream_->finish();
    limit(kDrainTime);
    drain_more();
  }
  void drain_more() {
    stream_->read_some(in_, next([this](std::size_t size) {
                         drained_ += size;
                         drained_ < kDrainLimit ? drain_more() : close();
                       }));
  }

  std::shared_ptr<Hub> hub_;
  Host host_;
  std::uint64_t number_;
  std::shared_ptr<Stream> stream_;
  boost::asio::steady_timer delay_;
  boost::asio::steady_timer idle_;
  RequestParser parser_{kLimits};
  bool invited_ = false;
  ServerRequest request_;
  int version_ = 11;
  bool keep_alive_ = true;
  bool goes_on_ = true;  ///< another request may follow on this connection
  Reply reply_;
  std::string head_;
  std::array<char, std::size_t{16} * 1024> in_{};
  std::size_t drained_ = 0;
};

}  // namespace

std::shared_ptr<Session> start_session(std::shared_ptr<Hub> hub, Host host, std::uint64_t number,
                                       boost::asio::ip::tcp::socket socket) {
  auto stream = hub->tls ? net::tls_stream(std::move(socket), *hub->tls)
                         : net::plain_stream(std::move(socket));
  auto session = std::make_shared<ServerSession>(std::move(hub), host, number, std::move(stream));
  session->run();
  return session;
}

}  // namespace skewguard::emulator
