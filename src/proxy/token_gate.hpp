#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "proxy/metrics.hpp"
#include "skewguard/client.hpp"

namespace skewguard::proxy {

/// Whether a request for a token may succeed later although nobody does anything.
constexpr bool may_pass(ErrorKind kind) noexcept {
  return kind == ErrorKind::unavailable || kind == ErrorKind::timeout ||
         kind == ErrorKind::throttled;
}

/// Where a worker's requests wait for a token: all of them behind one request for it. For the
/// worker's thread. Held by std::shared_ptr.
class TokenGate : public std::enable_shared_from_this<TokenGate> {
 public:
  using Ticket = std::uint64_t;  ///< names one that waits; never 0
  /// Gets null once there is a token, otherwise why there is none. Called once, never from within
  /// wait().
  using Handler = std::function<void(const Error* why_not)>;
  struct Limits {
    Duration hold;        ///< the longest wait
    std::size_t waiting;  ///< the most that wait at once
  };

  /// All of them must outlive the io_context's last function.
  TokenGate(boost::asio::io_context& io, Client& client, Metrics& metrics, Limits limits);

  /// The token that may be sent now; null = there is none. Valid until the next call.
  [[nodiscard]] const Lease* lease() { return client_.lease(client_.now()); }
  /// Empty: too many wait already.
  std::optional<Ticket> wait(Handler handler);
  /// Its handler is not called any more; unknown tickets are ignored.
  void leave(Ticket ticket);

 private:
  struct Waiter {
    Instant until;
    Handler handler;
  };
  void ask();
  void answered(const Result<BearerToken>& result);
  void ask_again_later(const Error& why_not);
  void watch();
  void end_overdue();
  void tell_all(const Error* why_not);

  boost::asio::io_context& io_;
  Client& client_;
  Metrics& metrics_;
  const Limits limits_;
  boost::asio::steady_timer overdue_;
  boost::asio::steady_timer pause_;
  std::map<Ticket, Waiter> waiting_;  // in the order of arrival, and so of their ends
  Ticket last_ = 0;
  bool asking_ = false;  // a request for a token is under way, or a pause before the next
  std::optional<Error> last_error_;
};

}  // namespace skewguard::proxy
