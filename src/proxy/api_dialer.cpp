#include "proxy/api_dialer.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace skewguard::proxy {
namespace {

constexpr std::chrono::seconds kDialTime{10};

ApiDialer::Answer answer_of(net::Dial::Answer dialed) {
  if (auto* failure = std::get_if<TransportFailure>(&dialed)) return std::move(*failure);
  const auto connection = std::get<net::Connection>(std::move(dialed));
  auto parts = connection.stream->release();
  if (parts.socket < 0) {
    return TransportFailure{TransportFailure::Kind::unreachable,
                            "the connection to the API cannot be used"};
  }
  return Dialed{Descriptor(parts.socket), std::move(parts.tls), connection.id};
}

}  // namespace

ApiDialer::ApiDialer(boost::asio::io_context& io, ClockSource& clocks, net::TlsOptions tls,
                     Result<net::ProxyRule> proxies, http::Url api, const Log& log)
    : io_(io),
      dialer_(io, clocks, std::move(tls), {}, {}, std::move(proxies), log),
      api_(std::move(api)) {}

ApiDialer::~ApiDialer() {
  for (const auto& [ticket, dial] : dials_) dial->cancel();
}

ApiDialer::Ticket ApiDialer::dial(EventLoop& loop, Handler handler) {
  const Ticket ticket = ++last_;
  boost::asio::post(io_, [this, ticket, &loop, handler = std::move(handler)]() mutable {
    start(ticket, loop, std::move(handler));
  });
  return ticket;
}

void ApiDialer::start(Ticket ticket, EventLoop& loop, Handler handler) {
  auto tell = [&loop, handler = std::move(handler)](Answer answer) {
    loop.post([handler, answer = std::move(answer)]() mutable { handler(std::move(answer)); });
  };
  const auto route = dialer_.route_to(api_);
  if (!route) {
    return tell(TransportFailure{TransportFailure::Kind::bad_request, route.error().message});
  }
  dials_[ticket] = dialer_.dial(*route, {.deadline = dialer_.clock().boot_now() + kDialTime},
                                [this, ticket, tell = std::move(tell)](net::Dial::Answer dialed) {
                                  const auto kept = dials_.extract(ticket);
                                  tell(answer_of(std::move(dialed)));
                                });
}

void ApiDialer::cancel(Ticket ticket) {
  boost::asio::post(io_, [this, ticket] {
    const auto dial = dials_.extract(ticket);
    if (!dial.empty()) dial.mapped()->cancel();
  });
}

}  // namespace skewguard::proxy
