#include "proxy/upstream_pool.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "net/options.hpp"

namespace skewguard::proxy {
namespace {

constexpr Duration kIdleTime = net::PoolOptions{}.idle_timeout;
/// So much earlier than the API this side closes a connection, or after half of a short time:
/// drop_stale() comes late, and a request takes time to arrive.
constexpr std::chrono::seconds kAhead{1};

Duration our_idle_time(const std::optional<Duration>& kept) {
  if (!kept) return kIdleTime;
  return std::min(kIdleTime, *kept - std::min<Duration>(kAhead, *kept / 2));
}

}  // namespace

UpstreamPool::~UpstreamPool() {
  for (const auto& [ticket, one] : being_made_) dialer_.cancel(one.dial);
}

std::unique_ptr<Upstream> UpstreamPool::take_idle() {
  if (in_use_ >= kMaxInUse || !waiting_.empty()) return nullptr;  // others are first
  auto idle = newest_idle();
  if (idle) ++in_use_;
  return idle;
}

/// One that the API has not closed meanwhile: the newest, so that the others can expire.
std::unique_ptr<Upstream> UpstreamPool::newest_idle() {
  while (!idle_.empty()) {
    auto newest = std::move(idle_.back().upstream);
    idle_.pop_back();
    if (newest->at_rest()) return newest;
  }
  return nullptr;
}

void UpstreamPool::drop_stale() {
  const Instant now = clocks_.boot_now();
  std::erase_if(idle_,
                [now](const Idle& idle) { return now >= idle.until || !idle.upstream->at_rest(); });
}

UpstreamPool::Ticket UpstreamPool::connect(bool fresh, Handler handler) {
  waiting_.push_back({++last_, fresh, std::move(handler)});
  start_soon();
  return last_;
}

/// Not from within what its users call.
void UpstreamPool::start_soon() {
  if (starting_ || waiting_.empty() || in_use_ >= kMaxInUse) return;
  starting_ = true;
  loop_.post([this] {
    starting_ = false;
    start_waiting();
  });
}

void UpstreamPool::start_waiting() {
  while (!waiting_.empty() && in_use_ < kMaxInUse) {
    Waiting next = std::move(waiting_.front());
    waiting_.pop_front();
    start(std::move(next));
  }
}

void UpstreamPool::start(Waiting waiting) {
  ++in_use_;
  if (auto idle = waiting.fresh ? nullptr : newest_idle()) return waiting.handler(std::move(idle));
  const Ticket ticket = waiting.ticket;
  const auto dial = dialer_.dial(
      loop_, [this, ticket](ApiDialer::Answer answer) { dialed(ticket, std::move(answer)); });
  being_made_[ticket] = {dial, std::move(waiting.handler)};
}

void UpstreamPool::dialed(Ticket ticket, ApiDialer::Answer answer) {
  const auto made = being_made_.extract(ticket);
  if (made.empty()) return;  // it has been cancelled
  const Handler& handler = made.mapped().handler;
  if (auto* failure = std::get_if<TransportFailure>(&answer)) {
    --in_use_;
    start_soon();
    return handler(std::move(*failure));
  }
  handler(std::make_unique<Upstream>(loop_, std::get<Dialed>(std::move(answer)), clocks_));
}

void UpstreamPool::cancel(Ticket ticket) {
  std::erase_if(waiting_, [ticket](const Waiting& waiting) { return waiting.ticket == ticket; });
  const auto made = being_made_.extract(ticket);
  if (made.empty()) return;
  dialer_.cancel(made.mapped().dial);
  --in_use_;
  start_soon();
}

void UpstreamPool::release(std::unique_ptr<Upstream> upstream, bool reusable,
                           std::optional<Duration> kept) {
  --in_use_;
  upstream->rest();
  const Duration idle_time = our_idle_time(kept);
  if (reusable && idle_time > Duration{0})
    idle_.push_back({std::move(upstream), clocks_.boot_now() + idle_time});
  start_soon();
}

}  // namespace skewguard::proxy
