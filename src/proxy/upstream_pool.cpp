#include "proxy/upstream_pool.hpp"

#include <boost/asio/post.hpp>
#include <string>
#include <utility>

namespace skewguard::proxy {
namespace {

const std::string kApi = "api";  // the key of idle connections, which all lead there

}  // namespace

UpstreamPool::UpstreamPool(net::Dialer& dialer, const http::Url& api)
    : dialer_(dialer), route_(dialer.route_to(api)), idle_({.most_idle = kMaxInUse}) {}

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

/// One that the API has not closed meanwhile.
std::unique_ptr<Upstream> UpstreamPool::newest_idle() {
  for (std::size_t looks = 0; looks < net::Dialer::kMaxLooks; ++looks) {
    auto idle = idle_.take(kApi, dialer_.clock().boot_now());
    if (!idle) return nullptr;
    if ((*idle)->at_rest()) return *std::move(idle);
  }
  return nullptr;
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
    if (begun_.erase(ticket) == 0) return;  // cancelled: an idle one is closed
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
  if (upstream->busy()) {
    upstream->hand_over(*this);
    upstream->close();
    closing_.push_back(std::move(upstream));
  } else if (reusable) {
    idle_.put(kApi, std::move(upstream), dialer_.clock().boot_now());
  }
  start_next();
}

void UpstreamPool::upstream_wrote(bool /*failed*/) {
  std::erase_if(closing_, [](const auto& upstream) { return !upstream->busy(); });
}

void UpstreamPool::upstream_read(bool ended) {
  upstream_wrote(ended);
}

}  // namespace skewguard::proxy
