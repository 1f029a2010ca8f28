#include "proxy/server.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <chrono>
#include <csignal>
#include <list>
#include <string>
#include <thread>
#include <utility>

#include "base/log.hpp"
#include "base/signals.hpp"
#include "http/url.hpp"
#include "net/proxy.hpp"
#include "proxy/api_dialer.hpp"
#include "proxy/client_limit.hpp"
#include "proxy/listener.hpp"
#include "proxy/service.hpp"
#include "proxy/token_keeper.hpp"
#include "proxy/worker.hpp"
#include "runtime/real_transport.hpp"

namespace skewguard::proxy {
namespace {

namespace asio = boost::asio;

/// A worker and its thread.
struct Lane {
  Lane(ApiDialer& dialer, Service& service) : worker(loop, dialer, service) {}
  ~Lane() { end(); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  void start() {
    const SignalsBlocked blocked;  // they are for the thread that runs the server
    thread = std::thread([this] { loop.run(); });
  }
  /// Ends all connections.
  void end() {
    loop.stop();
    if (thread.joinable()) thread.join();
    worker.stop();
    loop.drop_tasks();  // what still holds a session: it must not outlive the worker
  }

  EventLoop loop;
  Worker worker;
  std::thread thread;
};

net::TlsOptions tls_of(const Client& client) {
  auto tls = runtime::tls_options(client.options());
  tls.keep_buffers = true;  // a connection carries one answer after the other
  return tls;
}

/// The hooks, which also count. They use `metrics` as long as the client lives.
Hooks counting(Hooks hooks, Metrics& metrics, ClockSource& clocks) {
  hooks.on_rejection = [&metrics, &clocks, next = std::move(hooks.on_rejection)](const auto& seen) {
    metrics.rejected(seen, clocks.now().wall);
    if (next) next(seen);
  };
  hooks.on_resolved = [&metrics, &clocks, next = std::move(hooks.on_resolved)](const auto& seen) {
    metrics.resolved(seen, clocks.now().wall);
    if (next) next(seen);
  };
  return hooks;
}

}  // namespace

struct Server::Impl {
  Impl(ServeOptions the_options, std::unique_ptr<Metrics> the_metrics, Client the_client,
       ClockSource& clocks, AccessLog& access_log, Log the_log, const ClientLimit& the_limit)
      : options(std::move(the_options)),
        limit(the_limit),
        log(std::move(the_log)),
        metrics(std::move(the_metrics)),
        client(std::make_unique<Client>(std::move(the_client))),
        service{options,    clocks,   *client,
                access_log, *metrics, CurrentSecret(options.local_secret)},
        dialer(io, clocks, tls_of(*client), net::ProxyRule::make(client->options().proxy),
               *http::parse_url(client->options().api_url), log) {  // the client has checked it
    catch_signals();
  }
  ~Impl() {
    keeper->stop();
    for (auto& lane : lanes) lane.end();
    client.reset();  // its handlers post to the lanes
    for (auto& lane : lanes) lane.loop.drop_tasks();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> listen() {
    for (const auto& address : options.listen) {
      Listener& listener = listeners.emplace_back();
      if (auto opened = listener.open(address); !opened) return opened;
      service.listening_on.push_back(listener.address().text());
    }
    return {};
  }

  /// The first worker accepts all connections.
  void accept() {
    for (std::size_t i = 0; i < options.workers; ++i) lanes.emplace_back(dialer, service);
    for (auto& listener : listeners) {
      listener.accept(lanes.front().loop,
                      [this](Descriptor socket) { accepted(std::move(socket)); });
    }
    for (auto& lane : lanes) lane.start();
  }
  /// On the first worker's thread.
  void accepted(Descriptor socket) {
    const auto count = clients();
    const bool room = count < limit.served;
    if (!room) warn_of_too_many();
    if (count >= limit.served + limit.turned_away) return;
    Lane& lane = least_loaded();
    lane.worker.expect();
    if (&lane == &lanes.front()) return lane.worker.serve(std::move(socket), room);
    lane.loop.post([&lane, room, socket = std::move(socket)]() mutable {
      lane.worker.serve(std::move(socket), room);
    });
  }
  [[nodiscard]] std::int64_t clients() const {
    std::int64_t count = 0;
    for (const Lane& lane : lanes) count += lane.worker.load();
    return count;
  }
  void warn_of_too_many() {
    const Instant now = client->now();
    if (now < next_warning) return;
    next_warning = now + std::chrono::minutes{1};
    log.write({LogLevel::warn, "programs are turned away: there are " +
                                   std::to_string(limit.served) + " connections already"});
  }
  Lane& least_loaded() {
    return *std::ranges::min_element(lanes, {},
                                     [](const Lane& lane) { return lane.worker.load(); });
  }

  /// An interrupt that is ignored, as in a script's background job, is not meant for this program.
  void catch_signals() {
    struct sigaction inherited{};
    ::sigaction(SIGINT, nullptr, &inherited);
    if (inherited.sa_handler != SIG_IGN) signals.add(SIGINT);
  }
  void await_signal() {
    signals.async_wait([this](const boost::system::error_code& error, int signal) {
      if (error) return;
      if (signal == SIGHUP) {
        renew();
        return await_signal();
      }
      if (draining) return io.stop();
      drain();
      await_signal();
    });
  }

  /// What cannot be read again stays as it is.
  void renew() {
    auto fresh = reload ? reload() : Result<Reloaded>(Reloaded{});
    if (!fresh) {
      return log.write({LogLevel::error, "nothing was reloaded: " + describe(fresh.error())});
    }
    if (!fresh->client_secrets.empty()) {
      if (auto taken = client->reload(std::move(fresh->client_secrets)); !taken) {
        log.write({LogLevel::error, "the old client secret stays: " + describe(taken.error())});
      }
    }
    if (fresh->access_log) service.access_log.reopen(std::move(fresh->access_log));
    service.local.set(fresh->local_secret);
    for (auto& lane : lanes) lane.loop.post([&lane] { lane.worker.reload(); });
    log.write({LogLevel::warn, "the secrets were read again"});
  }

  void drain() {
    draining = true;
    busy_lanes = lanes.size();
    lanes.front().loop.post([this] {  // what it has accepted before, the others get before this
      for (auto& listener : listeners) listener.close();
      for (auto& lane : lanes) {
        lane.loop.post([this, &lane] {
          lane.worker.drain([this] { asio::post(io, [this] { lane_drained(); }); });
        });
      }
    });
    end.expires_after(options.drain);
    end.async_wait([this](const boost::system::error_code& error) {
      if (!error) io.stop();
    });
  }
  void lane_drained() {
    if (--busy_lanes == 0) io.stop();
  }

  ServeOptions options;
  const ClientLimit limit;
  Log log;
  std::unique_ptr<Metrics> metrics;
  std::unique_ptr<Client> client;
  Service service;
  asio::io_context io{1};
  asio::signal_set signals{io, SIGTERM, SIGHUP};
  asio::steady_timer end{io};
  ApiDialer dialer;
  std::list<Lane> lanes;
  std::list<Listener> listeners;
  std::shared_ptr<TokenKeeper> keeper = std::make_shared<TokenKeeper>(io, service, log);
  std::function<Result<Reloaded>()> reload;
  Instant next_warning = Instant::min();  // of too many connections
  bool draining = false;
  std::size_t busy_lanes = 0;
};

Result<std::unique_ptr<Server>> Server::start(ServeOptions options, ClientOptions client_options,
                                              Hooks hooks, Dependencies dependencies,
                                              AccessLog& access_log) {
  const std::size_t workers = options.workers;
  const std::uint64_t files = raise_file_limit(files_wanted(workers));
  if (auto enough = check_file_limit(files, workers); !enough) return std::move(enough).error();
  const ClientLimit limit = client_limit(files, workers);
  ClockSource& clocks = *dependencies.clock;
  Log log(hooks.log, hooks.log_level);
  auto metrics = std::make_unique<Metrics>();
  auto client = Client::make(std::move(client_options),
                             counting(std::move(hooks), *metrics, clocks), std::move(dependencies));
  if (!client) return std::move(client).error();
  auto impl = std::make_unique<Impl>(std::move(options), std::move(metrics), *std::move(client),
                                     clocks, access_log, std::move(log), limit);
  if (auto listening = impl->listen(); !listening) return std::move(listening).error();
  if (std::string low = describe_low_limit(limit, files, workers); !low.empty())
    impl->log.write({LogLevel::warn, std::move(low)});
  return std::make_unique<Server>(std::move(impl));
}

Server::Server(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Server::~Server() = default;

std::vector<ListenAddress> Server::addresses() const {
  std::vector<ListenAddress> addresses;
  addresses.reserve(impl_->listeners.size());
  for (const auto& listener : impl_->listeners) addresses.push_back(listener.address());
  return addresses;
}

void Server::on_reload(std::function<Result<Reloaded>()> reload) {
  impl_->reload = std::move(reload);
}

void Server::run() {
  impl_->accept();
  impl_->await_signal();
  impl_->keeper->start();
  impl_->io.run();
}

}  // namespace skewguard::proxy
