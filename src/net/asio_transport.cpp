#include "net/asio_transport.hpp"

#include <boost/asio/post.hpp>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "http/url.hpp"
#include "net/admission.hpp"
#include "net/request_head.hpp"
#include "net/send_operation.hpp"

namespace skewguard::net {

namespace asio = boost::asio;
using Kind = TransportFailure::Kind;

class AsioTransport::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(const Loop& io, ClockSource& clock, TlsOptions tls, const PoolOptions& pool, Edges edges,
       const ProxyOptions& proxy, Log log)
      : dialer_(io, clock, std::move(tls), pool, std::move(edges), ProxyRule::make(proxy),
                std::move(log)),
        admission_(pool.most_connections) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    for (const auto& [ticket, operation] : operations_) operation->abandon();
  }

  Ticket send(std::shared_ptr<BodySink> sink, HttpRequest request, const SendOptions& options,
              Handler handler) {
    const Ticket ticket = ++last_ticket_;
    auto url = http::parse_url(request.url);
    if (!url) return reject(ticket, url.error().message, handler);
    if (auto reason = why_invalid(request)) return reject(ticket, *reason, handler);
    auto route = dialer_.route_to(*url);
    if (!route) return reject(ticket, route.error().message, handler);
    auto operation = std::make_shared<SendOperation>(
        dialer_, std::move(request), *std::move(route), options, std::move(sink),
        [this, ticket, handler = std::move(handler)](SendResult result) {
          ended(ticket);
          answer(handler, std::move(result));
        });
    operations_.emplace(ticket, operation);
    const bool its_turn = admission_.enter(operation->url().origin(), ticket);
    operation->wait_for_turn();
    if (its_turn) operation->start();
    return ticket;
  }

  void cancel(Ticket ticket) {
    const auto found = operations_.find(ticket);
    if (found == operations_.end()) return;
    const auto operation = found->second;
    operation->fail(Kind::cancelled, "the request was cancelled");
  }

 private:
  Ticket reject(Ticket ticket, std::string reason, const Handler& handler) {
    TransportFailure failure;
    failure.kind = Kind::bad_request;
    failure.detail = std::move(reason);
    answer(handler, std::move(failure));
    return ticket;
  }

  /// From the loop, and only while the transport is there.
  void answer(const Handler& handler, SendResult result) {
    asio::post(dialer_.io().executor,
               [weak = weak_from_this(), handler, result = std::move(result)]() mutable {
                 if (const auto self = weak.lock()) handler(std::move(result));
               });
  }

  void ended(Ticket ticket) {
    const auto node = operations_.extract(ticket);
    const auto origin = node.mapped()->url().origin();
    if (admission_.withdraw(origin, ticket)) return;
    const auto next = admission_.leave(origin);
    if (!next) return;
    asio::post(dialer_.io().executor, [this, weak = weak_from_this(), ticket = *next] {
      const auto self = weak.lock();
      if (!self) return;
      const auto found = operations_.find(ticket);
      if (found == operations_.end()) return;  // it ended meanwhile, and left as one that was in
      const auto operation = found->second;
      operation->start();
    });
  }

  Dialer dialer_;
  Admission admission_;
  std::map<Ticket, std::shared_ptr<SendOperation>> operations_;
  Ticket last_ticket_ = 0;
};

AsioTransport::AsioTransport(const Loop& io, ClockSource& clock, TlsOptions tls, PoolOptions pool,
                             Edges edges, const ProxyOptions& proxy, Log log)
    : impl_(std::make_shared<Impl>(io, clock, std::move(tls), pool, std::move(edges), proxy,
                                   std::move(log))) {}
AsioTransport::~AsioTransport() = default;

Transport::Ticket AsioTransport::send(HttpRequest request, const SendOptions& options,
                                      Handler handler) {
  return impl_->send(nullptr, std::move(request), options, std::move(handler));
}

Transport::Ticket AsioTransport::send_into(std::shared_ptr<BodySink> sink, HttpRequest request,
                                           const SendOptions& options, Handler handler) {
  return impl_->send(std::move(sink), std::move(request), options, std::move(handler));
}

void AsioTransport::cancel(Ticket ticket) {
  impl_->cancel(ticket);
}

}  // namespace skewguard::net
