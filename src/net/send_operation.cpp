#include "net/send_operation.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <utility>
#include <variant>

#include "net/message_head.hpp"
#include "net/request_head.hpp"
#include "net/resend_rule.hpp"

namespace skewguard::net {
namespace {

using Kind = TransportFailure::Kind;
using Outcome = AnswerParser::Outcome;

/// Longest time between two looks at the clock: timers stand still while the machine is
/// suspended, the boot clock does not.
constexpr Duration kLongestNap = std::chrono::seconds{1};
/// What a proxy may take to make a tunnel. Three such waits fit into a call of 30 s, so that in the
/// end a silent proxy is named, and not the host behind it.
constexpr Duration kLongestProxyWait = std::chrono::seconds{8};
/// More addresses than any name of good sense has.
constexpr std::size_t kMostAddresses = 16;
constexpr std::size_t kReadSize = std::size_t{16} * 1024;  // one TLS record

/// "api.example:443 (through the proxy 10.0.0.1:3128)".
std::string place_of(const http::Url& url, const Proxy* proxy) {
  const auto host = endpoint_text(url.host, url.port);
  return proxy == nullptr ? host : host + " (through the proxy " + proxy->place() + ")";
}

}  // namespace

SendOperation::SendOperation(Shared& shared, HttpRequest request, http::Url url,
                             const SendOptions& options, Done done)
    : shared_(shared),
      request_(std::move(request)),
      url_(std::move(url)),
      options_(options),
      done_(std::move(done)),
      proxy_(shared.proxies ? shared.proxies->proxy_for(url_) : nullptr),
      place_(place_of(url_, proxy_)),
      route_(url_.origin() + (proxy_ == nullptr ? "" : " via " + proxy_->place())),
      timer_(shared.timers->make()),
      parser_(request_.method, options_.body_limit) {
  exchange_.origin = url_.origin();
}

/// `words` gives the message, where the log takes such lines.
template <typename Words>
void SendOperation::log(LogLevel level, const Words& words) const {
  if (shared_.log.takes(level))
    shared_.log.write({.level = level, .message = words(), .server = url_.origin()});
}

void SendOperation::wait_for_turn() {
  if (!past_deadline()) watch_deadline();
}

void SendOperation::watch_deadline() {
  const auto until = at_proxy() ? std::min(options_.deadline, proxy_until_) : options_.deadline;
  const auto left = until - shared_.clock.now().boot;
  timer_->arm(std::clamp(left, Duration::zero(), kLongestNap), [this, weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && state_ != State::over && !past_deadline()) watch_deadline();
  });
}

/// Asked before each step that has to wait: no timer is needed for the deadline to hold.
bool SendOperation::past_deadline() {
  if (state_ == State::over) return true;
  const auto now = shared_.clock.now().boot;
  if (now >= options_.deadline) {
    time_out();
  } else if (at_proxy() && now >= proxy_until_) {
    fail(Kind::proxy, "the proxy " + proxy_->place() + " made no way to " +
                          endpoint_text(url_.host, url_.port) + " within " +
                          std::to_string(kLongestProxyWait / std::chrono::seconds{1}) +
                          " s: " + doing());
  }
  return state_ == State::over;
}

bool SendOperation::at_proxy() const noexcept {
  return proxy_ != nullptr && (state_ == State::looking_up || state_ == State::connecting ||
                               state_ == State::tunnelling);
}

/// What was under way, for messages.
std::string SendOperation::doing() const {
  switch (state_) {
    case State::waiting:
      return "the request was waiting for a free connection";
    case State::looking_up:
      return "the name was being looked up";
    case State::connecting:
      return "the connection was being made";
    case State::tunnelling:
      return "the proxy was asked (CONNECT), and has not answered";
    case State::securing:
      return "the TLS handshake was under way";
    case State::writing:
      return "the request was being sent";
    default:
      return parser_.begun() ? "the answer had begun, but was not whole"
                             : "the request was sent, but no answer had begun";
  }
}

void SendOperation::time_out() {
  fail(Kind::timeout, "the deadline passed while talking to " + place_ + ": " + doing());
}

void SendOperation::start() {
  if (past_deadline()) return;
  while (auto idle = shared_.pool.take(route_, shared_.clock.now().boot)) {
    if (idle->stream->unread() != Stream::Unread::nothing) continue;  // closed, or out of step
    connection_ = std::move(idle);
    pooled_ = true;
    log(LogLevel::debug, [this] {
      return "reusing connection " + std::to_string(connection_->id) + " to " + place_;
    });
    return transmit();
  }
  open();
}

void SendOperation::open() {
  if (past_deadline()) return;
  pooled_ = false;
  state_ = State::looking_up;
  if (proxy_ != nullptr) {
    proxy_until_ = shared_.clock.now().boot + kLongestProxyWait;
    watch_deadline();
  }
  const std::string& host = proxy_ == nullptr ? url_.host : proxy_->host;
  const auto known = known_addresses(host);
  if (!known.empty()) return connect(known);
  lookup_ = std::make_unique<PendingLookup>(shared_.io, shared_.lookup, host,
                                            [weak = weak_from_this()](const LookupAnswer& answer) {
                                              const auto self = weak.lock();
                                              if (self && self->state_ == State::looking_up)
                                                self->found(answer);
                                            });
}

void SendOperation::found(const LookupAnswer& answer) {
  if (answer.addresses.empty() && proxy_ != nullptr) {
    return fail(answer.no_such_name ? Kind::proxy_refused : Kind::proxy,
                "the name of the proxy " + proxy_->place() + " does not resolve: " + answer.why);
  }
  if (answer.addresses.empty()) {
    return fail(Kind::dns, "the name " + url_.host + " does not resolve: " + answer.why);
  }
  log(LogLevel::trace, [&] {
    std::string text = (proxy_ == nullptr ? url_.host : proxy_->host) + " is";
    for (const std::string& address : answer.addresses) text.append(" ").append(address);
    return text;
  });
  connect(by_turns(answer.addresses, kMostAddresses));
}

void SendOperation::connect(const std::vector<std::string>& addresses) {
  if (past_deadline()) return;
  state_ = State::connecting;
  connector_ = std::make_shared<Connector>(shared_.io, *shared_.timers);
  connector_->start(addresses, proxy_ == nullptr ? url_.port : proxy_->port,
                    [weak = weak_from_this()](Connector::Answer answer) {
                      if (const auto self = weak.lock()) self->connected(std::move(answer));
                    });
}

void SendOperation::connected(Connector::Answer answer) {
  const auto* failure = std::get_if<Connector::Failure>(&answer);
  if (failure != nullptr) {
    const std::string whom = proxy_ == nullptr ? place_ : "the proxy " + proxy_->place();
    TransportFailure unmade;
    unmade.kind = proxy_ == nullptr ? failure->kind : Kind::proxy;
    unmade.detail = "no connection to " + whom + " (" + failure->detail + ")";
    unmade.out_of_resources = failure->out_of_resources;
    return fail(std::move(unmade));
  }
  if (past_deadline()) return;
  auto socket = std::get<boost::asio::ip::tcp::socket>(std::move(answer));
  log(LogLevel::debug, [&] {
    boost::system::error_code gone;
    const auto peer = socket.remote_endpoint(gone);
    return "connected to " + place_ + " at " +
           (gone ? gone.message() : endpoint_text(peer.address().to_string(), peer.port())) +
           " (connection " + std::to_string(shared_.last_connection + 1) + ")";
  });
  if (proxy_ == nullptr) return secure(std::move(socket));
  state_ = State::tunnelling;
  tunnel_ = std::make_shared<Tunnel>(std::move(socket), *proxy_, url_);
  tunnel_->start([weak = weak_from_this()](Tunnel::Answer reached) {
    if (const auto self = weak.lock()) self->tunnelled(std::move(reached));
  });
}

void SendOperation::tunnelled(Tunnel::Answer answer) {
  tunnel_.reset();
  if (const auto* why = std::get_if<TransportFailure>(&answer)) return fail(*why);
  secure(std::get<Tunnel::Socket>(std::move(answer)));
}

void SendOperation::secure(boost::asio::ip::tcp::socket socket) {
  if (past_deadline()) return;
  state_ = State::securing;
  const auto id = ++shared_.last_connection;
  if (!url_.tls()) {
    connection_ = {plain_stream(std::move(socket)), id};
    return transmit();
  }
  if (!shared_.tls) shared_.tls = std::make_unique<TlsContext>(shared_.tls_options);
  if (const auto& fault = shared_.tls->fault()) return fail(Kind::bad_request, *fault);
  connection_ = {
      tls_stream(std::move(socket), *shared_.tls, {url_.host, url_.port, shared_.clock.now().wall}),
      id};
  connection_->stream->prepare(
      [self = shared_from_this()](const std::optional<TransportFailure>& failure) {
        if (self->state_ == State::securing) self->secured(failure);
      });
}

void SendOperation::secured(const std::optional<TransportFailure>& failure) {
  if (!failure) {
    log(LogLevel::debug, [this] { return connection_->stream->about_peer(); });
    return transmit();
  }
  auto told = *failure;
  if (proxy_ != nullptr) told.detail += " (through the proxy " + proxy_->place() + ")";
  fail(std::move(told));
}

void SendOperation::transmit() {
  if (past_deadline()) return;
  state_ = State::writing;
  if (head_.empty()) head_ = wire_head(request_, url_);
  exchange_.connection = connection_->id;
  exchange_.early = connection_->stream->unread() == Stream::Unread::bytes;
  write_pending_ = true;
  log_request();
  exchange_.sent = shared_.clock.now();
  connection_->stream->write(head_.reveal(), request_.body.reveal(),
                             [self = shared_from_this()](Stream::ErrorCode error, std::size_t n) {
                               if (self->state_ == State::writing) self->written(error, n);
                             });
  wipe_stack();
}

void SendOperation::log_request() const {
  log(LogLevel::debug, [this] { return "> " + request_.method + " " + url_.target + " HTTP/1.1"; });
  if (!shared_.log.takes(LogLevel::trace)) return;
  const auto tell = [this](const std::string& name, std::string_view value) {
    log(LogLevel::trace, [&] {
      const bool hidden = http::confidential_field(name);
      return "> " + name + ": " + std::string(hidden ? "(not shown)" : value);
    });
  };
  tell("Host", url_.authority());
  if (!request_.authorization.empty()) tell("Authorization", "");
  for (const HeaderField& field : request_.headers.fields()) tell(field.name, field.value);
}

void SendOperation::written(Stream::ErrorCode error, std::size_t size) {
  write_pending_ = false;
  request_sent_ = request_sent_ || size > 0;
  if (error && size == 0) {
    // On a new connection TLS tells why it was refused: by TLS 1.3 that comes after the handshake.
    const auto fault = pooled_ ? std::nullopt : connection_->stream->fault();
    return fault ? fail(*fault) : connection_lost(error.message());
  }
  half_written_ = static_cast<bool>(error);  // an answer that explains it may be there all the same
  buffer_.resize(kReadSize);
  receive();
}

void SendOperation::receive() {
  if (past_deadline()) return;
  state_ = State::reading;
  connection_->stream->read_some(
      {buffer_.data(), buffer_.size()},
      [self = shared_from_this()](Stream::ErrorCode error, std::size_t size) {
        if (self->state_ == State::reading) self->received(error, size);
      });
}

void SendOperation::received(Stream::ErrorCode error, std::size_t size) {
  if (error) return connection_ended(error);
  // The read that brought the end of the final answer's head: its Date cannot have been stamped
  // later, however slowly the head came. As a rule it is the first one, the head being whole in it.
  if (!parser_.head_done()) exchange_.received = shared_.clock.now();
  const auto outcome = parser_.feed(buffer_.view().substr(0, size));
  wipe_stack();
  digest(outcome);
}

void SendOperation::digest(Outcome outcome) {
  const auto said = [this] { return "from " + place_ + ": " + parser_.why(); };
  switch (outcome) {
    case Outcome::more:
      return receive();
    case Outcome::complete:
      return deliver();
    case Outcome::malformed:
      return fail(Kind::malformed, said());
    case Outcome::too_large:
      return fail(Kind::too_large, said());
    case Outcome::truncated:
      return fail(Kind::truncated, said());
  }
}

void SendOperation::connection_ended(Stream::ErrorCode error) {
  if (const auto fault = connection_->stream->fault()) return fail(*fault);
  const bool in_good_order = error == boost::asio::error::eof;
  if (!parser_.begun()) {
    return connection_lost(in_good_order ? "the server closed it" : error.message());
  }
  if (in_good_order) return digest(parser_.end());
  fail(Kind::truncated,
       "the connection to " + place_ + " broke in the middle of the answer: " + error.message());
}

void SendOperation::connection_lost(const std::string& why) {
  const LostConnection lost{.pooled = pooled_, .request_written = request_sent_, .resent = resent_};
  connection_.reset();
  if (!may_resend(request_.method, lost)) {
    return fail(Kind::reset,
                "the connection to " + place_ + " broke before an answer began: " + why);
  }
  log(LogLevel::debug, [&] { return "the idle connection was gone (" + why + "): once more"; });
  resent_ = true;
  half_written_ = false;
  open();
}

void SendOperation::deliver() {
  const bool keep = parser_.reusable() && !half_written_ && !exchange_.early;
  parser_.take(exchange_);
  if (!url_.tls() && wants_tls(exchange_.status, exchange_.body)) {
    return fail(
        Kind::malformed,
        "from " + place_ + ": the server speaks TLS there, which needs https:// in the URL");
  }
  if (keep) {
    shared_.pool.put(route_, *std::exchange(connection_, std::nullopt), shared_.clock.now().boot);
  }
  finish(std::move(exchange_));
}

void SendOperation::fail(Kind kind, std::string detail) {
  TransportFailure failure;
  failure.kind = kind;
  failure.detail = std::move(detail);
  fail(std::move(failure));
}

void SendOperation::fail(TransportFailure failure) {
  failure.request_sent = request_sent_ || write_pending_;
  finish(std::move(failure));
}

void SendOperation::finish(SendResult result) {
  if (state_ == State::over) return;
  const auto self = shared_from_this();  // the owner lets go of it in done_
  release();
  std::exchange(done_, nullptr)(std::move(result));
}

void SendOperation::abandon() {
  release();
  done_ = nullptr;
}

void SendOperation::release() {
  state_ = State::over;
  timer_->disarm();
  lookup_.reset();
  if (connector_) connector_->cancel();
  if (tunnel_) tunnel_->cancel();
  if (connection_) connection_->stream->close();
  connection_.reset();
}

}  // namespace skewguard::net
