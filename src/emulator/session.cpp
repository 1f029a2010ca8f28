#include "emulator/session.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/steady_timer.hpp>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "emulator/cloud_emulator.hpp"
#include "emulator/encoding.hpp"
#include "emulator/outgoing.hpp"
#include "net/reason_phrase.hpp"
#include "net/request_parser.hpp"

namespace skewguard::emulator {
namespace {

using net::RequestParser;
using net::Stream;

/// The head is large since a token of 64 KiB must get through.
constexpr RequestParser::Limits kLimits{.head = std::size_t{128} * 1024,
                                        .body = std::size_t{1024} * 1024};
constexpr std::size_t kUnlimited = std::numeric_limits<std::size_t>::max();
constexpr std::size_t kDrainLimit = std::size_t{16} * 1024 * 1024;  // of a body that was refused
constexpr std::chrono::seconds kIdleTime{120};  // between requests, and within one
constexpr std::chrono::seconds kDrainTime{2};

int status_for(RequestParser::Outcome outcome) noexcept {
  if (outcome == RequestParser::Outcome::body_over) return 413;
  return outcome == RequestParser::Outcome::head_over ? 431 : 400;
}

/// How the body of an answer ends. A HEAD is answered without a length: it would have to be that of
/// GET. A 204 may have none (RFC 9110 section 8.6). HTTP/1.0 has no chunks.
std::optional<Download::Framing> framing_of(const Reply& reply, bool head_only, int version) {
  if (head_only || reply.status == 204) return std::nullopt;
  if (!reply.download) return Download::Framing::length;
  const bool unknown = version == 10 && reply.download->framing == Download::Framing::chunked;
  return unknown ? Download::Framing::close : reply.download->framing;
}

/// The bytes up to the body.
std::string head_of(const Reply& reply, int version, bool keep_alive,
                    std::optional<Download::Framing> framing) {
  std::string out = version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out += std::to_string(reply.status) + ' ';
  out += net::reason_phrase(reply.status);
  const auto add = [&out](std::string_view name, std::string_view value) {
    ((((out += "\r\n") += name) += ": ") += value);
  };
  for (const auto& field : reply.headers.fields()) add(field.name, field.value);
  if (keep_alive == (version == 10)) add("Connection", keep_alive ? "keep-alive" : "close");
  if (framing == Download::Framing::length) {
    add("Content-Length",
        std::to_string(reply.download ? reply.download->size : reply.body.size()));
  }
  if (framing == Download::Framing::chunked) add("Transfer-Encoding", "chunked");
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
        idle_(hub_->io) {
    parser_.on_head([this](const auto& head) { return headed(head); });
  }

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
    if (digest_) limit(kIdleTime);
    after(pace_.pause, [this] {
      const auto room = std::span(in_).first(std::min(in_.size(), pace_.piece));
      stream_->read_some(room, next([this](std::size_t size) { look({in_.data(), size}); }));
    });
  }

  /// Decides how the body of this request is read.
  RequestParser::Sink headed(const net::ReceivedRequest& head) {
    early_ = hub_->cloud.early(host_, head.target);
    const auto target = parse_target(head.target);
    const bool upload = host_ == Host::api && target && target->path == kUploadPath;
    if (upload) pace_ = pace_of(target->query).value_or(Pace{});
    if (!upload && !early_) return {};
    request_ = {head.method, head.target, head.headers, "", number_};
    version_ = head.version;
    digest_.emplace();
    body_size_ = 0;
    return [this](std::string_view piece) {
      digest_->add(piece);
      body_size_ += piece.size();
    };
  }

  void look(std::string_view bytes) {
    const auto outcome = parser_.feed(bytes);
    if (host_ == Host::api) {
      if (const auto how = hub_->cloud.take_cut(parser_.consumed())) return end(*how);
    }
    switch (outcome) {
      case RequestParser::Outcome::more:
        if (early_ && body_size_ >= *early_) return answer_early();
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
    take_digest();
    const bool control = host_ == Host::login && CloudEmulator::is_control(request_);
    hub_->cloud.advance(hub_->clocks.now());
    const auto delays = control ? Delays{} : hub_->cloud.delays(host_);
    after(delays.up, [this, control, down = delays.down] {
      reply_ = answer(control);
      after(down, [this] { write(); });
    });
  }

  /// Answers the request whose body is still coming, and reads no other.
  void answer_early() {
    idle_.cancel();
    keep_alive_ = false;
    take_digest();
    reply_ = answer(false);
    after(hub_->cloud.delays(host_).down, [this] { write(); });
  }

  void take_digest() {
    if (digest_) request_.digest = BodyDigest{body_size_, digest_->hex()};
    digest_.reset();
    early_.reset();
    pace_ = {};
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
    const auto& delivery = reply_.delivery;
    const auto framing = framing_of(reply_, request_.method == "HEAD", version_);
    goes_on_ = keep_alive_ && !reply_.quit && delivery.kind != Kind::cut &&
               framing != Download::Framing::close;
    auto head = head_of(reply_, version_, goes_on_, framing);
    if (!framing) {
      out_ = Outgoing(std::move(head), "");
    } else if (reply_.download) {
      reply_.download->framing = *framing;
      out_ = Outgoing(std::move(head), *reply_.download);
    } else {
      out_ = Outgoing(std::move(head), std::move(reply_.body));
    }
    if (delivery.kind == Kind::drop) return close();
    const bool told = delivery.after || delivery.answer_byte;
    if (delivery.kind == Kind::silence && !told) return end(Kind::silence);
    if (ends(delivery.kind)) {
      out_.end_after(delivery.answer_byte.value_or(out_.head_size() +
                                                   delivery.after.value_or(out_.body_size() / 2)));
    }
    write_piece();
  }

  static bool ends(Delivery::Kind kind) noexcept {
    using Kind = Delivery::Kind;
    return kind == Kind::cut || kind == Kind::reset || kind == Kind::silence;
  }

  void write_piece() {
    const bool slow = reply_.delivery.kind == Delivery::Kind::slow;
    const auto piece = out_.next(slow ? reply_.delivery.pace.piece : kUnlimited);
    if (piece.size() == 0)
      return ends(reply_.delivery.kind) ? end(reply_.delivery.kind) : written();
    const auto own_pace = reply_.download ? reply_.download->pace : Pace{};
    limit(kIdleTime);
    after(slow ? reply_.delivery.pace.pause : own_pace.pause, [this, piece] {
      stream_->write(piece.first, piece.second, next([this](std::size_t) { write_piece(); }));
    });
  }

  void written() {
    if (reply_.quit) return hub_->quit();
    if (!goes_on_) return drain();
    limit(kIdleTime);
    look("");
  }

  /// Ends the connection in the middle of an answer or a request.
  void end(Delivery::Kind how) {
    limit(kIdleTime);
    if (how == Delivery::Kind::cut) return drain();
    if (how == Delivery::Kind::silence) return ignore();
    delay_.cancel();
    idle_.cancel();
    stream_->reset();
  }

  /// Says nothing more, until the client leaves or kIdleTime is over.
  void ignore() {
    stream_->read_some(in_, next([this](std::size_t) { ignore(); }));
  }

  /// Answers what cannot be read, and ends.
  void refuse(int status) {
    reply_ = hub_->cloud.refuse(host_, status, hub_->clocks.now());
    reply_.delivery = {};
    goes_on_ = false;
    auto head = head_of(reply_, 11, false, Download::Framing::length);
    out_ = Outgoing(std::move(head), std::move(reply_.body));
    write_piece();
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
  bool goes_on_ = true;           ///< another request may follow on this connection
  std::optional<Sha256> digest_;  ///< of a body that is not kept
  std::uint64_t body_size_ = 0;   ///< of it, bytes so far
  std::optional<std::uint64_t> early_;
  Pace pace_;  ///< at which the body is read
  Reply reply_;
  Outgoing out_;
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
