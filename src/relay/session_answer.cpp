#include <algorithm>
#include <array>

#include "relay/header_rules.hpp"
#include "relay/session_machine.hpp"

/// The way of an answer from the API to the client.
namespace skewguard::relay {
namespace {

constexpr int kFirstError = 400;
constexpr unsigned kMaxInterims = 16;                          // that are passed on, per request
constexpr std::size_t kMaxErrorBody = std::size_t{64} * 1024;  // that is looked at
constexpr unsigned kMaxResendsOfLost = 2;
/// So little of a body fits in the buffer beside any head.
constexpr std::size_t kMaxShortBody = std::size_t{8} * 1024;

constexpr Problem kLostAnswer{502, "api.connection.lost",
                              "The connection to the API ended before its answer."};
constexpr Problem kBadAnswer{502, kMalformedAnswer, "The API's answer is malformed."};

}  // namespace

/// Whether the answer may be about the token, or shows how a retry ended. A 429 never is: but its
/// verdict is not "ok".
bool Session::needs_judgement() const noexcept {
  constexpr std::array<int, 5> kDoubtful{400, 401, 403, 429, 504};
  return retried_ || std::ranges::find(kDoubtful, status_) != kDoubtful.end();
}

/// After a 401 or 504 the request has had no effect.
bool Session::can_retry() const noexcept {
  const bool doubtful = status_ == 400 || status_ == 403;
  const bool harmless = status_ == 401 || status_ == 504 || (doubtful && idempotent());
  return harmless && replayable();
}

void Session::pump_answer() {
  while (phase_ == Phase::exchange && !answering_) {
    if (!answer_read_ && !read_answer_head()) return;
    if (phase_ == Phase::exchange && answer_read_ && !(short_body_is_here() && begin_answer()))
      return;
  }
  if (phase_ == Phase::exchange) pump_answer_body();
}

/// False if it must wait for something, or failed.
bool Session::read_answer_head() {
  Buffer& in = work_->upstream_in;
  (void)in.space();  // to the front, where the head may be kept
  answer_begun_ = answer_begun_ || !in.empty();
  const ReadHead found = in.empty() ? ReadHead::more : work_->answer.read(in.bytes());
  if (found == ReadHead::refused) {
    fail_upstream(kBadAnswer);
    return false;
  }
  if (found == ReadHead::more) {
    if (upstream_ended_) upstream_lost();
    return false;
  }
  if (rules_.hide_tokens) rules_.hide_tokens(in.writable().first(answer().size));
  if (answer().status < 200) {
    pass_interim();
    return true;
  }
  answer_read_ = true;
  status_ = answer().status;
  answer_cut_ = false;
  error_given_ = 0;
  answer_body_ = BodyReader(answer_framing(answer(), request().method));
  framing_ = client_framing(answer_framing(answer(), request().method), request().version);
  in.keep(answer().size);
  if (status_ >= kFirstError) {
    phase_ = Phase::error;
  } else if (needs_judgement()) {
    judge();
  }
  return true;
}

/// 100 is ours to send; the others are the client's to see (RFC 9110 section 15.2), but some
/// libraries give up after too many.
void Session::pass_interim() {
  // Only while nothing else waits to be written: a client that reads slowly loses hints, not
  // answers.
  const bool wanted = answer().status != 100 && request().version >= 11;
  if (wanted && interims_ < kMaxInterims && work_->client_out.empty())
    interims_ += append_interim_head(answer(), work_->client_out) ? 1U : 0U;
  work_->upstream_in.remove(answer().size);
  work_->answer.restart();
}

/// A short body is awaited before its head is passed on: if the connection ends before it is
/// complete, the client gets a complete answer of ours. False: it is not here yet, or never comes.
bool Session::short_body_is_here() {
  const auto framing = answer_framing(answer(), request().method);
  const bool known = framing.kind == Framing::Kind::length && framing.length <= kMaxShortBody;
  if (!known || answer_body_.whole()) return true;
  if (work_->upstream_in.size() >= framing.length) return true;
  if (upstream_ended_) fail_upstream(kLostAnswer);
  return false;
}

bool Session::begin_answer() {
  const bool closes = must_close() || framing_ == Framing::Kind::until_close;
  const OutgoingAnswer outgoing{.method = request().method,
                                .client_version = request().version,
                                .api_origin = rules_.api_origin,
                                .client_host = request().host,
                                .verdict = verdict_.empty() ? "ok" : verdict_,
                                .attempts = attempts_,
                                .origin = origin_,
                                .close = closes};
  if (!append_answer_head(answer(), outgoing, work_->client_out)) {
    if (work_->client_out.empty()) fail_upstream(kBadAnswer);  // it will never fit
    return false;
  }
  work_->upstream_in.let_go();
  close_ = closes;
  answering_ = true;
  return true;
}

void Session::pump_answer_body() {
  while (true) {
    const std::size_t room = work_->client_out.room();
    if (room <= kChunkExtra) return;
    if (error_given_ < error_body_.size()) {
      const auto data = error_body_.bytes().substr(error_given_, room - kChunkExtra);
      append_answer(data);
      error_given_ += data.size();
      continue;
    }
    std::string_view bytes = work_->upstream_in.bytes();
    const std::size_t before = bytes.size();
    const auto piece = answer_body_.take(bytes, room - kChunkExtra);
    if (!piece.data.empty()) append_answer(piece.data);
    work_->upstream_in.remove(before - bytes.size());
    switch (piece.found) {
      case BodyReader::Found::data:
        break;
      case BodyReader::Found::whole:
        return end_answer();
      case BodyReader::Found::malformed:
        return abort(Cut::api);
      case BodyReader::Found::more:
        if (!upstream_ended_) return;
        return answer_body_.whole_at_close() && !upstream_broken_ ? end_answer() : abort(Cut::api);
    }
  }
}

void Session::append_answer(std::string_view data) {
  if (framing_ == Framing::Kind::chunked) {
    (void)append_chunk(work_->client_out, data);
  } else {
    (void)work_->client_out.append({data});
  }
}

void Session::end_answer() {
  if (framing_ == Framing::Kind::chunked) (void)work_->client_out.append({kLastChunk});
  release(reusable());
  work_->upstream_out.clear();
  work_->upstream_in.clear();
  finish_request();
}

/// Reads the body of an error, as much of it as is looked at, whatever the budget for bodies is.
void Session::collect_error() {
  while (true) {
    std::string_view bytes = work_->upstream_in.bytes();
    const std::size_t before = bytes.size();
    const auto piece = answer_body_.take(bytes, kMaxErrorBody - error_body_.size());
    error_body_.append(piece.data);
    const bool more_than_enough = piece.found == BodyReader::Found::more && !bytes.empty();
    work_->upstream_in.remove(before - bytes.size());
    if (piece.found == BodyReader::Found::data) continue;
    if (piece.found == BodyReader::Found::malformed) return fail_upstream(kBadAnswer);
    if (piece.found == BodyReader::Found::more && !more_than_enough) {
      if (!upstream_ended_) return;
      answer_cut_ = upstream_broken_ || !answer_body_.whole_at_close();
    }
    return end_error();
  }
}

void Session::end_error() {
  if (rules_.hide_tokens) rules_.hide_tokens(error_body_.writable());
  if (needs_judgement()) return judge();
  if (answer_cut_) return give_cut_error();
  phase_ = Phase::exchange;
}

/// What has come of its body is of no use, but its status is what the client asks for.
void Session::give_cut_error() {
  fail_upstream({status_, kCutAnswer, "The API gave this status, but not the rest of its answer."});
}

void Session::judge() {
  phase_ = Phase::judge;
  waiting_since_ = now_;
  actions_.add(action::Judge{can_retry() && !request_is_cut()});
}

/// The connection ended without an answer. A request may be sent again if that cannot repeat its
/// effect: nothing of it was sent, or it is idempotent and the connection was an old one, which the
/// API may have closed before it saw the request.
void Session::upstream_lost() {
  const bool harmless = nothing_sent_ || (reused_ && idempotent());
  if (answer_begun_ || !harmless || !replayable() || resends_ == kMaxResendsOfLost)
    return fail_upstream(kLostAnswer);
  ++resends_;
  if (nothing_sent_) --attempts_;
  drop_upstream();
  acquire(true);
}

/// After a 204 with a length some servers send a body, against RFC 9110 section 8.6.
bool Session::reusable() const noexcept {
  const bool clear =
      answer().status != 204 || (!answer().chunked && answer().content_length.value_or(0) == 0);
  return clear && request_sent_ && !write_failed_ && !upstream_ended_ &&
         work_->upstream_out.empty() && answer_body_.whole() && work_->upstream_in.empty() &&
         !answer().close;
}

}  // namespace skewguard::relay
