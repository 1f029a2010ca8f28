#include "proxy/upstream_pool.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace skewguard::proxy {
namespace {

constexpr Duration kIdleTime = net::PoolOptions{}.idle_timeout;
constexpr std::chrono::seconds kDialTime{10};

}  // namespace

UpstreamPool::UpstreamPool(net::Dialer& dialer, const http::Url& api)
    : dialer_(dialer), route_(dialer.route_to(api)) {}

UpstreamPool::~UpstreamPool() {
  for (const auto& [ticket, dial] : dials_) dial->cancel();
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
  const Instant now = dialer_.clock().boot_now();
  std::erase_if(idle_, [now](const Idle& idle) {
    return now - idle.since >= kIdleTime || !idle.upstream->at_rest();
  });
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
  boost::asio::post(dialer_.io().executor, [this] {
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
  if (!route_) {
    return waiting.handler(
        TransportFailure{TransportFailure::Kind::bad_request, route_.error().message});
  }
  ++in_use_;
  if (auto idle = waiting.fresh ? nullptr : newest_idle()) return waiting.handler(std::move(idle));
  const Ticket ticket = waiting.ticket;
  dials_[ticket] =
      dialer_.dial(*route_, {.deadline = dialer_.clock().boot_now() + kDialTime},
                   [this, ticket, handler = std::move(waiting.handler)](net::Dial::Answer answer) {
                     dialed(ticket, handler, std::move(answer));
                   });
}

void UpstreamPool::dialed(Ticket ticket, const Handler& handler, net::Dial::Answer answer) {
  const auto kept = dials_.extract(ticket);
  if (auto* failure = std::get_if<TransportFailure>(&answer)) {
    --in_use_;
    start_soon();
    return handler(std::move(*failure));
  }
  handler(
      std::make_unique<Upstream>(std::get<net::Connection>(std::move(answer)), dialer_.clock()));
}

void UpstreamPool::cancel(Ticket ticket) {
  std::erase_if(waiting_, [ticket](const Waiting& waiting) { return waiting.ticket == ticket; });
  const auto dial = dials_.extract(ticket);
  if (dial.empty()) return;
  dial.mapped()->cancel();
  --in_use_;
  start_soon();
}

void UpstreamPool::release(std::unique_ptr<Upstream> upstream, bool reusable) {
  --in_use_;
  if (upstream->busy()) {
    upstream->close_for(*this);
    closing_.push_back(std::move(upstream));
  } else if (reusable) {
    idle_.push_back({std::move(upstream), dialer_.clock().boot_now()});
  }
  start_soon();
}

void UpstreamPool::upstream_wrote(bool /*failed*/) {
  forget_closed();
}

void UpstreamPool::upstream_read(Upstream::Came /*what*/) {
  forget_closed();
}

void UpstreamPool::forget_closed() {
  std::erase_if(closing_, [](const auto& upstream) { return !upstream->busy(); });
}

}  // namespace skewguard::proxy
