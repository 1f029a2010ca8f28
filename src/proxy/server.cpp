#include "proxy/server.hpp"

#include <algorithm>
#include <atomic>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
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
#include "proxy/client_limit.hpp"
#include "proxy/listener.hpp"
#include "proxy/service.hpp"
#include "proxy/token_keeper.hpp"
#include "proxy/worker.hpp"

namespace skewguard::proxy {
namespace {

namespace asio = boost::asio;

constexpr std::size_t kMaxLastHandlers = 1'000'000;  // of a worker that has stopped: far fewer wait

/// A worker and its thread.
struct Lane {
  /// `shared`: its loop, which others use as well, and whose thread is not the lane's; null = one
  /// of its own.
  Lane(asio::io_context* shared, Service& service, const Log& log)
      : own(shared == nullptr ? std::make_unique<asio::io_context>(1) : nullptr),
        io(shared == nullptr ? *own : *shared),
        worker(io, service, log) {}
  ~Lane() { end(); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  void start() {
    if (!own) return;
    const SignalsBlocked blocked;  // they are for the thread that runs the server
    thread = std::thread([this] {
      const auto work = asio::make_work_guard(io);
      io.run();
    });
  }
  /// Ends all connections. What still holds a session lets go of it here: it must not outlive the
  /// worker.
  void end() {
    io.stop();
    if (thread.joinable()) thread.join();
    if (std::exchange(ended, true)) return;
    worker.stop();
    for (std::size_t left = kMaxLastHandlers; left > 0; --left) {
      io.restart();  // one of them may stop it
      if (io.poll_one() == 0) return;
    }
  }

  std::unique_ptr<asio::io_context> own;
  asio::io_context& io;
  Worker worker;
  std::thread thread;
  bool ended = false;
};

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
                access_log, *metrics, CurrentSecret(options.local_secret)} {
    catch_signals();
  }
  ~Impl() {
    keeper->stop();
    for (const auto& listener : listeners) listener->close();
    for (auto& lane : lanes) lane.end();
    client.reset();  // its handlers post to the lanes
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<void> listen() {
    for (const auto& address : options.listen) {
      const auto listener = std::make_shared<Listener>(io);
      if (auto opened = listener->open(address); !opened) return opened;
      listeners.push_back(listener);
      service.listening_on.push_back(listener->address().text());
    }
    return {};
  }

  void accept() {
    // A single one accepts its connections itself.
    asio::io_context* shared = options.workers == 1 ? &io : nullptr;
    for (std::size_t i = 0; i < options.workers; ++i)
      lanes.emplace_back(shared, service, log).start();
    for (const auto& listener : listeners) {
      listener->accept([this]() -> asio::io_context& { return least_loaded().io; },
                       [this](ClientSocket socket) {
                         const auto count = clients();
                         const bool room = count < limit.served;
                         if (!room) warn_of_too_many();
                         if (count >= limit.served + limit.turned_away) return;
                         Lane& lane = lane_of(socket);
                         lane.worker.expect();
                         asio::dispatch(lane.io,
                                        [&lane, room, socket = std::move(socket)]() mutable {
                                          lane.worker.serve(std::move(socket), room);
                                        });
                       });
    }
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
  Lane& lane_of(ClientSocket& socket) {
    return *std::ranges::find_if(
        lanes, [&](const Lane& lane) { return &lane.io == &socket.get_executor().context(); });
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
    for (auto& lane : lanes) asio::post(lane.io, [&lane] { lane.worker.reload(); });
    log.write({LogLevel::warn, "the secrets were read again"});
  }

  void drain() {
    draining = true;
    for (const auto& listener : listeners) listener->close();
    busy_lanes = lanes.size();
    for (auto& lane : lanes) {
      asio::post(lane.io, [this, &lane] {
        lane.worker.drain([this] { asio::post(io, [this] { lane_drained(); }); });
      });
    }
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
  std::vector<std::shared_ptr<Listener>> listeners;
  std::list<Lane> lanes;
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
  for (const auto& listener : impl_->listeners) addresses.push_back(listener->address());
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
