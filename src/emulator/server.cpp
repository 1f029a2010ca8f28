#include "emulator/server.hpp"

#include <openssl/rand.h>

#include <array>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <tuple>
#include <utility>

#include "emulator/ca_file.hpp"
#include "emulator/session.hpp"
#include "emulator/tls_identity.hpp"
#include "http/url.hpp"
#include "net/connector.hpp"

namespace skewguard::emulator {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

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
    std::ignore = acceptor_.close(ignored);
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
    std::ignore = socket.set_option(tcp::no_delay(true), ignored);
    std::erase_if(hub_->sessions, [](const auto& weak) { return weak.expired(); });
    hub_->sessions.push_back(start_session(hub_, host_, count_++, std::move(socket)));
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

/// Another port or address may do, unless this machine has nothing left to listen with.
Error cannot_listen(const std::string& url, const boost::system::error_code& why) {
  Error error = cannot("cannot listen on " + url, why.message());
  if (net::out_of_resources(why)) {
    error.kind = ErrorKind::unavailable;
    error.remedy = kCheckLimits;
  }
  return error;
}

std::string url_of(bool tls, const asio::ip::address& address, std::uint16_t port) {
  return (tls ? "https://" : "http://") + http::endpoint_text(address.to_string(), port);
}

Result<CaFile> set_up_tls(Hub& hub, const ListenOptions& options) {
  auto identity = make_tls_identity(options.address, hub.clocks.now().wall);
  if (!identity) return identity.error();
  hub.tls.emplace(identity->server);
  if (const auto& fault = hub.tls->fault()) return cannot("cannot set up TLS", *fault);
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
    for (const auto& weak : std::exchange(hub->sessions, {}))
      if (const auto session = weak.lock()) session->close();
  }
};

Result<std::unique_ptr<Server>> Server::start(asio::io_context& io, ClockSource& clocks,
                                              CloudEmulator& cloud, const ListenOptions& options) {
  error_code why;
  const auto address = asio::ip::make_address(options.address, why);
  if (why) return cannot("--listen", "'" + options.address + "' is not an IP address");
  auto impl = std::make_shared<Impl>(std::make_shared<Hub>(io, clocks, cloud));
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
    return cannot_listen(impl->login_url, why);
  if (!open(*impl->api, options.api_port, impl->api_url)) return cannot_listen(impl->api_url, why);
  cloud.settings().issuer = impl->login_url;
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
