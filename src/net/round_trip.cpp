#include "net/round_trip.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <utility>

#include "net/request_head.hpp"

namespace skewguard::net {
namespace {

using Kind = TransportFailure::Kind;
using Outcome = AnswerParser::Outcome;

constexpr std::size_t kReadSize = std::size_t{16} * 1024;  // one TLS record

/// Whether a write failed because the server ended the connection or its side of it.
bool closed_by_server(Stream::ErrorCode error) {
  return error == boost::asio::error::broken_pipe || error == boost::asio::error::connection_reset;
}

}  // namespace

RoundTrip::RoundTrip(Dialer& dialer, Connection connection, Options options)
    : dialer_(dialer),
      connection_(std::move(connection)),
      options_(std::move(options)),
      timer_(dialer.timers().make()) {}

void RoundTrip::start(std::shared_ptr<const HttpRequest> request, const http::Url& url,
                      Handler handler) {
  request_ = std::move(request);
  handler_ = std::move(handler);
  parser_ = AnswerParser(request_->method, options_.body_limit);
  head_ = wire_head(*request_, url);
  exchange_.origin = url.origin();
  exchange_.connection = connection_.id;
  exchange_.early = connection_.stream->unread() == Stream::Unread::bytes;
  buffer_.resize(kReadSize);
  write_pending_ = true;
  connection_.stream->write(
      head_.reveal(), request_->body.reveal(),
      [self = shared_from_this()](Stream::ErrorCode error, std::size_t size) {
        if (!self->over_) self->written(error, size);
      },
      [this] { exchange_.sent = dialer_.clock().now(); });
  wipe_stack();
  watch_deadline();
  read();  // a server may answer before it has the whole request
}

void RoundTrip::watch_deadline() {
  const auto left = options_.deadline - dialer_.clock().now().boot;
  timer_->arm(std::clamp(left, Duration::zero(), kLongestNap), [this, weak = weak_from_this()] {
    const auto self = weak.lock();
    if (self && !over_ && !past_deadline()) watch_deadline();
  });
}

/// Asked before each step that has to wait: no timer is needed for the deadline to hold.
bool RoundTrip::past_deadline() {
  if (!over_ && dialer_.clock().now().boot >= options_.deadline)
    finish(Unusable{Kind::timeout, doing()});
  return over_;
}

/// What was under way, for messages.
const char* RoundTrip::doing() const noexcept {
  if (answer_waits_) return "the answer was there, but the request was still being sent";
  if (parser_.begun()) return "the answer had started, but was not complete";
  return write_pending_ ? "the request was being sent"
                        : "the request was sent, but no answer had started";
}

void RoundTrip::written(Stream::ErrorCode error, std::size_t size) {
  write_pending_ = false;
  sent_bytes_ = size > 0;
  write_error_ = error;
  if (answer_waits_) return conclude(true);
  if (past_deadline() || !error) return;
  // On a new connection TLS says why it was refused: in TLS 1.3 that comes after the handshake.
  const auto fault = options_.pooled ? std::nullopt : connection_.stream->fault();
  if (size == 0 && fault) return finish(*fault);
  // What may still come over a connection that was idle before is no answer to this request.
  if (size == 0 && options_.pooled) return finish(Lost{error.message()});
  // The answer that explains it may be there: reading goes on. If this machine cannot send, the
  // server still waits for the rest and says nothing.
  if (!closed_by_server(error) && !parser_.begun()) finish(Lost{error.message()});
}

void RoundTrip::read() {
  connection_.stream->read_some(
      {buffer_.data(), buffer_.size()},
      [self = shared_from_this()](Stream::ErrorCode error, std::size_t size) {
        if (!self->over_) self->received(error, size);
      });
}

void RoundTrip::read_on() {
  if (!past_deadline()) read();
}

void RoundTrip::received(Stream::ErrorCode error, std::size_t size) {
  if (error) return connection_ended(error);
  // The read that brought the end of the final answer's head: its Date cannot have been stamped
  // later, however slowly the head came. As a rule it is the first one, the head being whole in it.
  if (!parser_.head_done()) exchange_.received = dialer_.clock().now();
  const auto outcome = parser_.feed(buffer_.view().substr(0, size));
  wipe_stack();
  digest(outcome);
}

void RoundTrip::digest(Outcome outcome) {
  switch (outcome) {
    case Outcome::more:
      return options_.sink && parser_.head_done() ? hand_on(outcome) : read_on();
    case Outcome::complete:
      return options_.sink ? hand_on(outcome) : deliver(true);
    case Outcome::malformed:
      return finish(Unusable{Kind::malformed, parser_.why()});
    case Outcome::too_large:
      if (options_.head_is_enough && parser_.head_done()) return deliver(false);
      return finish(Unusable{Kind::too_large, parser_.why()});
    case Outcome::truncated:
      return finish(Unusable{Kind::truncated, parser_.why()});
  }
}

void RoundTrip::connection_ended(Stream::ErrorCode error) {
  if (const auto fault = connection_.stream->fault()) return finish(*fault);
  // After a write that met a reset the socket reports no second one, only an end.
  const bool in_good_order =
      error == boost::asio::error::eof && write_error_ != boost::asio::error::connection_reset;
  if (!parser_.begun()) {
    const auto cause = write_error_ ? write_error_ : error;
    return finish(Lost{in_good_order ? "the server closed it" : cause.message()});
  }
  if (in_good_order) return digest(parser_.end());
  finish(Unusable{Kind::truncated,
                  "the connection broke in the middle of the answer: " + error.message()});
}

/// What has come so far, into the sink; what follows that waits until the sink asks for more.
void RoundTrip::hand_on(Outcome outcome) {
  if (!std::exchange(head_told_, true)) {
    parser_.take_head(exchange_);
    options_.sink->begin(exchange_);
  }
  const auto go_on = [this, weak = weak_from_this(), outcome, piece = ++piece_] {
    const auto self = weak.lock();
    if (!self || over_ || piece != piece_) return;
    ++piece_;
    outcome == Outcome::complete ? deliver(true) : read_on();
  };
  const SecretText piece = parser_.take_piece();
  piece.empty() ? go_on() : options_.sink->take(piece.view(), go_on);
}

/// What the server says before it has read the whole request ends the writing, if it is an error or
/// a redirect. After a success the rest of the request may still matter (RFC 9110 section 7.5).
void RoundTrip::deliver(bool whole) {
  if (!options_.sink) parser_.take(exchange_);
  answer_waits_ = whole && write_pending_ && exchange_.status < 300;
  if (!answer_waits_) conclude(whole);
}

void RoundTrip::conclude(bool whole) {
  const bool written = !write_pending_ && !write_error_;
  const bool reusable = whole && written && parser_.reusable() && !exchange_.early;
  finish(Answered{std::move(exchange_), reusable});
}

void RoundTrip::finish(Ending ending) {
  if (over_) return;
  const auto self = shared_from_this();  // the owner lets go of it in the handler
  over_ = true;
  timer_->disarm();
  std::exchange(handler_, nullptr)(std::move(ending));
}

void RoundTrip::cancel() {
  over_ = true;
  timer_->disarm();
  handler_ = nullptr;
}

}  // namespace skewguard::net
