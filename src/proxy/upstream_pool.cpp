#include "proxy/upstream_pool.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace skewguard::proxy {
namespace {

/// Just under the 60 s after which common load balancers close idle connections.
constexpr std::chrono::seconds kIdleTime{50};

}  // namespace

UpstreamPool::UpstreamPool(net::Dialer& dialer, const http::Url& api)
    : dialer_(dialer), route_(dialer.route_to(api)) {}

UpstreamPool::~UpstreamPool() {
  for (const auto& [ticket, dial] : begun_) {
    if (dial) dial->cancel();
  }
}

std::unique_ptr<Upstream> UpstreamPool::take_idle() {
  if (in_use_ >= kMaxInUse) return nullptr;
  auto idle = newest_idle();
  if (idle) ++in_use_;
  return idle;
}

/// One that the API has not closed meanwhile: the newest, so that the others can expire.
std::unique_ptr<Upstream> UpstreamPool::newest_idle() {
  while (!idle_.empty()) {
    auto newest = std::move(idle_.back().upstream);
    idle_.pop_back();
    if (newest->rests()) return newest;
  }
  return nullptr;
}

void UpstreamPool::drop_stale() {
  const Instant now = dialer_.clock().boot_now();
  while (!idle_.empty() && now - idle_.front().since >= kIdleTime) {
    close(std::move(idle_.front().upstream));
    idle_.erase(idle_.begin());
  }
}

void UpstreamPool::close(std::unique_ptr<Upstream> upstream) {
  if (!upstream->busy()) return;
  upstream->close_for(*this);
  closing_.push_back(std::move(upstream));
}

UpstreamPool::Ticket UpstreamPool::connect(const Wish& wish, Handler handler) {
  waiting_.push_back({++last_, wish, std::move(handler)});
  start_next();
  return last_;
}

void UpstreamPool::start_next() {
  if (waiting_.empty() || in_use_ >= kMaxInUse) return;
  Waiting next = std::move(waiting_.front());
  waiting_.pop_front();
  start(std::move(next));
}

void UpstreamPool::start(Waiting waiting) {
  ++in_use_;
  if (!route_) {
    return answer_later(
        waiting.ticket, std::move(waiting.handler),
        TransportFailure{TransportFailure::Kind::bad_request, route_.error().message});
  }
  if (auto idle = waiting.wish.fresh ? nullptr : newest_idle())
    return answer_later(waiting.ticket, std::move(waiting.handler), std::move(idle));
  const Ticket ticket = waiting.ticket;
  begun_[ticket] =
      dialer_.dial(*route_, {.deadline = waiting.wish.deadline},
                   [this, ticket, handler = std::move(waiting.handler)](net::Dial::Answer answer) {
                     dialed(ticket, handler, std::move(answer));
                   });
}

void UpstreamPool::answer_later(Ticket ticket, Handler handler, Answer answer) {
  begun_.emplace(ticket, nullptr);
  boost::asio::post(dialer_.io().executor, [this, ticket, handler = std::move(handler),
                                            answer = std::move(answer)]() mutable {
    if (begun_.erase(ticket) == 0) {  // cancelled
      if (auto* idle = std::get_if<std::unique_ptr<Upstream>>(&answer)) close(std::move(*idle));
      return;
    }
    if (std::holds_alternative<TransportFailure>(answer)) --in_use_;
    handler(std::move(answer));
    start_next();
  });
}

void UpstreamPool::dialed(Ticket ticket, const Handler& handler, net::Dial::Answer answer) {
  const auto kept = begun_.extract(ticket);
  if (auto* failure = std::get_if<TransportFailure>(&answer)) {
    --in_use_;
    handler(std::move(*failure));
    return start_next();
  }
  handler(
      std::make_unique<Upstream>(std::get<net::Connection>(std::move(answer)), dialer_.clock()));
}

void UpstreamPool::cancel(Ticket ticket) {
  std::erase_if(waiting_, [ticket](const Waiting& waiting) { return waiting.ticket == ticket; });
  const auto begun = begun_.extract(ticket);
  if (begun.empty()) return;
  if (begun.mapped()) begun.mapped()->cancel();
  --in_use_;
  start_next();
}

void UpstreamPool::release(std::unique_ptr<Upstream> upstream, bool reusable) {
  --in_use_;
  if (reusable && !upstream->writing()) {
    upstream->rest();
    idle_.push_back({std::move(upstream), dialer_.clock().boot_now()});
  } else {
    close(std::move(upstream));
  }
  start_next();
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
