#include "net/probe_line.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
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

ProbeLine::ProbeLine(const ProbeRoute& route, std::string address)
    : route_(route),
      address_(std::move(address)),
      timer_(route.dialer.timers().make()),
      parser_(route.method, kProbeBodyLimit) {}

/// Timers are hints: the clock decides.
void ProbeLine::watch(Instant deadline) {
  const Duration left = deadline - now().boot;
  timer_->arm(std::max(left, Duration{0}), [this, deadline, weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || state_ != State::asking) return;
    if (now().boot < deadline) return watch(deadline);
    fail(Kind::timeout, "no answer in time");
  });
}

void ProbeLine::open(Instant deadline, Opened opened) {
  opened_ = std::move(opened);
  state_ = State::opening;
  dial_ = route_.dialer.dial(route_.route,
                             {.deadline = deadline, .address = address_, .resume_tls = false},
                             [weak = weak_from_this()](Dial::Answer answer) {
                               if (const auto self = weak.lock()) self->dialed(std::move(answer));
                             });
}

void ProbeLine::dialed(Dial::Answer answer) {
  dial_.reset();
  if (auto* failure = std::get_if<TransportFailure>(&answer)) {
    if (failure->kind == Kind::timeout) return fail(Kind::timeout, "no connection in time");
    return fail(std::move(*failure));
  }
  connection_ = std::get<Connection>(std::move(answer));
  state_ = State::idle;
  std::exchange(opened_, nullptr)(std::nullopt);
}

bool ProbeLine::idle() {
  if (state_ == State::idle && connection_.stream->unread() != Stream::Unread::nothing) close();
  return state_ == State::idle;
}

void ProbeLine::ask(Instant deadline, Answered answered) {
  state_ = State::asking;
  used_ = true;
  answered_ = std::move(answered);
  parser_ = AnswerParser(route_.method, kProbeBodyLimit);
  HttpRequest request;
  request.method = route_.method;
  request.url = route_.route.url.text();
  head_ = wire_head(request, route_.route.url).reveal();
  exchange_ = Exchange{};
  exchange_.origin = route_.route.url.origin();
  exchange_.connection = connection_.id;
  const auto written = [weak = weak_from_this()](Stream::ErrorCode error, std::size_t) {
    const auto self = weak.lock();
    if (!self || self->state_ != State::asking) return;
    if (error) return self->fail(Kind::reset, error.message());
    self->receive();
  };
  connection_.stream->write(head_, {}, written, [this] { exchange_.sent = now(); });
  watch(deadline);
}

void ProbeLine::receive() {
  buffer_.resize(kProbeReadSize);
  connection_.stream->read_some(
      buffer_, [weak = weak_from_this()](Stream::ErrorCode error, std::size_t size) {
        const auto self = weak.lock();
        if (self && self->state_ == State::asking) self->received(error, size);
      });
}

void ProbeLine::received(Stream::ErrorCode error, std::size_t size) {
  if (error) {
    if (const auto fault = connection_.stream->fault()) return fail(*fault);
    if (error == boost::asio::error::eof && parser_.begun()) return digest(parser_.end());
    return fail(Kind::reset,
                error == boost::asio::error::eof ? "the server closed it" : error.message());
  }
  if (!parser_.head_done()) exchange_.received = now();
  digest(parser_.feed(std::string_view(buffer_).substr(0, size)));
}

void ProbeLine::digest(Outcome outcome) {
  switch (outcome) {
    case Outcome::more:
      return receive();
    case Outcome::complete:
      return deliver(outcome);
    case Outcome::truncated:
      return fail(Kind::truncated, "the answer was cut off");
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
  if (dial_) dial_->cancel();
  if (connection_.stream) connection_.stream->close();
  opened_ = nullptr;
  answered_ = nullptr;
}

}  // namespace skewguard::net
