#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "proxy/api_dialer.hpp"
#include "proxy/upstream.hpp"

namespace skewguard::proxy {

/// A worker's connections to the API. For its thread.
class UpstreamPool {
 public:
  /// Others wait, in order. Clients that read slowly keep theirs for long.
  static constexpr std::size_t kMaxInUse = 256;
  using Ticket = std::uint64_t;  ///< names one that waits; never 0
  using Answer = std::variant<std::unique_ptr<Upstream>, TransportFailure>;
  using Handler = std::function<void(Answer)>;

  /// All must outlive it, and `loop` call nothing more once it has ended.
  UpstreamPool(EventLoop& loop, ApiDialer& dialer, ClockSource& clocks)
      : loop_(loop), dialer_(dialer), clocks_(clocks) {}
  ~UpstreamPool();
  UpstreamPool(const UpstreamPool&) = delete;
  UpstreamPool& operator=(const UpstreamPool&) = delete;

  /// An idle connection, at once; null = there is none to be had.
  std::unique_ptr<Upstream> take_idle();
  /// An idle connection or a new one; `fresh`: only a new one will do. It fails if that cannot be
  /// made within 10 s, but waits for as long as it takes until it is its turn. The handler is
  /// called once, never from within this call.
  Ticket connect(bool fresh, Handler handler);
  /// The handler is not called any more; unknown tickets are ignored.
  void cancel(Ticket ticket);
  /// Ends the use of a connection. Not reusable: it is closed. `kept`: for how long the API keeps
  /// it while it is idle, if that is known.
  void release(std::unique_ptr<Upstream> upstream, bool reusable,
               std::optional<Duration> kept = std::nullopt);
  /// All are taken: the next has to wait until another ends.
  [[nodiscard]] bool full() const noexcept { return in_use_ + waiting_.size() >= kMaxInUse; }
  /// Closes those that have been idle for too long, and those that the API has closed.
  void drop_stale();
  [[nodiscard]] bool has_idle() const noexcept { return !idle_.empty(); }

 private:
  struct Idle {
    std::unique_ptr<Upstream> upstream;
    Instant until;  ///< drop_stale() closes it then
  };
  struct Waiting {
    Ticket ticket;
    bool fresh;
    Handler handler;
  };
  struct BeingMade {
    ApiDialer::Ticket dial;
    Handler handler;
  };
  std::unique_ptr<Upstream> newest_idle();
  void start(Waiting waiting);
  void start_soon();
  void start_waiting();
  void dialed(Ticket ticket, ApiDialer::Answer answer);

  EventLoop& loop_;
  ApiDialer& dialer_;
  ClockSource& clocks_;
  std::vector<Idle> idle_;  // the oldest first
  std::size_t in_use_ = 0;  // or being made
  std::deque<Waiting> waiting_;
  bool starting_ = false;  // start_waiting() is on its way
  std::unordered_map<Ticket, BeingMade> being_made_;
  Ticket last_ = 0;
};

}  // namespace skewguard::proxy
