// How late a call is past its deadline, and how long the loop was held up, where the API's server
// sends without end: bench_hostile_peers [CALLS]. Exit 1 where either is over 50 ms, which a busy
// machine alone brings about.
#include <openssl/ssl.h>

#include <unistd.h>
#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "emulator/tls_identity.hpp"
#include "net/tls_engine.hpp"
#include "skewguard/asio.hpp"
#include "system/system_clocks.hpp"

namespace {

namespace asio = boost::asio;
using namespace skewguard;
using asio::ip::tcp;
using std::chrono::milliseconds;
using Steady = std::chrono::steady_clock;

constexpr milliseconds kDeadline{300};
constexpr milliseconds kMax{50};

const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
const std::string kChunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/// What a server does once it has the request: `first`, then `again` without end.
struct Flood {
  std::string name;
  std::string first;
  std::string again;
  bool tls = false;
  std::size_t key_updates = 0;  ///< instead of `again`: so many of them, and again
};

std::string times(const std::string& text, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += text;
  return out;
}

std::vector<Flood> floods() {
  constexpr std::size_t kKey = 20'000;
  return {
      {"nothing", "", ""},
      {"fields", "HTTP/1.1 200 OK\r\n", times("A: b\r\n", 1000)},
      {"interim answers", "", times("HTTP/1.1 100 Continue\r\n\r\n", 1000)},
      {"a chunk's extension", kChunked + "1;", times("a", 10'000)},
      {"small chunks", kChunked, times("1\r\nx\r\n", 3000)},
      {"a body until the close", "HTTP/1.1 200 OK\r\n\r\n", times("x", 16'000)},
      {"a body over TLS", "HTTP/1.1 200 OK\r\n\r\n", times("x", 16'000), true},
      {"small chunks over TLS", kChunked, times("1\r\nx\r\n", 3000), true},
      {"key updates for an answer", "", "", true, kKey},
      {"key updates on an idle connection", kAnswer, "", true, kKey},
  };
}

/// One connection of the server's, played by a thread of its own.
class Peer {
 public:
  Peer(tcp::socket socket, const Flood& flood, const net::TlsContext* tls)
      : socket_(std::move(socket)), flood_(flood) {
    if (tls == nullptr) return;
    ssl_.reset(SSL_new(tls->get()));
    SSL_set_fd(ssl_.get(), socket_.native_handle());
    SSL_set_accept_state(ssl_.get());
  }

  void play() {
    if (!read_request() || !write(flood_.first)) return;
    while (!flood_.again.empty() && write(flood_.again)) {
    }
    while (flood_.key_updates > 0 && update_keys()) {
    }
    read_request();  // until the client has gone
  }

 private:
  struct Free {
    void operator()(SSL* ssl) const noexcept { SSL_free(ssl); }
  };

  bool read_request() {
    std::string got;
    std::array<char, 4096> buffer{};
    while (got.find("\r\n\r\n") == std::string::npos) {
      const auto size = ssl_ ? SSL_read(ssl_.get(), buffer.data(), static_cast<int>(buffer.size()))
                             : ::read(socket_.native_handle(), buffer.data(), buffer.size());
      if (size <= 0) return false;
      got.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return true;
  }

  bool write(const std::string& bytes) {
    if (bytes.empty()) return true;
    if (ssl_) return SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size())) > 0;
    boost::system::error_code error;
    asio::write(socket_, asio::buffer(bytes), error);
    return !error;
  }

  bool update_keys() {
    for (std::size_t i = 0; i < flood_.key_updates; ++i) {
      if (SSL_key_update(ssl_.get(), SSL_KEY_UPDATE_NOT_REQUESTED) != 1) return false;
      if (SSL_do_handshake(ssl_.get()) != 1) return false;
    }
    return true;
  }

  tcp::socket socket_;
  Flood flood_;
  std::unique_ptr<SSL, Free> ssl_;
};

/// Listens until it is destroyed.
class Server {
 public:
  Server(const Flood& flood, const net::TlsContext* tls)
      : acceptor_(io_, {asio::ip::address_v4::loopback(), 0}), flood_(flood), tls_(tls) {
    accept();
    thread_ = std::thread([this] { io_.run(); });
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() {
    asio::post(io_, [this] { acceptor_.close(); });
    thread_.join();
    for (auto& peer : peers_) peer.join();
  }

  [[nodiscard]] std::string url() const {
    return (tls_ != nullptr ? "https://localhost:" : "http://localhost:") +
           std::to_string(acceptor_.local_endpoint().port());
  }

 private:
  void accept() {
    acceptor_.async_accept([this](const auto& error, tcp::socket socket) {
      if (error) return;
      auto peer = std::make_shared<Peer>(std::move(socket), flood_, tls_);
      peers_.emplace_back([peer] { peer->play(); });
      accept();
    });
  }

  asio::io_context io_;
  tcp::acceptor acceptor_;
  Flood flood_;
  const net::TlsContext* tls_;
  std::thread thread_;
  std::vector<std::thread> peers_;
};

struct Worst {
  Steady::duration past_deadline{0};
  Steady::duration held_up{0};
  Steady::duration end{0};  ///< of the client's destruction
};

/// Posts to the loop each millisecond, and measures how long that takes to run.
class Heartbeat {
 public:
  Heartbeat(asio::io_context& io, Worst& worst)
      : thread_([this, &io, &worst] {
          while (!stop_) {
            std::atomic<bool> ran{false};
            const auto posted = Steady::now();
            asio::post(io, [&] {
              worst.held_up = std::max(worst.held_up, Steady::now() - posted);
              ran = true;
              ran.notify_one();
            });
            ran.wait(false);
            std::this_thread::sleep_for(milliseconds{1});
          }
        }) {}
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;
  ~Heartbeat() {
    stop_ = true;
    thread_.join();
  }

 private:
  std::atomic<bool> stop_{false};
  std::thread thread_;
};

Worst measure(const ClientOptions& options, int calls) {
  Worst worst;
  asio::io_context io;
  auto work = asio::make_work_guard(io);
  std::thread loop([&io] { io.run(); });
  {
    auto made = make_client(io, options);
    if (!made) {
      std::fprintf(stderr, "%s\n", describe(made.error()).c_str());
      std::exit(2);
    }
    std::optional<Client> client(*std::move(made));
    const Heartbeat heartbeat(io, worst);
    for (int i = 0; i < calls; ++i) {
      const auto begin = Steady::now();
      Request request;
      request.path = "/x";
      (void)client->call(request).ok();
      worst.past_deadline = std::max(worst.past_deadline, Steady::now() - begin - kDeadline);
    }
    const auto begin = Steady::now();
    client.reset();
    worst.end = Steady::now() - begin;
  }
  work.reset();
  io.stop();
  loop.join();
  return worst;
}

double in_ms(Steady::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace

int main(int argc, char** argv) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  const int calls = argc > 1 ? std::atoi(argv[1]) : 10;
  system::SystemClocks clock;
  const auto identity = emulator::make_tls_identity("127.0.0.1", clock.now().wall);
  if (!identity) return 2;
  const auto ca_file = std::filesystem::temp_directory_path() /
                       ("hostile_peers." + std::to_string(::getpid()) + ".pem");
  std::ofstream(ca_file) << identity->ca;
  const net::TlsContext tls(identity->server);
  bool good = true;
  std::printf("%-36s %14s %14s %14s\n", "sent without end", "past deadline", "loop held up",
              "destruction");
  for (const auto& flood : floods()) {
    const Server server(flood, flood.tls ? &tls : nullptr);
    ClientOptions options;
    options.login_url = options.api_url = server.url();
    options.access_token = Secret("token");
    options.ca_file = ca_file.string();
    options.timeout = kDeadline;
    options.ntp.emplace();  // nobody
    const Worst worst = measure(options, calls);
    good = good && std::max({worst.past_deadline, worst.held_up, worst.end}) <= kMax;
    std::printf("%-36s %11.1f ms %11.1f ms %11.1f ms\n", flood.name.c_str(),
                in_ms(std::max(worst.past_deadline, Steady::duration::zero())),
                in_ms(worst.held_up), in_ms(worst.end));
  }
  std::filesystem::remove(ca_file);
  return good ? 0 : 1;
}
