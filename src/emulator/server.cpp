#include "emulator/server.hpp"

#include <openssl/rand.h>

#include <boost/asio/bind_executor.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "base/strings.hpp"
#include "emulator/ca_file.hpp"
#include "emulator/tls_identity.hpp"

namespace skewguard::emulator {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using beast::error_code;

constexpr std::size_t kHeadLimit = 128 * 1024;  // a token of 64 KiB must get through
constexpr std::size_t kBodyLimit = 1024 * 1024;
constexpr std::size_t kDrainLimit = 16 * 1024 * 1024;  // of a body that was refused
constexpr std::chrono::seconds kIdleTime{120};         // between requests, and within one
constexpr std::chrono::seconds kDrainTime{2};

/// A connection, whatever its stream.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void close() = 0;
};

/// What every connection needs. Outlives the Server, but touches nothing once `stopped`.
struct Hub {
  Hub(asio::io_context& io_context, ClockSource& clock_source, World& the_world)
      : io(io_context), clocks(clock_source), world(the_world) {}
  asio::io_context& io;
  ClockSource& clocks;
  World& world;
  bool stopped = false;
  std::optional<asio::ssl::context> tls;
  std::function<void()> quit;
  std::vector<std::weak_ptr<Connection>> connections;
};

/// Reads one request into Headers of our own: Beast's container throws at a field of 64 KiB.
class RequestParser : public http::basic_parser<true> {
 public:
  [[nodiscard]] ServerRequest& request() noexcept { return request_; }
  [[nodiscard]] unsigned version() const noexcept { return version_; }
  [[nodiscard]] bool expects_continue() const noexcept {
    return version_ >= 11 && iequals(request_.headers.find("Expect").value_or(""), "100-continue");
  }

 private:
  using Text = beast::string_view;

  void on_request_impl(http::verb, Text method, Text target, int version, error_code&) override {
    request_.method = std::string(method);
    request_.target = std::string(target);
    version_ = static_cast<unsigned>(version);
  }
  void on_field_impl(http::field, Text name, Text value, error_code&) override {
    request_.headers.add(std::string(name), std::string(value));
  }
  std::size_t on_body_impl(Text bytes, error_code&) override {
    request_.body.append(bytes.data(), bytes.size());
    return bytes.size();
  }
  std::size_t on_chunk_body_impl(std::uint64_t, Text bytes, error_code& why) override {
    return on_body_impl(bytes, why);
  }
  void on_response_impl(int, Text, int, error_code&) override {}
  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
  void on_chunk_header_impl(std::uint64_t, Text, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  ServerRequest request_;
  unsigned version_ = 11;
};

http::response<http::string_body> to_message(Reply& reply, unsigned version, bool keep_alive,
                                             bool head_only) {
  http::response<http::string_body> out;
  out.version(version);
  out.result(static_cast<unsigned>(reply.status));
  for (const auto& field : reply.headers.fields()) out.insert(field.name, field.value);
  out.body() = std::move(reply.body);
  out.keep_alive(keep_alive);
  // A HEAD is answered without a length: it would have to be that of GET. A 204 may have none.
  if (!head_only && reply.status != 204) out.prepare_payload();
  return out;
}

int status_for(error_code why) noexcept {
  if (why == http::error::body_limit) return 413;
  if (why == http::error::header_limit || why == http::error::buffer_overflow) return 431;
  return 400;
}

/// Reads requests, has the World answer them, writes the answers, one after the other.
template <typename Stream>
class Session final : public Connection, public std::enable_shared_from_this<Session<Stream>> {
 public:
  static constexpr bool kTls = !std::is_same_v<Stream, beast::tcp_stream>;

  template <typename... Args>
  Session(std::shared_ptr<Hub> hub, Host host, std::uint64_t number, Args&&... args)
      : hub_(std::move(hub)),
        host_(host),
        number_(number),
        stream_(std::forward<Args>(args)...),
        timer_(hub_->io) {}

  void run() {
    if constexpr (kTls) {
      socket().expires_after(kIdleTime);
      stream_.async_handshake(asio::ssl::stream_base::server, next([this](error_code why) {
                                if (!why) read_head();
                              }));
    } else {
      read_head();
    }
  }

  void close() override {
    error_code ignored;
    timer_.cancel();
    socket().socket().close(ignored);
  }

 private:
  auto& socket() { return beast::get_lowest_layer(stream_); }

  /// Keeps this session alive until `handler` has run; drops it once the server has stopped.
  template <typename Handler>
  auto next(Handler handler) {
    return [self = this->shared_from_this(), handler = std::move(handler)](error_code why,
                                                                           auto&&...) mutable {
      if (!self->hub_->stopped) handler(why);
    };
  }

  void read_head() {
    parser_.emplace();
    parser_->header_limit(kHeadLimit);
    parser_->body_limit(kBodyLimit);
    socket().expires_after(kIdleTime);
    http::async_read_header(stream_, buffer_, *parser_, next([this](error_code why) {
                              if (why) return refuse(why);
                              if (parser_->expects_continue() && !parser_->is_done())
                                return write_continue();
                              read_body();
                            }));
  }

  void write_continue() {
    continue_.result(http::status::continue_);
    continue_.version(11);
    http::async_write(stream_, continue_, next([this](error_code why) {
                        if (!why) read_body();
                      }));
  }

  void read_body() {
    http::async_read(stream_, buffer_, *parser_, next([this](error_code why) {
                       if (why) return refuse(why);
                       arrived();
                     }));
  }

  /// The request is here whole: it spends its way up, is answered, and the answer its way down.
  void arrived() {
    socket().expires_never();
    version_ = parser_->version();
    keep_alive_ = parser_->keep_alive();
    request_ = std::move(parser_->request());
    request_.connection = number_;
    head_only_ = request_.method == "HEAD";
    const bool control = host_ == Host::login && World::is_control(request_);
    const auto delays = control ? Delays{} : hub_->world.delays(host_);
    after(delays.up, [this, control, down = delays.down] {
      auto reply = answer(control);
      after(down, [this, reply = std::move(reply)]() mutable { write(std::move(reply)); });
    });
  }

  Reply answer(bool control) {
    auto& world = hub_->world;
    const auto now = hub_->clocks.now();
    if (control) return world.handle_control(request_, now);
    return host_ == Host::login ? world.handle_login(request_, now)
                                : world.handle_api(request_, now);
  }

  /// A timer that is due at once is never armed: under libfaketime it would not fire.
  template <typename Then>
  void after(Duration delay, Then then) {
    if (delay <= Duration::zero()) return then();
    timer_.expires_after(delay);
    timer_.async_wait(next([then = std::move(then)](error_code why) mutable {
      if (!why) then();
    }));
  }

  void write(Reply reply) {
    response_ = to_message(reply, version_, keep_alive_ && !reply.quit, head_only_);
    serializer_.emplace(*response_);
    if (head_only_) serializer_->split(true);
    socket().expires_after(kIdleTime);
    auto written = next([this, quit = reply.quit](error_code why) {
      if (why) return;
      if (quit) return hub_->quit();
      if (response_->keep_alive()) return read_head();
      finish();
    });
    if (head_only_) {
      http::async_write_header(stream_, *serializer_, std::move(written));
    } else {
      http::async_write(stream_, *serializer_, std::move(written));
    }
  }

  /// Answers what cannot be read, unless the other side just went away.
  void refuse(error_code why) {
    if (why.category() != http::make_error_code(http::error::bad_method).category() ||
        why == http::error::end_of_stream || why == http::error::partial_message) {
      return finish();
    }
    auto reply = hub_->world.refuse(host_, status_for(why), hub_->clocks.now());
    response_ = to_message(reply, 11, false, false);
    serializer_.emplace(*response_);
    http::async_write(stream_, *serializer_, next([this](error_code failed) {
                        if (!failed) drain();
                      }));
  }

  /// Reads on for a while: closing with bytes unread would reset the answer away.
  void drain() {
    if constexpr (!kTls) {
      error_code ignored;
      socket().socket().shutdown(tcp::socket::shutdown_send, ignored);
    }
    socket().expires_after(kDrainTime);
    drain_more();
  }
  void drain_more() {
    auto self = this->shared_from_this();
    stream_.async_read_some(asio::buffer(scratch_), [this, self](error_code why, std::size_t n) {
      drained_ += n;
      if (!why && !hub_->stopped && drained_ < kDrainLimit) drain_more();
    });
  }

  void finish() {
    if constexpr (kTls) {
      socket().expires_after(kDrainTime);
      stream_.async_shutdown(next([](error_code) {}));
    } else {
      error_code ignored;
      socket().socket().shutdown(tcp::socket::shutdown_send, ignored);
    }
  }

  std::shared_ptr<Hub> hub_;
  Host host_;
  std::uint64_t number_;
  Stream stream_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_{kHeadLimit + kBodyLimit};
  std::optional<RequestParser> parser_;
  http::response<http::empty_body> continue_;
  ServerRequest request_;
  unsigned version_ = 11;
  bool keep_alive_ = true;
  bool head_only_ = false;
  std::optional<http::response<http::string_body>> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  std::array<char, 16 * 1024> scratch_{};
  std::size_t drained_ = 0;
};

/// One port.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  Listener(std::shared_ptr<Hub> hub, Host host)
      : hub_(std::move(hub)), host_(host), acceptor_(hub_->io), pause_(hub_->io) {}

  error_code bind(const tcp::endpoint& endpoint) {
    error_code why;
    if (acceptor_.open(endpoint.protocol(), why)) return why;
    if (acceptor_.set_option(tcp::acceptor::reuse_address(true), why)) return why;
    if (acceptor_.bind(endpoint, why)) return why;
    return acceptor_.listen(asio::socket_base::max_listen_connections, why);
  }
  [[nodiscard]] std::uint16_t port() const {
    error_code ignored;
    return acceptor_.local_endpoint(ignored).port();
  }

  void accept() {
    acceptor_.async_accept([self = shared_from_this()](error_code why, tcp::socket socket) {
      if (self->hub_->stopped || why == asio::error::operation_aborted) return;
      if (why) return self->accept_later();
      self->start(std::move(socket));
      self->accept();
    });
  }
  void close() {
    error_code ignored;
    ignored = acceptor_.close(ignored);
    pause_.cancel();
  }

 private:
  /// Out of descriptors, say: asking again at once would spin.
  void accept_later() {
    pause_.expires_after(std::chrono::milliseconds{100});
    pause_.async_wait([self = shared_from_this()](error_code why) {
      if (!why && !self->hub_->stopped) self->accept();
    });
  }
  void start(tcp::socket socket) {
    error_code ignored;
    ignored = socket.set_option(tcp::no_delay(true), ignored);
    if (hub_->tls) {
      using Secure = beast::ssl_stream<beast::tcp_stream>;
      add(std::make_shared<Session<Secure>>(hub_, host_, count_++, std::move(socket), *hub_->tls));
    } else {
      add(std::make_shared<Session<beast::tcp_stream>>(hub_, host_, count_++, std::move(socket)));
    }
  }
  template <typename S>
  void add(const std::shared_ptr<S>& session) {
    std::erase_if(hub_->connections, [](const auto& weak) { return weak.expired(); });
    hub_->connections.push_back(session);
    session->run();
  }

  std::shared_ptr<Hub> hub_;
  Host host_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::uint64_t count_ = 0;
};

Error cannot(const std::string& what, const std::string& why) {
  return Error{ErrorKind::config, what + ": " + why, ""};
}

std::string url_of(bool tls, const asio::ip::address& address, std::uint16_t port) {
  const auto host = address.is_v6() ? "[" + address.to_string() + "]" : address.to_string();
  return (tls ? "https://" : "http://") + host + ":" + std::to_string(port);
}

Result<CaFile> set_up_tls(Hub& hub, const ListenOptions& options) {
  auto identity = make_tls_identity(options.address, hub.clocks.now().wall);
  if (!identity) return identity.error();
  auto& context = hub.tls.emplace(asio::ssl::context::tls_server);
  error_code why;
  const auto kept_out = asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                        asio::ssl::context::no_tlsv1_1;
  const auto key = identity->key.reveal();
  if (context.set_options(kept_out, why) ||
      context.use_certificate_chain(asio::buffer(identity->certificate), why) ||
      context.use_private_key(asio::buffer(key), asio::ssl::context::pem, why))
    return cannot("cannot set up TLS", why.message());
  return CaFile::write(options.ca_file, identity->ca);
}

}  // namespace

struct Server::Impl {
  explicit Impl(std::shared_ptr<Hub> the_hub) : hub(std::move(the_hub)) {}
  std::shared_ptr<Hub> hub;
  std::shared_ptr<Listener> login = std::make_shared<Listener>(hub, Host::login);
  std::shared_ptr<Listener> api = std::make_shared<Listener>(hub, Host::api);
  std::string login_url;
  std::string api_url;
  CaFile ca;

  void stop() {
    hub->stopped = true;
    login->close();
    api->close();
    for (const auto& weak : std::exchange(hub->connections, {}))
      if (const auto connection = weak.lock()) connection->close();
  }
};

Result<std::unique_ptr<Server>> Server::start(asio::io_context& io, ClockSource& clocks,
                                              World& world, const ListenOptions& options) {
  error_code why;
  const auto address = asio::ip::make_address(options.address, why);
  if (why) return cannot("--listen", "'" + options.address + "' is not an IP address");
  auto impl = std::make_shared<Impl>(std::make_shared<Hub>(io, clocks, world));
  if (options.tls) {
    auto ca = set_up_tls(*impl->hub, options);
    if (!ca) return ca.error();
    impl->ca = *std::move(ca);
  }
  const auto open = [&](Listener& listener, std::uint16_t port, std::string& url) {
    why = listener.bind({address, port});
    url = url_of(options.tls, address, why ? port : listener.port());
    return !why;
  };
  if (!open(*impl->login, options.login_port, impl->login_url))
    return cannot("cannot listen on " + impl->login_url, why.message());
  if (!open(*impl->api, options.api_port, impl->api_url))
    return cannot("cannot listen on " + impl->api_url, why.message());
  world.settings().issuer = impl->login_url;
  impl->hub->quit = [weak = std::weak_ptr(impl)] {
    if (const auto self = weak.lock()) self->stop();
  };
  impl->login->accept();
  impl->api->accept();
  return std::make_unique<Server>(std::move(impl));
}

Server::Server(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() {
  impl_->stop();
}

const std::string& Server::login_url() const noexcept {
  return impl_->login_url;
}
const std::string& Server::api_url() const noexcept {
  return impl_->api_url;
}
const std::string& Server::ca_file() const noexcept {
  return impl_->ca.path();
}
void Server::on_quit(std::function<void()> handler) {
  impl_->hub->quit = std::move(handler);
}
void Server::stop() {
  impl_->stop();
}

std::uint64_t system_seed() {
  std::array<unsigned char, sizeof(std::uint64_t)> bytes{};
  if (RAND_bytes(bytes.data(), bytes.size()) != 1) std::abort();  // never a guessable seed
  std::uint64_t seed = 0;
  std::memcpy(&seed, bytes.data(), bytes.size());
  return seed;
}

}  // namespace skewguard::emulator
