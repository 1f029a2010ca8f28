#include "net/send_operation.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include "net/message_head.hpp"
#include "net/request_head.hpp"
#include "net/resend_rule.hpp"

namespace skewguard::net {
namespace {

using Kind = TransportFailure::Kind;

}  // namespace

SendOperation::SendOperation(Dialer& dialer, HttpRequest request, Route route,
                             const SendOptions& options, std::shared_ptr<BodySink> sink, Done done)
    : dialer_(dialer),
      request_(std::make_shared<const HttpRequest>(std::move(request))),
      route_(std::move(route)),
      options_(options),
      sink_(std::move(sink)),
      done_(std::move(done)),
      place_(route_.place()),
      timer_(dialer.timers().make()) {}

/// `words` gives the message, where the log takes such lines.
template <typename Words>
void SendOperation::log(LogLevel level, const Words& words) const {
  if (dialer_.log().takes(level))
    dialer_.log().write({.level = level, .message = words(), .server = url().origin()});
}

void SendOperation::wait_for_turn() {
  if (!past_deadline()) watch_deadline();
}

void SendOperation::watch_deadline() {
  const auto left = options_.deadline - dialer_.clock().now().boot;
  timer_->arm(std::clamp(left, Duration::zero(), kLongestNap), [this, weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && state_ != State::over && !past_deadline()) watch_deadline();
  });
}

/// Asked before each step that has to wait: no timer is needed for the deadline to hold.
bool SendOperation::past_deadline() {
  if (state_ != State::over && dialer_.clock().now().boot >= options_.deadline)
    time_out("the request was waiting for a free connection");
  return state_ == State::over;
}

void SendOperation::time_out(const std::string& doing) {
  fail(Kind::timeout, "the deadline passed while talking to " + place_ + ": " + doing);
}

void SendOperation::start() {
  if (past_deadline()) return;
  timer_->disarm();  // whoever is at work from here on has the deadline
  connection_ = dialer_.take_idle(route_);
  if (!connection_) return dial();
  log(LogLevel::debug,
      [this] { return "reusing connection " + std::to_string(connection_->id) + " to " + place_; });
  talk(true);
}

void SendOperation::dial() {
  state_ = State::dialing;
  dial_ = dialer_.dial(route_, {.deadline = options_.deadline},
                       [this, weak = weak_from_this()](Dial::Answer answer) {
                         if (const auto self = weak.lock()) dialed(std::move(answer));
                       });
}

void SendOperation::dialed(Dial::Answer answer) {
  dial_.reset();
  if (auto* failure = std::get_if<TransportFailure>(&answer)) return fail(std::move(*failure));
  connection_ = std::get<Connection>(std::move(answer));
  talk(false);
}

void SendOperation::talk(bool pooled) {
  state_ = State::talking;
  pooled_ = pooled;
  log_request();
  trip_ = std::make_shared<RoundTrip>(dialer_, *connection_,
                                      RoundTrip::Options{.deadline = options_.deadline,
                                                         .body_limit = options_.body_limit,
                                                         .sink = sink_,
                                                         .pooled = pooled});
  trip_->start(request_, url(), [this, weak = weak_from_this()](RoundTrip::Ending ending) {
    if (const auto self = weak.lock()) ended(std::move(ending));
  });
}

void SendOperation::log_request() const {
  log(LogLevel::debug,
      [this] { return "> " + request_->method + " " + url().target + " HTTP/1.1"; });
  if (!dialer_.log().takes(LogLevel::trace)) return;
  const auto tell = [this](const std::string& name, std::string_view value) {
    log(LogLevel::trace, [&] {
      const bool hidden = http::confidential_field(name);
      return "> " + name + ": " + std::string(hidden ? "(not shown)" : value);
    });
  };
  tell("Host", url().authority());
  if (!request_->authorization.empty()) tell("Authorization", "");
  for (const HeaderField& field : request_->headers.fields()) tell(field.name, field.value);
}

void SendOperation::ended(RoundTrip::Ending ending) {
  if (auto* answered = std::get_if<RoundTrip::Answered>(&ending)) {
    return deliver(std::move(*answered));
  }
  if (auto* failure = std::get_if<TransportFailure>(&ending)) return fail(std::move(*failure));
  if (const auto* lost = std::get_if<RoundTrip::Lost>(&ending)) return connection_lost(lost->why);
  const auto& unusable = std::get<RoundTrip::Unusable>(ending);
  if (unusable.kind == Kind::timeout) return time_out(unusable.why);
  fail(unusable.kind, "from " + place_ + ": " + unusable.why);
}

void SendOperation::connection_lost(const std::string& why) {
  request_sent_ = request_sent_ || trip_->request_sent();
  const LostConnection lost{.pooled = pooled_, .request_written = request_sent_, .resent = resent_};
  if (!may_resend(request_->method, lost)) {
    return fail(Kind::reset,
                "the connection to " + place_ + " broke before an answer started: " + why);
  }
  log(LogLevel::debug, [&] { return "the idle connection was gone (" + why + "): once more"; });
  resent_ = true;
  connection_->stream->close();
  connection_.reset();
  trip_.reset();
  dial();
}

void SendOperation::deliver(RoundTrip::Answered answered) {
  const Exchange& exchange = answered.exchange;
  if (!url().tls() && wants_tls(exchange.status, exchange.body)) {
    return fail(Kind::malformed,
                "from " + place_ + ": the server speaks TLS: use https:// in the URL");
  }
  if (answered.reusable) dialer_.put_idle(route_, *std::exchange(connection_, std::nullopt));
  finish(std::move(answered.exchange));
}

void SendOperation::fail(Kind kind, std::string detail) {
  TransportFailure failure;
  failure.kind = kind;
  failure.detail = std::move(detail);
  fail(std::move(failure));
}

void SendOperation::fail(TransportFailure failure) {
  failure.request_sent = request_sent_ || (trip_ && trip_->request_sent());
  finish(std::move(failure));
}

void SendOperation::finish(SendResult result) {
  if (state_ == State::over) return;
  const auto self = shared_from_this();  // the owner lets go of it in done_
  release();
  std::exchange(done_, nullptr)(std::move(result));
}

void SendOperation::abandon() {
  release();
  done_ = nullptr;
}

void SendOperation::release() {
  state_ = State::over;
  timer_->disarm();
  if (dial_) dial_->cancel();
  if (trip_) trip_->cancel();
  if (connection_) connection_->stream->close();
  connection_.reset();
}

}  // namespace skewguard::net
