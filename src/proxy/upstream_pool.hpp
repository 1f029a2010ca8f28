#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <variant>
#include <vector>

#include "http/url.hpp"
#include "net/dialer.hpp"
#include "proxy/upstream.hpp"

namespace skewguard::proxy {

/// A worker's connections to the API. For its thread.
class UpstreamPool final : private Upstream::User {
 public:
  /// Others wait, in order. Clients that read slowly keep theirs for long.
  static constexpr std::size_t kMaxInUse = 256;
  using Ticket = std::uint64_t;  ///< names one that waits; never 0
  using Answer = std::variant<std::unique_ptr<Upstream>, TransportFailure>;
  using Handler = std::function<void(Answer)>;

  /// `dialer` must outlive it.
  UpstreamPool(net::Dialer& dialer, const http::Url& api);
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
  /// Ends the use of a connection. Not reusable, or busy: it is closed.
  void release(std::unique_ptr<Upstream> upstream, bool reusable);
  /// All are taken: the next has to wait until another ends.
  [[nodiscard]] bool full() const noexcept { return in_use_ + waiting_.size() >= kMaxInUse; }
  /// Closes those that have been idle for too long, and those that the API has closed.
  void drop_stale();
  [[nodiscard]] bool has_idle() const noexcept { return !idle_.empty(); }

 private:
  struct Idle {
    std::unique_ptr<Upstream> upstream;
    Instant since;
  };
  struct Waiting {
    Ticket ticket;
    bool fresh;
    Handler handler;
  };
  void upstream_wrote(bool failed) override;
  void upstream_read(Upstream::Came what) override;
  void forget_closed();
  std::unique_ptr<Upstream> newest_idle();
  void start(Waiting waiting);
  void start_soon();
  void start_waiting();
  void dialed(Ticket ticket, const Handler& handler, net::Dial::Answer answer);

  net::Dialer& dialer_;
  const Result<net::Route> route_;
  std::vector<Idle> idle_;                          // the oldest first
  std::vector<std::unique_ptr<Upstream>> closing_;  // until their operations have ended
  std::size_t in_use_ = 0;                          // or being made
  std::deque<Waiting> waiting_;
  bool starting_ = false;  // start_waiting() is on its way
  std::unordered_map<Ticket, std::shared_ptr<net::Dial>> dials_;
  Ticket last_ = 0;
};

}  // namespace skewguard::proxy
