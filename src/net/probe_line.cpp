#include "net/probe_line.hpp"

#include <utility>
#include <variant>

namespace skewguard::net {
namespace {

using Kind = TransportFailure::Kind;

/// A look at a Date needs no body; one that is sent all the same is read to keep the connection.
constexpr std::size_t kProbeBodyLimit = std::size_t{64} * 1024;

}  // namespace

ProbeLine::ProbeLine(const ProbeRoute& route, std::string address)
    : route_(route), address_(std::move(address)) {}

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
  auto request = std::make_shared<HttpRequest>();
  request->method = route_.method;
  request->url = route_.route.url.text();
  trip_ = std::make_shared<RoundTrip>(route_.dialer, connection_,
                                      RoundTrip::Options{.deadline = deadline,
                                                         .body_limit = kProbeBodyLimit,
                                                         .head_is_enough = true,
                                                         .pooled = true});
  trip_->start(std::move(request), route_.route.url,
               [weak = weak_from_this()](RoundTrip::Ending ending) {
                 if (const auto self = weak.lock()) self->ended(std::move(ending));
               });
}

void ProbeLine::ended(RoundTrip::Ending ending) {
  if (auto* answer = std::get_if<RoundTrip::Answered>(&ending)) {
    heard_ = true;
    const auto answered = std::exchange(answered_, nullptr);
    state_ = State::idle;
    if (!answer->reusable) close();
    return answered(std::move(answer->exchange));
  }
  if (auto* failure = std::get_if<TransportFailure>(&ending)) return fail(std::move(*failure));
  if (const auto* lost = std::get_if<RoundTrip::Lost>(&ending)) return fail(Kind::reset, lost->why);
  const auto& unusable = std::get<RoundTrip::Unusable>(ending);
  fail(unusable.kind, unusable.kind == Kind::timeout ? "no answer in time" : unusable.why);
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
  if (dial_) dial_->cancel();
  if (trip_) trip_->cancel();
  if (connection_.stream) connection_.stream->close();
  opened_ = nullptr;
  answered_ = nullptr;
}

}  // namespace skewguard::net
