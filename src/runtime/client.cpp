#include "skewguard/client.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "host/identity.hpp"
#include "host/seed.hpp"
#include "host/system_clocks.hpp"
#include "host/vmclock.hpp"
#include "net/asio_transport.hpp"
#include "runtime/engine.hpp"
#include "runtime/io_loop.hpp"
#include "settings/settings.hpp"
#include "store/none.hpp"

namespace skewguard {
namespace {

// How long a blocking caller waits beyond its deadline for the loop to tell it that it has passed.
constexpr Duration kGrace = std::chrono::seconds{1};

/// One answer, handed from the loop to a blocked caller. The caller may leave first.
template <typename T>
class Handover {
 public:
  void put(T value) {
    {
      const std::lock_guard lock(mutex_);
      value_ = std::move(value);
    }
    ready_.notify_one();
  }
  std::optional<T> wait(Duration at_most) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, at_most, [this] { return value_.has_value(); });
    return std::move(value_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::optional<T> value_;
};

// No exception crosses the public API: threads, sockets or memory may be out.
template <typename F>
auto without_exceptions(const F& run) -> decltype(run()) {
  try {
    return run();
  } catch (const std::exception& e) {
    return Error{ErrorKind::unavailable, std::string("the call could not be started: ") + e.what(),
                 "check this machine's limits on threads, files and memory"};
  } catch (...) {
    return Error{ErrorKind::unavailable, "the call could not be started", ""};
  }
}

}  // namespace

/// Starts the loop, the transport and the engine at first need, and ends them in reverse.
class Client::Impl {
 public:
  Impl(ClientOptions options, Hooks hooks, Dependencies dependencies)
      : options_(std::move(options)),
        hooks_(std::move(hooks)),
        dependencies_(std::move(dependencies)) {
    if (!dependencies_.clock) dependencies_.clock = std::make_shared<host::SystemClocks>();
    if (!dependencies_.store) dependencies_.store = std::make_shared<store::None>();
    if (!dependencies_.disruptions) dependencies_.disruptions = host::VmClock::open();
  }

  ~Impl() {
    if (!running_) return;
    if (running_->loop.inside()) {
      end_later(std::move(running_));
      return;
    }
    Handover<bool> ended;
    running_->loop.post([this, &ended] {
      running_->engine.reset();
      running_->transport.reset();
      ended.put(true);
    });
    ended.wait(std::chrono::seconds{5});
    running_->loop.stop();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<Response> call(const Request& request) {
    const Duration timeout = std::clamp(request.timeout.value_or(options_.timeout), Duration{0},
                                        runtime::kLongestTimeout);
    auto handover = std::make_shared<Handover<guard::action::Finish>>();
    Running& running = start();
    const Instant deadline = now().boot + timeout;
    running.loop.post([&running, handover, request, deadline] {
      if (!running.engine) return handover->put({std::nullopt, shutting_down(), {}});
      running.engine->call(request, deadline, [handover](guard::action::Finish finished) {
        handover->put(std::move(finished));
      });
    });
    auto finished = handover->wait(timeout + kGrace);
    if (!finished) return overdue();
    return outcome(std::move(*finished));
  }

  Result<BearerToken> token(const TokenRequestOptions& wanted) {
    auto handover = std::make_shared<Handover<Result<BearerToken>>>();
    Running& running = start();
    const Instant deadline = now().boot + options_.timeout;
    running.loop.post([&running, handover, wanted, deadline] {
      if (!running.engine) return handover->put(shutting_down());
      running.engine->token(wanted, deadline, [handover](Result<BearerToken> result) {
        handover->put(std::move(result));
      });
    });
    auto result = handover->wait(options_.timeout + kGrace);
    if (!result) return overdue();
    return std::move(*result);
  }

  [[nodiscard]] const ClientOptions& options() const noexcept { return options_; }

 private:
  struct Running {
    explicit Running(Dependencies uses) : dependencies(std::move(uses)), loop(dependencies.clock) {}
    Dependencies dependencies;  // what the engine runs on lives as long as it does
    runtime::IoLoop loop;
    std::unique_ptr<Transport> transport;
    std::unique_ptr<runtime::Engine> engine;
  };

  /// From a hook, that is on the loop, with the engine at work below us on the stack: it goes when
  /// it has returned, and the loop with it.
  static void end_later(std::shared_ptr<Running> running) {
    runtime::IoLoop& loop = running->loop;
    loop.post([running = std::move(running)] {
      running->engine.reset();
      running->transport.reset();
    });
  }

  Now now() const { return dependencies_.clock->now(); }

  Running& start() {
    const std::lock_guard lock(mutex_);
    if (running_) return *running_;
    auto running = std::make_shared<Running>(dependencies_);
    const Dependencies& uses = running->dependencies;
    if (uses.transport) {
      running->transport = uses.transport(running->loop);
    } else {
      net::TlsOptions tls;
      if (!options_.ca_file.empty()) tls.ca_file = options_.ca_file;
      if (!options_.client_cert_file.empty()) {
        tls.client_identity = {options_.client_cert_file, options_.client_key_file};
      }
      running->transport =
          std::make_unique<net::AsioTransport>(running->loop.context(), *uses.clock, tls,
                                               net::PoolOptions{}, net::Edges{}, options_.proxy);
    }
    running->engine = std::make_unique<runtime::Engine>(
        options_, hooks_,
        runtime::EngineWorld{running->loop, *uses.clock, *running->transport, *uses.store,
                             host::hardware_seed(), uses.disruptions.get(), here()});
    running_ = std::move(running);
    return *running_;
  }

  static runtime::Boot here() {
    return {host::boot_id().value_or(""), host::time_namespace().value_or("")};
  }

  static Error shutting_down() {
    return Error{ErrorKind::cancelled, "the client is shutting down", ""};
  }

  static Error overdue() {
    return Error{ErrorKind::timeout, "the deadline passed and the control loop did not answer",
                 "a hook blocks it, or the machine is overloaded"};
  }

  static Result<Response> outcome(guard::action::Finish finished) {
    if (!finished.answer) {
      Error error = finished.error ? std::move(*finished.error)
                                   : Error{ErrorKind::protocol, "no answer and no error", ""};
      if (!finished.report.method.empty()) {  // else the call had not begun
        error.report = std::make_shared<CallReport>(std::move(finished.report));
      }
      return error;
    }
    return Response{finished.answer->status, std::move(finished.answer->headers),
                    std::move(finished.answer->body), std::move(finished.report)};
  }

  ClientOptions options_;
  Hooks hooks_;
  Dependencies dependencies_;
  std::mutex mutex_;  // over running_ alone
  std::shared_ptr<Running> running_;
};

Result<Client> Client::from_environment() {
  auto settings = settings::load({}, settings::process_surroundings(), settings::Need::identity);
  if (!settings) return settings.error();
  return make(std::move(settings->client));
}

Result<Client> Client::make(ClientOptions options, Hooks hooks, Dependencies dependencies) {
  if (auto checked = runtime::check_options(options); !checked) return checked.error();
  return Client(
      std::make_unique<Impl>(std::move(options), std::move(hooks), std::move(dependencies)));
}

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::Client(Client&&) noexcept = default;
Client& Client::operator=(Client&&) noexcept = default;
Client::~Client() = default;

Result<Response> Client::call(Request request) {
  return without_exceptions([&] { return impl_->call(request); });
}
Result<Response> Client::get(std::string path) {
  Request request;
  request.path = std::move(path);
  return call(std::move(request));
}
Result<BearerToken> Client::token(TokenRequestOptions options) {
  return without_exceptions([&] { return impl_->token(options); });
}
const ClientOptions& Client::options() const noexcept {
  return impl_->options();
}

}  // namespace skewguard
