#include "net/probe_line.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <tuple>
#include <utility>
#include <variant>

#include "net/request_head.hpp"

namespace skewguard::net {
namespace {

using Kind = TransportFailure::Kind;
using Outcome = AnswerParser::Outcome;

/// A look at a Date needs no body; one that is sent all the same is read to keep the connection.
constexpr std::size_t kProbeBodyLimit = std::size_t{64} * 1024;
constexpr std::size_t kProbeReadSize = std::size_t{16} * 1024;

}  // namespace

ProbeLine::ProbeLine(const ProbeRoute& route, std::string address, std::uint64_t id)
    : route_(route),
      address_(std::move(address)),
      id_(id),
      timer_(route.timers.make()),
      parser_(route.method, kProbeBodyLimit) {}

/// Timers are hints: who is called looks at the clock.
void ProbeLine::watch(Instant deadline) {
  const Duration left = deadline - route_.clock.now().boot;
  timer_->arm(std::max(left, Duration{0}), [this, deadline, weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || (state_ != State::opening && state_ != State::asking)) return;
    if (route_.clock.now().boot < deadline) return watch(deadline);
    fail(Kind::timeout, state_ == State::opening ? "no connection in time" : "no answer in time");
  });
}

void ProbeLine::open(Instant deadline, Opened opened) {
  opened_ = std::move(opened);
  state_ = State::opening;
  watch(deadline);
  connector_ = std::make_shared<Connector>(route_.io, route_.timers);
  connector_->start({address_}, route_.proxy == nullptr ? route_.url.port : route_.proxy->port,
                    [weak = weak_from_this()](Connector::Answer answer) {
                      if (const auto self = weak.lock()) self->connected(std::move(answer));
                    });
}

void ProbeLine::connected(Connector::Answer answer) {
  if (const auto* failure = std::get_if<Connector::Failure>(&answer)) {
    TransportFailure unmade;
    unmade.kind = route_.proxy == nullptr ? failure->kind : Kind::proxy;
    unmade.detail = failure->detail;  // with the address
    unmade.out_of_resources = failure->out_of_resources;
    return fail(std::move(unmade));
  }
  auto socket = std::get<boost::asio::ip::tcp::socket>(std::move(answer));
  boost::system::error_code ignored;
  std::ignore = socket.set_option(boost::asio::ip::tcp::no_delay(true), ignored);
  if (route_.proxy == nullptr) return secure(std::move(socket));
  tunnel_ = std::make_shared<Tunnel>(std::move(socket), *route_.proxy, route_.url);
  tunnel_->start([weak = weak_from_this()](Tunnel::Answer reached) {
    const auto self = weak.lock();
    if (!self) return;
    if (const auto* why = std::get_if<TransportFailure>(&reached)) return self->fail(*why);
    self->secure(std::get<Tunnel::Socket>(std::move(reached)));
  });
}

void ProbeLine::secure(boost::asio::ip::tcp::socket socket) {
  if (!route_.url.tls()) {
    stream_ = plain_stream(std::move(socket));
  } else if (const auto& fault = route_.tls->fault()) {
    return fail(Kind::bad_request, *fault);
  } else {
    stream_ = tls_stream(std::move(socket), *route_.tls,
                         {route_.url.host, route_.url.port, route_.clock.now().wall});
  }
  stream_->prepare([weak = weak_from_this()](std::optional<TransportFailure> failure) {
    if (const auto self = weak.lock()) self->opened(std::move(failure));
  });
}

void ProbeLine::opened(std::optional<TransportFailure> failure) {
  if (state_ != State::opening) return;
  if (failure) return fail(*std::move(failure));
  timer_->disarm();
  state_ = State::idle;
  std::exchange(opened_, nullptr)(std::nullopt);
}

bool ProbeLine::idle() {
  if (state_ == State::idle && stream_->unread() != Stream::Unread::nothing) close();
  return state_ == State::idle;
}

void ProbeLine::ask(Instant deadline, Answered answered) {
  state_ = State::asking;
  used_ = true;
  answered_ = std::move(answered);
  parser_ = AnswerParser(route_.method, kProbeBodyLimit);
  HttpRequest request;
  request.method = route_.method;
  request.url = route_.url.text();
  head_ = wire_head(request, route_.url).reveal();
  exchange_ = Exchange{};
  exchange_.origin = route_.url.origin();
  exchange_.connection = id_;
  const auto written = [weak = weak_from_this()](Stream::ErrorCode error, std::size_t) {
    const auto self = weak.lock();
    if (!self || self->state_ != State::asking) return;
    if (error) return self->fail(Kind::reset, error.message());
    self->receive();
  };
  stream_->write(head_, {}, written, [this] { exchange_.sent = route_.clock.now(); });
  watch(deadline);
}

void ProbeLine::receive() {
  buffer_.resize(kProbeReadSize);
  stream_->read_some(buffer_, [weak = weak_from_this()](Stream::ErrorCode error, std::size_t size) {
    const auto self = weak.lock();
    if (self && self->state_ == State::asking) self->received(error, size);
  });
}

void ProbeLine::received(Stream::ErrorCode error, std::size_t size) {
  if (error) {
    if (const auto fault = stream_->fault()) return fail(*fault);
    if (error == boost::asio::error::eof && parser_.begun()) return digest(parser_.end());
    return fail(Kind::reset,
                error == boost::asio::error::eof ? "the server closed it" : error.message());
  }
  if (!parser_.head_done()) exchange_.received = route_.clock.now();
  digest(parser_.feed(std::string_view(buffer_).substr(0, size)));
}

void ProbeLine::digest(Outcome outcome) {
  switch (outcome) {
    case Outcome::more:
      return receive();
    case Outcome::complete:
      return deliver(outcome);
    case Outcome::truncated:
      return fail(Kind::truncated, "the answer broke off");
    case Outcome::too_large:
      if (parser_.head_done()) return deliver(outcome);  // its Date is there
      return fail(Kind::too_large, parser_.why());
    case Outcome::malformed:
      return fail(Kind::malformed, parser_.why());
  }
}

void ProbeLine::deliver(Outcome outcome) {
  timer_->disarm();
  heard_ = true;
  const bool keep = outcome == Outcome::complete && parser_.reusable();
  parser_.take(exchange_);
  const auto answered = std::exchange(answered_, nullptr);
  if (keep) {
    state_ = State::idle;
  } else {
    close();
  }
  answered(std::move(exchange_));
}

void ProbeLine::fail(Kind kind, const std::string& why) {
  TransportFailure failure;
  failure.kind = kind;
  failure.detail = address_ + ": " + why;
  fail(std::move(failure));
}

void ProbeLine::fail(TransportFailure failure) {
  const auto opened = std::exchange(opened_, nullptr);
  const auto answered = std::exchange(answered_, nullptr);
  close();
  if (opened) return opened(std::move(failure));
  if (answered) answered(std::move(failure));
}

void ProbeLine::close() {
  state_ = State::closed;
  timer_->disarm();
  if (connector_) connector_->cancel();
  if (tunnel_) tunnel_->cancel();
  if (stream_) stream_->close();
  opened_ = nullptr;
  answered_ = nullptr;
}

}  // namespace skewguard::net
