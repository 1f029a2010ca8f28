#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/fork_mutex.hpp"
#include "guard/call_machine.hpp"
#include "oauth/grant.hpp"
#include "runtime/observations.hpp"
#include "runtime/publication.hpp"
#include "runtime/running.hpp"
#include "skewguard/client.hpp"

namespace skewguard {

namespace runtime {

/// How long a blocking caller waits beyond its deadline for the loop to report that it has passed.
constexpr Duration kGrace = std::chrono::seconds{1};

/// How a call ended, for its caller.
Result<Response> outcome(guard::action::Finish finished);
/// Passes that to the user's handler.
engine::Engine::CallHandler passing_outcome(Client::ResponseHandler handler);

}  // namespace runtime

/// What is behind a Client: its options, and the running client that the first call starts. Its
/// functions may throw where Client's return an error. Thread-safe.
class [[gnu::visibility("hidden")]] Client::Impl {
 public:
  Impl(ClientOptions options, Hooks hooks, Dependencies dependencies);
  ~Impl();
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  // client_calls.cpp
  Result<Response> call(const Request& request);
  Result<BearerToken> token(const TokenRequestOptions& wanted);
  Operation async_call(const Request& request, ResponseHandler handler);
  Operation async_token(const TokenRequestOptions& wanted, TokenHandler handler);

  // client_guard.cpp
  Result<Response> guard(const std::function<SendResult(const Bearer&)>& send,
                         const GuardOptions& options);
  Operation async_guard(Sender sender, const GuardOptions& options, ResponseHandler handler);

  // client_leases.cpp
  const Lease* lease(Instant now) noexcept { return publication_->read(now); }
  [[nodiscard]] LeaseReader reader() const noexcept { return LeaseReader(publication_); }
  Observed observe(std::uint64_t generation, const AnswerHead& head) noexcept {
    return observations_->observe(generation, head);
  }
  Result<std::uint64_t> await_lease(std::uint64_t after, std::optional<Duration> timeout);
  Operation async_await_lease(std::uint64_t after, std::optional<Duration> timeout,
                              LeaseHandler handler);

  Result<ClientStatus> status();
  void async_status(StatusHandler handler);

  Result<void> reload(std::vector<Secret> secrets);
  Result<void> reload();
  /// Where reload() gets its secrets.
  void reread_by(std::function<Result<std::vector<Secret>>()> how) { reread_ = std::move(how); }

  Instant now() const { return dependencies_.clock->boot_now(); }
  Now read_clocks() const { return dependencies_.clock->now(); }
  [[nodiscard]] const ClientOptions& options() const noexcept { return options_; }

 private:
  /// Reaches the running client, if there is one, from a reader's thread.
  struct Slot {
    ForkMutex mutex;
    std::weak_ptr<runtime::Running> running;

    /// Runs `what` on the loop, unless the client has ended or has not started.
    void on_loop(std::function<void(engine::Engine*)> what);
  };

  /// The running client; started here if there is none, and anew in a forked process.
  std::shared_ptr<runtime::Running> start();
  [[nodiscard]] Duration time_for(std::optional<Duration> timeout) const;
  static std::shared_ptr<runtime::Publication> publication_for(const std::shared_ptr<Slot>& slot);
  static std::shared_ptr<runtime::Observations> observations_for(const std::shared_ptr<Slot>& slot,
                                                                 const std::string& api_url);

  // Shared with the engine: they alone hold the client's secrets, and the token that was given.
  oauth::Grants grants_;
  std::shared_ptr<const Secret> given_token_;
  ClientOptions options_;  // without them
  Hooks hooks_;
  Dependencies dependencies_;
  std::function<Result<std::vector<Secret>>()> reread_;
  ForkMutex mutex_;  // over running_ and grants_
  std::shared_ptr<runtime::Running> running_;
  std::shared_ptr<Slot> slot_ = std::make_shared<Slot>();
  std::shared_ptr<runtime::Publication> publication_ = publication_for(slot_);
  std::shared_ptr<runtime::Observations> observations_ = observations_for(slot_, options_.api_url);
};

}  // namespace skewguard
