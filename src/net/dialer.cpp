#include "net/dialer.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <variant>

namespace skewguard::net {
namespace {

using Kind = TransportFailure::Kind;

/// What a proxy may take to make a tunnel. Three such waits fit into a call of 30 s, so that in the
/// end a silent proxy is named, and not the host behind it.
constexpr Duration kLongestProxyWait = std::chrono::seconds{8};
/// More addresses than any reasonable name has.
constexpr std::size_t kMaxAddresses = 16;

}  // namespace

std::string Route::place() const {
  const auto host = http::endpoint_text(url.host, url.port);
  return proxy == nullptr ? host : host + " (through the proxy " + proxy->place() + ")";
}

const std::string& Route::first_host() const noexcept {
  return proxy == nullptr ? url.host : proxy->host;
}

std::uint16_t Route::first_port() const noexcept {
  return proxy == nullptr ? url.port : proxy->port;
}

// Dial --------------------------------------------------------------------------------------------

Dial::Dial(Dialer& dialer, Route route, Options options, Handler handler)
    : dialer_(dialer),
      route_(std::move(route)),
      options_(std::move(options)),
      handler_(std::move(handler)),
      timer_(dialer.timers().make()) {}

/// `words` gives the message, where the log takes such lines.
template <typename Words>
void Dial::log(LogLevel level, const Words& words) const {
  if (dialer_.log_.takes(level))
    dialer_.log_.write({.level = level, .message = words(), .server = route_.url.origin()});
}

void Dial::start() {
  if (route_.proxy != nullptr) proxy_until_ = dialer_.clock_.now().boot + kLongestProxyWait;
  watch_deadline();
  if (!options_.address.empty()) return connect({options_.address});
  auto known = known_addresses(route_.first_host());
  if (!known.empty()) return connect(std::move(known));
  lookup_ = std::make_unique<PendingLookup>(dialer_.io_, dialer_.lookup_, route_.first_host(),
                                            [weak = weak_from_this()](const LookupAnswer& answer) {
                                              const auto self = weak.lock();
                                              if (self && self->state_ == State::looking_up)
                                                self->found(answer);
                                            });
}

void Dial::watch_deadline() {
  const auto until = at_proxy() ? std::min(options_.deadline, proxy_until_) : options_.deadline;
  const auto left = until - dialer_.clock_.now().boot;
  timer_->arm(std::clamp(left, Duration::zero(), kLongestNap), [this, weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && state_ != State::over && !past_deadline()) watch_deadline();
  });
}

/// Asked before each step that has to wait: no timer is needed for the deadline to hold.
bool Dial::past_deadline() {
  if (state_ == State::over) return true;
  const auto now = dialer_.clock_.now().boot;
  if (now >= options_.deadline) {
    fail(Kind::timeout, "the deadline passed while talking to " + route_.place() + ": " + doing());
  } else if (at_proxy() && now >= proxy_until_) {
    fail(Kind::proxy, "the proxy " + route_.proxy->place() + " did not connect to " +
                          http::endpoint_text(route_.url.host, route_.url.port) + " within " +
                          std::to_string(kLongestProxyWait / std::chrono::seconds{1}) +
                          " s: " + doing());
  }
  return state_ == State::over;
}

bool Dial::at_proxy() const noexcept {
  return route_.proxy != nullptr && state_ != State::securing && state_ != State::over;
}

/// What was under way, for messages.
const char* Dial::doing() const noexcept {
  switch (state_) {
    case State::looking_up:
      return "the name was being looked up";
    case State::connecting:
      return "the connection was being made";
    case State::tunnelling:
      return "the proxy was asked (CONNECT), and has not answered";
    default:
      return "the TLS handshake was in progress";
  }
}

void Dial::found(const LookupAnswer& answer) {
  if (answer.addresses.empty() && route_.proxy != nullptr) {
    return fail(
        answer.no_such_name ? Kind::proxy_refused : Kind::proxy,
        "the name of the proxy " + route_.proxy->place() + " does not resolve: " + answer.why);
  }
  if (answer.addresses.empty()) {
    return fail(Kind::dns, "the name " + route_.url.host + " does not resolve: " + answer.why);
  }
  log(LogLevel::trace, [&] {
    std::string text = route_.first_host() + " is";
    for (const std::string& address : answer.addresses) text.append(" ").append(address);
    return text;
  });
  if (!past_deadline()) connect(by_turns(answer.addresses, kMaxAddresses));
}

void Dial::connect(std::vector<std::string> addresses) {
  state_ = State::connecting;
  connector_ = std::make_shared<Connector>(dialer_.io_, dialer_.timers());
  connector_->start(std::move(addresses), route_.first_port(),
                    [weak = weak_from_this()](Connector::Answer answer) {
                      if (const auto self = weak.lock()) self->connected(std::move(answer));
                    });
}

void Dial::connected(Connector::Answer answer) {
  if (const auto* failure = std::get_if<Connector::Failure>(&answer))
    return not_connected(*failure);
  if (past_deadline()) return;
  auto socket = std::get<boost::asio::ip::tcp::socket>(std::move(answer));
  log(LogLevel::debug, [&] {
    boost::system::error_code gone;
    const auto peer = socket.remote_endpoint(gone);
    return "connected to " + route_.place() + " at " +
           (gone ? gone.message() : http::endpoint_text(peer.address().to_string(), peer.port())) +
           " (connection " + std::to_string(dialer_.last_connection_ + 1) + ")";
  });
  if (route_.proxy == nullptr) return secure(std::move(socket));
  state_ = State::tunnelling;
  tunnel_ = std::make_shared<Tunnel>(std::move(socket), *route_.proxy, route_.url);
  tunnel_->start([weak = weak_from_this()](Tunnel::Answer reached) {
    if (const auto self = weak.lock()) self->tunnelled(std::move(reached));
  });
}

void Dial::not_connected(const Connector::Failure& failure) {
  const std::string whom =
      route_.proxy == nullptr ? route_.place() : "the proxy " + route_.proxy->place();
  TransportFailure unmade;
  unmade.kind = route_.proxy == nullptr ? failure.kind : Kind::proxy;
  // Who names the address knows whose it is.
  unmade.detail = options_.address.empty()
                      ? "no connection to " + whom + " (" + failure.detail + ")"
                      : failure.detail;
  unmade.out_of_resources = failure.out_of_resources;
  finish(std::move(unmade));
}

void Dial::tunnelled(Tunnel::Answer answer) {
  tunnel_.reset();
  if (auto* why = std::get_if<TransportFailure>(&answer)) return finish(std::move(*why));
  secure(std::get<Tunnel::Socket>(std::move(answer)));
}

void Dial::secure(boost::asio::ip::tcp::socket socket) {
  if (past_deadline()) return;
  state_ = State::securing;
  const auto id = ++dialer_.last_connection_;
  if (!route_.url.tls()) return finish(Connection{plain_stream(std::move(socket)), id});
  const TlsContext& tls = dialer_.tls();
  if (const auto& fault = tls.fault()) return fail(Kind::bad_request, *fault);
  connection_ = {tls_stream(std::move(socket), tls,
                            {route_.url.host, route_.url.port, dialer_.clock_.now().wall},
                            options_.resume_tls ? dialer_.sessions_ : nullptr),
                 id};
  connection_->stream->prepare(
      [self = shared_from_this()](const std::optional<TransportFailure>& failure) {
        if (self->state_ == State::securing) self->secured(failure);
      });
}

void Dial::secured(const std::optional<TransportFailure>& failure) {
  if (!failure && past_deadline()) return;
  if (!failure) {
    log(LogLevel::debug, [this] { return connection_->stream->about_peer(); });
    return finish(*std::exchange(connection_, std::nullopt));
  }
  if (connection_->stream->offered_session()) {
    log(LogLevel::debug, [&] { return failure->detail + ": once more, without a session"; });
    return start_again_without_session();
  }
  auto told = *failure;
  if (route_.proxy != nullptr) told.detail += " (through the proxy " + route_.proxy->place() + ")";
  finish(std::move(told));
}

/// The session may be to blame: the server may have another certificate by now, or break off where
/// it should only ignore the session (OpenSSL does, asking for client certificates without a
/// session id context).
void Dial::start_again_without_session() {
  connection_->stream->close();
  connection_.reset();
  options_.resume_tls = false;
  state_ = State::looking_up;
  start();
}

void Dial::fail(Kind kind, std::string detail) {
  TransportFailure failure;
  failure.kind = kind;
  failure.detail = std::move(detail);
  finish(std::move(failure));
}

void Dial::finish(Answer answer) {
  if (state_ == State::over) return;
  const auto self = shared_from_this();  // the owner lets go of it in the handler
  release();
  std::exchange(handler_, nullptr)(std::move(answer));
}

void Dial::cancel() {
  release();
  handler_ = nullptr;
}

void Dial::release() {
  state_ = State::over;
  timer_->disarm();
  lookup_.reset();
  if (connector_) connector_->cancel();
  if (tunnel_) tunnel_->cancel();
  if (connection_) connection_->stream->close();
  connection_.reset();
}

// Dialer ------------------------------------------------------------------------------------------

Dialer::Dialer(Loop io, ClockSource& clock, TlsOptions tls, const PoolOptions& pool, Edges edges,
               Result<ProxyRule> proxies, Log log)
    : io_(std::move(io)),
      clock_(clock),
      tls_options_(std::move(tls)),
      proxies_(std::move(proxies)),
      timers_(edges.timers ? std::move(edges.timers) : asio_timers(io_)),
      lookup_(std::move(edges.lookup)),
      pool_(pool),
      log_(std::move(log)) {}

Result<Route> Dialer::route_to(const http::Url& url) const {
  if (!proxies_) return proxies_.error();
  const Proxy* proxy = proxies_->proxy_for(url);
  return Route{url, proxy, url.origin() + (proxy == nullptr ? "" : " via " + proxy->place())};
}

std::optional<Connection> Dialer::take_idle(const Route& route) {
  for (std::size_t looks = 0; looks < kMaxLooks; ++looks) {
    auto idle = pool_.take(route.key, clock_.boot_now());
    if (!idle || idle->stream->unread() == Stream::Unread::nothing) return idle;
    // It is closed, or out of step.
  }
  return std::nullopt;
}

void Dialer::put_idle(const Route& route, Connection connection) {
  pool_.put(route.key, std::move(connection), clock_.boot_now());
}

std::shared_ptr<Dial> Dialer::dial(Route route, Dial::Options options, Dial::Handler handler) {
  auto dial =
      std::make_shared<Dial>(*this, std::move(route), std::move(options), std::move(handler));
  dial->start();
  return dial;
}

const TlsContext& Dialer::tls() {
  if (!tls_) tls_ = std::make_unique<TlsContext>(tls_options_);
  return *tls_;
}

}  // namespace skewguard::net
