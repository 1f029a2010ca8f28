#include "scripted_server.hpp"

#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>
#include <tuple>
#include <utility>

namespace skewguard::net::testing_server {
namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;

Step read_request() {
  return {};
}
Step read_bytes(std::size_t count) {
  return {.kind = Step::Kind::read_bytes, .piece = count};
}
Step write(std::string bytes, std::size_t piece) {
  return {.kind = Step::Kind::write, .bytes = std::move(bytes), .piece = piece};
}
Step write_raw(std::string bytes) {
  return {.kind = Step::Kind::write_raw, .bytes = std::move(bytes)};
}
Step key_updates(std::size_t count) {
  return {.kind = Step::Kind::key_updates, .piece = count};
}
Step close() {
  return {.kind = Step::Kind::close};
}
Step cut() {
  return {.kind = Step::Kind::cut};
}
Step reset() {
  return {.kind = Step::Kind::reset};
}
Step until(std::function<bool()> holds) {
  return {.kind = Step::Kind::until, .holds = std::move(holds)};
}
std::string answer(const std::string& body, const std::string& status) {
  return "HTTP/1.1 " + status + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

namespace {

struct Tally {
  std::vector<std::string> requests;
  std::size_t connections = 0;
  std::size_t resumed = 0;
  std::size_t finished = 0;
};

/// The size of the first whole request in `bytes`; 0 if it is not whole.
std::size_t whole_request(const std::string& bytes) {
  const auto end = bytes.find("\r\n\r\n");
  if (end == std::string::npos) return 0;
  std::size_t body = 0;
  const auto field = bytes.find("Content-Length: ");
  if (field < end) body = std::stoul(bytes.substr(field + 16, 20));
  const auto size = end + 4 + body;
  return bytes.size() < size ? 0 : size;
}

class Player : public std::enable_shared_from_this<Player> {
 public:
  Player(tcp::socket socket, Script script, std::shared_ptr<Tally> tally,
         asio::ssl::context* context)
      : socket_(std::move(socket)), script_(std::move(script)), tally_(std::move(tally)) {
    if (context != nullptr) tls_.emplace(socket_, *context);
  }

  void start() {
    socket_.set_option(tcp::no_delay(true));
    if (!tls_) return next();
    tls_->async_handshake(asio::ssl::stream_base::server,
                          [self = shared_from_this()](ErrorCode error) {
                            if (error) return;
                            if (SSL_session_reused(self->tls_->native_handle()) == 1)
                              ++self->tally_->resumed;
                            self->next();
                          });
  }

  void stop() {
    ErrorCode ignored;
    std::ignore = socket_.close(ignored);
  }

 private:
  void next() {
    if (at_ == script_.size()) {
      ++tally_->finished;
      return linger();
    }
    const Step& step = script_[at_++];
    switch (step.kind) {
      case Step::Kind::read_request:
        return read_one();
      case Step::Kind::read_bytes:
        return read_until(step.piece);
      case Step::Kind::write:
        return write_piece(step, 0);
      case Step::Kind::close:
        return tls_ ? say_good_bye() : shut(false);
      case Step::Kind::cut:
        return shut(false);
      case Step::Kind::reset:
        return shut(true);
      case Step::Kind::write_raw:
        asio::write(socket_, asio::buffer(step.bytes));
        return next();
      case Step::Kind::key_updates:
        return write_key_updates(step.piece);
      case Step::Kind::until:
        return wait(step);
    }
  }

  void wait(const Step& step) {
    if (step.holds()) return next();
    asio::post(socket_.get_executor(), [this, self = shared_from_this(), &step] { wait(step); });
  }

  void read_one() {
    if (const auto size = whole_request(received_); size > 0) {
      tally_->requests.push_back(received_.substr(0, size));
      received_.erase(0, size);
      return next();
    }
    read([this] { read_one(); });
  }

  void read_until(std::size_t count) {
    received_.size() < count ? read([this, count] { read_until(count); }) : next();
  }

  void read(std::function<void()> then) {
    auto done = [this, self = shared_from_this(), then = std::move(then)](ErrorCode error,
                                                                          std::size_t size) {
      received_.append(buffer_.data(), size);
      if (!error) then();
    };
    tls_ ? tls_->async_read_some(asio::buffer(buffer_), done)
         : socket_.async_read_some(asio::buffer(buffer_), done);
  }

  void write_piece(const Step& step, std::size_t from) {
    if (from >= step.bytes.size()) return next();
    const auto size = std::min(step.piece, step.bytes.size() - from);
    auto done = [this, self = shared_from_this(), &step, from, size](ErrorCode error, std::size_t) {
      if (!error) write_piece(step, from + size);
    };
    const auto piece = asio::buffer(step.bytes.data() + from, size);
    tls_ ? asio::async_write(*tls_, piece, done) : asio::async_write(socket_, piece, done);
  }

  /// Asio would send them with the next piece of content: they are made in memory instead.
  void write_key_updates(std::size_t count) {
    SSL* ssl = tls_->native_handle();
    BIO* usual = SSL_get_wbio(ssl);
    BIO* memory = BIO_new(BIO_s_mem());
    BIO_up_ref(usual);
    BIO_up_ref(memory);
    SSL_set0_wbio(ssl, memory);
    for (std::size_t i = 0; i < count; ++i) {
      SSL_key_update(ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
      SSL_do_handshake(ssl);
    }
    SSL_set0_wbio(ssl, usual);
    char* data = nullptr;
    const auto size = BIO_get_mem_data(memory, &data);
    raw_.assign(data, static_cast<std::size_t>(size));
    BIO_free(memory);
    asio::async_write(socket_, asio::buffer(raw_),
                      [this, self = shared_from_this()](ErrorCode error, std::size_t) {
                        if (!error) next();
                      });
  }

  /// The close notify is sent at once; the client's own, which may take long, ends the connection.
  void say_good_bye() {
    tls_->async_shutdown([this, self = shared_from_this()](ErrorCode) { stop(); });
    next();
  }

  void shut(bool abruptly) {
    ErrorCode ignored;
    if (abruptly) std::ignore = socket_.set_option(asio::socket_base::linger(true, 0), ignored);
    if (!abruptly) std::ignore = socket_.shutdown(tcp::socket::shutdown_send, ignored);
    if (abruptly || tls_) std::ignore = socket_.close(ignored);
    next();
  }

  /// Keeps reading, to notice when the client closes.
  void linger() {
    if (!socket_.is_open() || tls_) return;
    socket_.async_read_some(asio::buffer(buffer_),
                            [this, self = shared_from_this()](ErrorCode error, std::size_t) {
                              if (!error) return linger();
                              stop();
                            });
  }

  tcp::socket socket_;
  Script script_;
  std::shared_ptr<Tally> tally_;
  std::optional<asio::ssl::stream<tcp::socket&>> tls_;
  std::size_t at_ = 0;
  std::string received_;
  std::string raw_;
  std::array<char, 4096> buffer_{};
};

}  // namespace

struct ScriptedServer::Impl : std::enable_shared_from_this<Impl> {
  Impl(asio::io_context& io, std::vector<Script> all)
      : acceptor(io, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), scripts(std::move(all)) {}

  void secure(const testing_certificates::Identity& identity) {
    context.emplace(asio::ssl::context::tls_server);
    SSL_CTX_use_certificate(context->native_handle(), identity.certificate.get());
    SSL_CTX_use_PrivateKey(context->native_handle(), identity.key.get());
  }

  void demand(const ScriptedServer::Demand& what) {
    SSL_CTX* native = context->native_handle();
    SSL_CTX_set_verify(native, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(native), what.authority.get());
    X509_VERIFY_PARAM_set_time(
        SSL_CTX_get0_param(native),
        std::chrono::system_clock::to_time_t(std::chrono::floor<std::chrono::seconds>(what.when)));
    SSL_CTX_set_min_proto_version(native, what.version);
    SSL_CTX_set_max_proto_version(native, what.version);
  }

  void accept() {
    acceptor.async_accept([self = shared_from_this()](ErrorCode error, tcp::socket socket) {
      if (error) return;
      const auto index = self->tally->connections++;
      auto script = index < self->scripts.size() ? self->scripts[index] : Script{};
      auto player = std::make_shared<Player>(std::move(socket), std::move(script), self->tally,
                                             self->context ? &*self->context : nullptr);
      self->players.push_back(player);
      player->start();
      self->accept();
    });
  }

  void stop() {
    ErrorCode ignored;
    std::ignore = acceptor.close(ignored);
    for (const auto& player : players) player->stop();
  }

  tcp::acceptor acceptor;
  std::vector<Script> scripts;
  std::optional<asio::ssl::context> context;
  std::shared_ptr<Tally> tally = std::make_shared<Tally>();
  std::vector<std::shared_ptr<Player>> players;
};

ScriptedServer::ScriptedServer(asio::io_context& io, std::vector<Script> scripts,
                               const testing_certificates::Identity* identity)
    : impl_(std::make_shared<Impl>(io, std::move(scripts))) {
  if (identity != nullptr) impl_->secure(*identity);
  impl_->accept();
}
ScriptedServer::ScriptedServer(asio::io_context& io, std::vector<Script> scripts,
                               const testing_certificates::Identity& identity, const Demand& demand)
    : impl_(std::make_shared<Impl>(io, std::move(scripts))) {
  impl_->secure(identity);
  impl_->demand(demand);
  impl_->accept();
}
ScriptedServer::ScriptedServer(asio::io_context& io, std::vector<Script> scripts,
                               const testing_certificates::Identity& identity,
                               const std::function<void(SSL_CTX*)>& set_up)
    : impl_(std::make_shared<Impl>(io, std::move(scripts))) {
  impl_->secure(identity);
  set_up(impl_->context->native_handle());
  impl_->accept();
}
ScriptedServer::~ScriptedServer() {
  impl_->stop();
}

std::uint16_t ScriptedServer::port() const {
  return impl_->acceptor.local_endpoint().port();
}
std::string ScriptedServer::url(const std::string& path) const {
  return (impl_->context ? "https://localhost:" : "http://127.0.0.1:") + std::to_string(port()) +
         path;
}
const std::vector<std::string>& ScriptedServer::requests() const {
  return impl_->tally->requests;
}
std::size_t ScriptedServer::connections() const {
  return impl_->tally->connections;
}
std::size_t ScriptedServer::resumed() const {
  return impl_->tally->resumed;
}
std::size_t ScriptedServer::finished() const {
  return impl_->tally->finished;
}

}  // namespace skewguard::net::testing_server
