#include "net/send_operation.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <utility>
#include <variant>

#include "net/message_head.hpp"
#include "net/request_head.hpp"
#include "net/resend_rule.hpp"

namespace skewguard::net {
namespace {

using Kind = TransportFailure::Kind;
using Outcome = AnswerParser::Outcome;

constexpr std::size_t kReadSize = std::size_t{16} * 1024;  // one TLS record

}  // namespace

SendOperation::SendOperation(Dialer& dialer, HttpRequest request, Route route,
                             const SendOptions& options, std::shared_ptr<BodySink> sink, Done done)
    : dialer_(dialer),
      request_(std::move(request)),
      route_(std::move(route)),
      options_(options),
      sink_(std::move(sink)),
      done_(std::move(done)),
      place_(route_.place()),
      timer_(dialer.timers().make()),
      parser_(request_.method, options_.body_limit) {
  exchange_.origin = url().origin();
}

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
  if (state_ != State::over && dialer_.clock().now().boot >= options_.deadline) time_out();
  return state_ == State::over;
}

/// What was under way, for messages; the Dial has its own.
const char* SendOperation::doing() const {
  switch (state_) {
    case State::waiting:
      return "the request was waiting for a free connection";
    case State::writing:
      return "the request was being sent";
    default:
      return parser_.begun() ? "the answer had started, but was not complete"
                             : "the request was sent, but no answer had started";
  }
}

void SendOperation::time_out() {
  fail(Kind::timeout, "the deadline passed while talking to " + place_ + ": " + doing());
}

void SendOperation::start() {
  if (past_deadline()) return;
  connection_ = dialer_.take_idle(route_);
  if (!connection_) return dial();
  pooled_ = true;
  log(LogLevel::debug,
      [this] { return "reusing connection " + std::to_string(connection_->id) + " to " + place_; });
  transmit();
}

void SendOperation::dial() {
  if (past_deadline()) return;
  pooled_ = false;
  state_ = State::dialing;
  timer_->disarm();  // the Dial has the deadline until it ends
  dial_ = dialer_.dial(route_, {.deadline = options_.deadline},
                       [this, weak = weak_from_this()](Dial::Answer answer) {
                         if (const auto self = weak.lock()) dialed(std::move(answer));
                       });
}

void SendOperation::dialed(Dial::Answer answer) {
  dial_.reset();
  if (auto* failure = std::get_if<TransportFailure>(&answer)) return fail(std::move(*failure));
  connection_ = std::get<Connection>(std::move(answer));
  if (past_deadline()) return;
  watch_deadline();
  transmit();
}

void SendOperation::transmit() {
  state_ = State::writing;
  if (head_.empty()) head_ = wire_head(request_, url());
  exchange_.connection = connection_->id;
  exchange_.early = connection_->stream->unread() == Stream::Unread::bytes;
  write_pending_ = true;
  log_request();
  exchange_.sent = dialer_.clock().now();
  connection_->stream->write(head_.reveal(), request_.body.reveal(),
                             [self = shared_from_this()](Stream::ErrorCode error, std::size_t n) {
                               if (self->state_ == State::writing) self->written(error, n);
                             });
  wipe_stack();
}

void SendOperation::log_request() const {
  log(LogLevel::debug,
      [this] { return "> " + request_.method + " " + url().target + " HTTP/1.1"; });
  if (!dialer_.log().takes(LogLevel::trace)) return;
  const auto tell = [this](const std::string& name, std::string_view value) {
    log(LogLevel::trace, [&] {
      const bool hidden = http::confidential_field(name);
      return "> " + name + ": " + std::string(hidden ? "(not shown)" : value);
    });
  };
  tell("Host", url().authority());
  if (!request_.authorization.empty()) tell("Authorization", "");
  for (const HeaderField& field : request_.headers.fields()) tell(field.name, field.value);
}

void SendOperation::written(Stream::ErrorCode error, std::size_t size) {
  write_pending_ = false;
  request_sent_ = request_sent_ || size > 0;
  if (error && size == 0) {
    // On a new connection TLS says why it was refused: in TLS 1.3 that comes after the handshake.
    const auto fault = pooled_ ? std::nullopt : connection_->stream->fault();
    return fault ? fail(*fault) : connection_lost(error.message());
  }
  half_written_ = static_cast<bool>(error);  // an answer that explains it may be there all the same
  buffer_.resize(kReadSize);
  receive();
}

void SendOperation::receive() {
  if (past_deadline()) return;
  state_ = State::reading;
  connection_->stream->read_some(
      {buffer_.data(), buffer_.size()},
      [self = shared_from_this()](Stream::ErrorCode error, std::size_t size) {
        if (self->state_ == State::reading) self->received(error, size);
      });
}

void SendOperation::received(Stream::ErrorCode error, std::size_t size) {
  if (error) return connection_ended(error);
  // The read that brought the end of the final answer's head: its Date cannot have been stamped
  // later, however slowly the head came. As a rule it is the first one, the head being whole in it.
  if (!parser_.head_done()) exchange_.received = dialer_.clock().now();
  const auto outcome = parser_.feed(buffer_.view().substr(0, size));
  wipe_stack();
  digest(outcome);
}

void SendOperation::digest(Outcome outcome) {
  const auto said = [this] { return "from " + place_ + ": " + parser_.why(); };
  switch (outcome) {
    case Outcome::more:
      return sink_ && parser_.head_done() ? hand_on(outcome) : receive();
    case Outcome::complete:
      return sink_ ? hand_on(outcome) : deliver();
    case Outcome::malformed:
      return fail(Kind::malformed, said());
    case Outcome::too_large:
      return fail(Kind::too_large, said());
    case Outcome::truncated:
      return fail(Kind::truncated, said());
  }
}

void SendOperation::connection_ended(Stream::ErrorCode error) {
  if (const auto fault = connection_->stream->fault()) return fail(*fault);
  const bool in_good_order = error == boost::asio::error::eof;
  if (!parser_.begun()) {
    return connection_lost(in_good_order ? "the server closed it" : error.message());
  }
  if (in_good_order) return digest(parser_.end());
  fail(Kind::truncated,
       "the connection to " + place_ + " broke in the middle of the answer: " + error.message());
}

void SendOperation::connection_lost(const std::string& why) {
  const LostConnection lost{.pooled = pooled_, .request_written = request_sent_, .resent = resent_};
  connection_.reset();
  if (!may_resend(request_.method, lost)) {
    return fail(Kind::reset,
                "the connection to " + place_ + " broke before an answer started: " + why);
  }
  log(LogLevel::debug, [&] { return "the idle connection was gone (" + why + "): once more"; });
  resent_ = true;
  half_written_ = false;
  dial();
}

/// What has come so far, into the sink; what follows that waits until the sink asks for more.
void SendOperation::hand_on(Outcome outcome) {
  if (!std::exchange(head_told_, true)) {
    parser_.take_head(exchange_);
    sink_->begin(exchange_);
  }
  const auto go_on = [this, weak = weak_from_this(), outcome, piece = ++piece_] {
    const auto self = weak.lock();
    if (!self || state_ != State::reading || piece != piece_) return;
    ++piece_;
    outcome == Outcome::complete ? deliver() : receive();
  };
  const SecretText piece = parser_.take_piece();
  piece.empty() ? go_on() : sink_->take(piece.view(), go_on);
}

void SendOperation::deliver() {
  const bool keep = parser_.reusable() && !half_written_ && !exchange_.early;
  if (!sink_) parser_.take(exchange_);
  if (!url().tls() && wants_tls(exchange_.status, exchange_.body)) {
    return fail(Kind::malformed,
                "from " + place_ + ": the server speaks TLS: use https:// in the URL");
  }
  if (keep) dialer_.put_idle(route_, *std::exchange(connection_, std::nullopt));
  finish(std::move(exchange_));
}

void SendOperation::fail(Kind kind, std::string detail) {
  TransportFailure failure;
  failure.kind = kind;
  failure.detail = std::move(detail);
  fail(std::move(failure));
}

void SendOperation::fail(TransportFailure failure) {
  failure.request_sent = request_sent_ || write_pending_;
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
  if (connection_) connection_->stream->close();
  connection_.reset();
}

}  // namespace skewguard::net
