#include "skewguard/client.hpp"

#include <algorithm>
#include <exception>
#include <mutex>
#include <string>
#include <utility>
#include <variant>

#include "base/fork_mutex.hpp"
#include "engine/engine.hpp"
#include "oauth/refusals.hpp"
#include "oauth/withhold.hpp"
#include "runtime/alerts.hpp"
#include "runtime/check_options.hpp"
#include "runtime/handover.hpp"
#include "runtime/publication.hpp"
#include "runtime/running.hpp"
#include "runtime/secret_file.hpp"
#include "runtime/stores.hpp"
#include "settings/limits.hpp"
#include "settings/settings.hpp"
#include "system/system_clocks.hpp"
#include "system/vmclock.hpp"

namespace skewguard {
namespace {

using engine::Engine;
using guard::action::Finish;
using runtime::Handover;
using runtime::Running;

// How long a blocking caller waits beyond its deadline for the loop to report that it has passed.
constexpr Duration kGrace = std::chrono::seconds{1};

Error shutting_down() {
  return Error{ErrorKind::cancelled, "the client is shutting down", ""};
}

Error overdue() {
  return Error{ErrorKind::timeout, "the deadline passed and the control loop did not answer",
               "check that no hook blocks it, that the user's loop runs, and that the machine is "
               "not overloaded"};
}

Error would_wait_for_itself() {
  return Error{ErrorKind::config, "a blocking call from within the client's own loop",
               "use the asynchronous calls in hooks and handlers"};
}

Error not_started(const std::string& why) {
  return Error{ErrorKind::unavailable, "the call could not be started: " + why, kCheckLimits};
}

/// The error for the current exception.
Error not_started() noexcept {
  try {
    try {
      throw;
    } catch (const std::exception& e) {
      return not_started(e.what());
    } catch (...) {
      return not_started("an unknown exception");
    }
  } catch (...) {
    return Error{ErrorKind::unavailable, "out of memory", ""};  // short: it needs none
  }
}

// No exception crosses the public API, even without threads, sockets or memory.
template <typename F>
auto without_exceptions(const F& run) -> decltype(run()) {
  try {
    return run();
  } catch (...) {
    return not_started();
  }
}

/// A handler that throws affects only its user. `what` returns the result.
template <typename Handler, typename What>
void tell(const Handler& handler, const What& what) noexcept {
  try {
    handler(what());
  } catch (...) {
    return;
  }
}

/// The same for a function with a handler: if no loop could be started, the handler is called at
/// once.
template <typename Handler, typename F>
Operation or_told(const Handler& handler, const F& launch) {
  try {
    return launch();
  } catch (...) {
    tell(handler, [] { return not_started(); });
    return {};
  }
}

Result<Response> outcome(Finish finished) {
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

Request request_of(const GuardOptions& options) {
  Request request;
  request.method = options.method.empty() ? "POST" : options.method;  // whose retry is not safe
  request.path = options.path;
  request.timeout = options.timeout;
  return request;
}

Bearer bearer_of(const HttpRequest& request, Instant deadline) {
  const std::string_view authorization = request.authorization.reveal();
  return {std::string(authorization.substr(oauth::kBearerScheme.size())),
          std::string(authorization), deadline};
}

/// `what` may repeat the token.
SendResult threw(std::string_view what, std::string_view token) {
  std::string detail = "the send function threw";
  if (!what.empty())
    detail.append(": ").append(oauth::withhold(oauth::visible(what, 200), {token}));
  return TransportFailure{TransportFailure::Kind::cancelled, std::move(detail), true};
}

void wipe(Bearer& bearer) {
  Secret::wipe(bearer.token);
  Secret::wipe(bearer.authorization);
}

/// Fills in what the user's stack left out: wider than what it could have measured, but correct.
void fill_in(SendResult& result, const Now& before, const Now& after) {
  auto* exchange = std::get_if<Exchange>(&result);
  if (exchange == nullptr) return;
  if (exchange->status < 100 || exchange->status > 999) {  // as one that was left out has it
    result =
        TransportFailure{TransportFailure::Kind::malformed,
                         "the send function gave the status " + std::to_string(exchange->status) +
                             ", which is not an HTTP status",
                         true};
    return;
  }
  if (exchange->sent.boot == Instant{}) exchange->sent = before;
  if (exchange->received.boot == Instant{}) exchange->received = after;
}

Result<std::vector<Secret>> secrets_of_environment() {
  auto settings = settings::load({}, settings::process_surroundings(), settings::Need::identity);
  if (!settings) return std::move(settings).error();
  return std::move(settings->client.client_secrets);
}

}  // namespace

class Client::Impl {
 public:
  Impl(ClientOptions options, Hooks hooks, Dependencies dependencies)
      : grants_(oauth::client_credentials(options, std::exchange(options.client_secrets, {}))),
        options_(std::move(options)),
        hooks_(std::move(hooks)),
        dependencies_(std::move(dependencies)) {
    if (!dependencies_.clock) dependencies_.clock = std::make_shared<system::SystemClocks>();
    if (!dependencies_.disruptions) dependencies_.disruptions = system::VmClock::open();
  }
  ~Impl() {
    if (running_) running_->end();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Result<Response> call(const Request& request) {
    const auto running = start();
    if (running->inside()) return would_wait_for_itself();
    const Duration timeout = time_for(request);
    auto handover = std::make_shared<Handover<Finish>>();
    launch(running, request, timeout, [handover](Finish done) { handover->put(std::move(done)); });
    auto finished = handover->wait(running->executor(), timeout + kGrace);
    if (!finished) return overdue();
    return outcome(std::move(*finished));
  }

  Result<BearerToken> token(const TokenRequestOptions& wanted) {
    const auto running = start();
    if (running->inside()) return would_wait_for_itself();
    auto handover = std::make_shared<Handover<Result<BearerToken>>>();
    launch_token(running, wanted,
                 [handover](Result<BearerToken> done) { handover->put(std::move(done)); });
    auto result = handover->wait(running->executor(), options_.timeout + kGrace);
    if (!result) return overdue();
    return std::move(*result);
  }

  Result<Response> guard(const std::function<SendResult(const Bearer&)>& send,
                         const GuardOptions& options) {
    const auto running = start();
    if (running->inside()) return would_wait_for_itself();
    const Request request = request_of(options);
    const Duration timeout = time_for(request);
    auto handover = std::make_shared<Handover<std::variant<Finish, Sending>>>();
    launch(
        running, request, timeout, [handover](Finish done) { handover->put(std::move(done)); },
        [handover](const HttpRequest& to_send, Instant deadline, Transport::Handler answer) {
          handover->put(Sending{bearer_of(to_send, deadline), std::move(answer)});
        });
    // Shared ownership from here on: the client may be destroyed while `send` runs.
    const auto clock = dependencies_.clock;
    const Instant end = clock->boot_now() + timeout + kGrace;
    const auto left = [&] { return std::max(end - clock->boot_now(), Duration{0}); };
    while (auto event = handover->wait(running->executor(), left())) {
      if (auto* finished = std::get_if<Finish>(&*event)) return outcome(std::move(*finished));
      auto& sending = std::get<Sending>(*event);
      sending.answer(sent_by(send, sending.bearer, *clock));
      wipe(sending.bearer);
    }
    return overdue();
  }

  Operation async_call(const Request& request, ResponseHandler handler) {
    return launch(start(), request, time_for(request), telling(std::move(handler)));
  }

  Operation async_token(const TokenRequestOptions& wanted, TokenHandler handler) {
    return launch_token(start(), wanted, [handler = std::move(handler)](Result<BearerToken> done) {
      tell(handler, [&] { return std::move(done); });
    });
  }

  Operation async_guard(Sender sender, const GuardOptions& options, ResponseHandler handler) {
    const auto running = start();
    const Request request = request_of(options);
    return launch(
        running, request, time_for(request), telling(std::move(handler)),
        [clock = dependencies_.clock, weak = std::weak_ptr(running), sender = std::move(sender)](
            const HttpRequest& to_send, Instant deadline, const Transport::Handler& answer) {
          const Now before = clock->now();
          const auto answered = [weak, before, answer](SendResult result) {
            const auto alive = weak.lock();
            if (!alive) return;  // the client has gone, and its loop perhaps too
            try {
              fill_in(result, before, alive->now());
              answer(std::move(result));
            } catch (...) {  // no memory: the deadline ends the call
              return;
            }
          };
          const auto token = to_send.authorization.reveal().substr(oauth::kBearerScheme.size());
          try {
            sender(bearer_of(to_send, deadline), answered);
          } catch (const std::exception& error) {
            answered(threw(error.what(), token));
          } catch (...) {
            answered(threw("", token));
          }
        });
  }

  Result<void> reload(std::vector<Secret> secrets) {
    if (auto checked = runtime::check_new_secrets(secrets); !checked) return checked;
    auto grants = oauth::client_credentials(options_, std::move(secrets));
    {
      const std::lock_guard lock(mutex_);
      grants_ = grants;
    }
    start()->on_loop([grants = std::move(grants)](Engine* engine) {
      if (engine != nullptr) engine->renew(grants);
    });
    return {};
  }
  Result<void> reload() {
    if (!reread_) {
      return Error{ErrorKind::config, "the secrets of this client were handed in",
                   "hand the new ones in as well"};
    }
    auto secrets = reread_();
    if (!secrets) return std::move(secrets).error();
    if (secrets->empty()) return {};  // a public client, or a token that was given
    return reload(*std::move(secrets));
  }
  /// Where reload() gets its secrets.
  void reread_by(std::function<Result<std::vector<Secret>>()> how) { reread_ = std::move(how); }

  const Lease* lease(Instant now) noexcept { return publication_->read(now); }
  Instant now() const { return dependencies_.clock->boot_now(); }
  Now read_clocks() const { return dependencies_.clock->now(); }
  [[nodiscard]] const ClientOptions& options() const noexcept { return options_; }

 private:
  /// The loop asks the caller's thread to send.
  struct Sending {
    Bearer bearer;
    Transport::Handler answer;
  };
  /// Reaches the running client, if there is one, from a reader's thread.
  struct Slot {
    ForkMutex mutex;
    std::weak_ptr<Running> running;
  };

  static Engine::CallHandler telling(ResponseHandler handler) {
    return [handler = std::move(handler)](Finish done) {
      tell(handler, [&] { return outcome(std::move(done)); });
    };
  }

  Duration time_for(const Request& request) const {
    return std::clamp(request.timeout.value_or(options_.timeout), Duration{0},
                      settings::kLongestTimeout);
  }

  static SendResult sent_by(const std::function<SendResult(const Bearer&)>& send,
                            const Bearer& bearer, ClockSource& clock) {
    const Now before = clock.now();
    try {
      SendResult result = send(bearer);
      fill_in(result, before, clock.now());
      return result;
    } catch (const std::exception& error) {
      return threw(error.what(), bearer.token);
    } catch (...) {
      return threw("", bearer.token);
    }
  }

  Operation launch(const std::shared_ptr<Running>& running, const Request& request,
                   Duration timeout, Engine::CallHandler handler, Engine::OwnSender sender = {}) {
    auto id = std::make_shared<Engine::CallId>(0);
    // Created first: once the loop has the handler, nothing may fail.
    auto under_way = operation(running, [id](Engine& engine) { engine.cancel(*id); });
    running->on_loop([id, request, deadline = now() + timeout, handler = std::move(handler),
                      sender = std::move(sender)](Engine* engine) {
      if (engine == nullptr) return handler({nullptr, shutting_down(), {}});
      try {
        *id = engine->call(request, deadline, handler, sender);
      } catch (...) {
        handler({nullptr, not_started(), {}});
      }
    });
    return under_way;
  }

  Operation launch_token(const std::shared_ptr<Running>& running, const TokenRequestOptions& wanted,
                         TokenHandler handler) {
    auto id = std::make_shared<Engine::TokenId>(0);
    auto under_way = operation(running, [id](Engine& engine) { engine.cancel_token(*id); });
    running->on_loop([id, wanted, deadline = now() + options_.timeout,
                      handler = std::move(handler)](Engine* engine) {
      if (engine == nullptr) return handler(shutting_down());
      try {
        *id = engine->token(wanted, deadline, handler);
      } catch (...) {
        handler(not_started());
      }
    });
    return under_way;
  }

  /// Keeps nothing alive: its holder may outlive the client and its loop.
  static Operation operation(const std::shared_ptr<Running>& running,
                             std::function<void(Engine&)> cancel) {
    return Operation([weak = std::weak_ptr(running), cancel = std::move(cancel)] {
      const auto alive = weak.lock();
      if (!alive) return;
      try {
        alive->on_loop([cancel](Engine* engine) {
          if (engine != nullptr) cancel(*engine);
        });
      } catch (...) {  // no memory: the operation goes on
        return;
      }
    });
  }

  std::shared_ptr<Running> start() {
    const std::lock_guard lock(mutex_);
    if (running_ && running_->of_another_process()) {
      running_->abandon();
      running_.reset();
    }
    if (running_) return running_;
    running_ = Running::start(options_, grants_, hooks_, dependencies_, publication_);
    const std::lock_guard slot_lock(slot_->mutex);
    slot_->running = running_;
    return running_;
  }

  static std::shared_ptr<runtime::Publication> publication_for(const std::shared_ptr<Slot>& slot) {
    return std::make_shared<runtime::Publication>([slot] {
      std::shared_ptr<Running> running;
      {
        const std::lock_guard lock(slot->mutex);
        running = slot->running.lock();
      }
      if (!running) return;
      running->on_loop([](Engine* engine) {
        if (engine != nullptr) engine->note_use();
      });
    });
  }

  oauth::Grants grants_;   // shared with the engine: they alone hold the client's secrets
  ClientOptions options_;  // without them
  Hooks hooks_;
  Dependencies dependencies_;
  std::function<Result<std::vector<Secret>>()> reread_;
  ForkMutex mutex_;  // over running_ and grants_
  std::shared_ptr<Running> running_;
  std::shared_ptr<Slot> slot_ = std::make_shared<Slot>();
  std::shared_ptr<runtime::Publication> publication_ = publication_for(slot_);
};

Result<Client> Client::from_environment(
    Hooks hooks, const std::function<Dependencies(const ClientOptions& options)>& own) {
  return without_exceptions([&]() -> Result<Client> {
    auto settings = settings::load({}, settings::process_surroundings(), settings::Need::identity);
    if (!settings) return settings.error();
    Dependencies dependencies = own ? own(settings->client) : Dependencies{};
    if (!dependencies.store) {
      auto store =
          runtime::make_store(settings->token_store, settings::process_surroundings().environment);
      if (!store) return std::move(store).error();
      dependencies.store = *std::move(store);
    }
    for (const std::string& warning : settings->warnings)
      if (hooks.log) hooks.log({LogLevel::warn, warning});
    if (!settings->client_secret_file.empty() && !dependencies.fresh_secrets) {
      dependencies.fresh_secrets = [file = runtime::SecretFile(settings->client_secret_file,
                                                               secrets_of_environment)]() mutable {
        return file.look();
      };
    }
    if (!settings->alert_command.empty()) {
      hooks.on_resolved = [alert = runtime::alerts_to(settings->alert_command),
                           own = std::move(hooks.on_resolved)](const CallReport& report) {
        alert(report);
        if (own) own(report);
      };
    }
    auto client = make(std::move(settings->client), std::move(hooks), std::move(dependencies));
    if (client) client->impl_->reread_by(secrets_of_environment);
    return client;
  });
}

Result<Client> Client::make(ClientOptions options, Hooks hooks, Dependencies dependencies) {
  return without_exceptions([&]() -> Result<Client> {
    if (auto checked = runtime::check_options(options); !checked) return checked.error();
    if (dependencies.executor && !dependencies.transport) {
      return Error{ErrorKind::config, "the user's own loop needs a transport that runs on it",
                   "for Asio see make_client() in skewguard/asio.hpp"};
    }
    return Client(
        std::make_unique<Impl>(std::move(options), std::move(hooks), std::move(dependencies)));
  });
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
Result<Response> Client::guard(const std::function<SendResult(const Bearer&)>& send,
                               GuardOptions options) {
  return without_exceptions([&] { return impl_->guard(send, options); });
}
Operation Client::async_call(Request request, ResponseHandler handler) {
  return or_told(handler, [&] { return impl_->async_call(request, handler); });
}
Operation Client::async_token(TokenRequestOptions options, TokenHandler handler) {
  return or_told(handler, [&] { return impl_->async_token(options, handler); });
}
Operation Client::async_guard(Sender sender, GuardOptions options, ResponseHandler handler) {
  return or_told(handler, [&] { return impl_->async_guard(std::move(sender), options, handler); });
}
Result<void> Client::reload(std::vector<Secret> secrets) {
  return without_exceptions([&] { return impl_->reload(std::move(secrets)); });
}
Result<void> Client::reload() {
  return without_exceptions([&] { return impl_->reload(); });
}
const Lease* Client::lease(Instant now) noexcept {
  return impl_->lease(now);
}
Instant Client::now() const noexcept {
  return impl_->now();
}
Now Client::read_clocks() const noexcept {
  return impl_->read_clocks();
}
const ClientOptions& Client::options() const noexcept {
  return impl_->options();
}

}  // namespace skewguard
