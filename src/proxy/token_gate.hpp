#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "proxy/event_loop.hpp"
#include "proxy/metrics.hpp"
#include "proxy/worker_metrics.hpp"
#include "skewguard/client.hpp"

namespace skewguard::proxy {

/// Whether a request for a token may succeed later although nobody does anything.
constexpr bool may_pass(ErrorKind kind) noexcept {
  return kind == ErrorKind::unavailable || kind == ErrorKind::timeout ||
         kind == ErrorKind::throttled;
}

/// A worker's token, and the requests that wait for it: all of them behind one wait of the worker.
/// Each of them watches its own time. For the worker's thread. Held by std::shared_ptr.
class TokenGate : public std::enable_shared_from_this<TokenGate> {
 public:
  using Ticket = std::uint64_t;  ///< names one that waits; never 0
  /// Gets null once there is a token, otherwise why there will be none. Called once, never from
  /// within wait().
  using Handler = std::function<void(const Error* why_not)>;

  /// At most `max_waiting` wait at once, in the gates of all workers together: `all` counts them,
  /// `metrics` is this worker's part. All of them must outlive the loop's last function.
  TokenGate(EventLoop& loop, Client& client, const Metrics& all, WorkerMetrics& metrics,
            std::size_t max_waiting);

  /// The token that may be sent now; null = there is none. Valid until the next call.
  [[nodiscard]] const Lease* lease(Instant now) noexcept { return reader_.lease(now); }
  /// Empty: too many wait already.
  std::optional<Ticket> wait(Handler handler);
  /// Its handler is not called any more; unknown tickets are ignored.
  void leave(Ticket ticket);
  /// Time has passed: asks again after a failure, and looks when there may be a token. To be called
  /// a few times a second.
  void tick();
  /// The time until there may be a token, as far as it is known while requests wait.
  [[nodiscard]] std::optional<Duration> next_token_in() const;
  /// Why there is no token yet: the last failure since there was one.
  [[nodiscard]] const std::optional<Error>& last_failure() const noexcept { return last_failure_; }

 private:
  void ask();
  void answered(const Result<std::uint64_t>& result);
  void tell_all(const Error* why_not);
  void look_ahead();

  EventLoop& loop_;
  Client& client_;
  const Metrics& all_;
  WorkerMetrics& metrics_;
  const std::int64_t max_waiting_;
  LeaseReader reader_;
  std::map<Ticket, Handler> waiting_;  // in the order of arrival
  Ticket last_ = 0;
  bool asking_ = false;                 // a wait for a token is under way
  Instant ask_after_ = Instant::min();  // the next
  std::optional<Instant> next_token_;
  Instant look_after_ = Instant::min();  // for next_token_
  std::optional<Error> last_failure_;
};

}  // namespace skewguard::proxy
