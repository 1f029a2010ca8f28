#include "relay/session_machine.hpp"

#include <algorithm>

#include "relay/header_rules.hpp"

namespace skewguard::relay {
namespace {

constexpr std::size_t kMaxOwnBody = std::size_t{16} * 1024;  // of a login
constexpr int kNoContent = 204;
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

constexpr Problem kSlowHead{408, "request.timeout", "The request did not arrive in time."};
constexpr Problem kHeld{503, kHoldTimeout, "No valid token was available in time.", true};
constexpr Problem kSlowApi{504, "api.timeout", "The API did not answer in time."};
constexpr Problem kStopping{503, "stopping", "The sidecar is ending.", true};
constexpr Problem kStoppedApi{504, "api.timeout",
                              "The API did not answer before the sidecar ended."};
constexpr Problem kBadBody{400, "bad.request", "The chunks of the request are malformed."};
constexpr Problem kCutBody{400, "bad.request", "The request ended before its body."};
constexpr Problem kLargeBody{413, "body.too.large", "The body is too large for this page."};
constexpr Problem kLargeHead{431, "bad.request", "The request's head is too large to be sent on."};

}  // namespace

const SessionActions& Session::step(const SessionEvent& event, Workspace& work, Instant now) {
  actions_.clear();
  work_ = &work;
  now_ = now;
  if (!std::holds_alternative<event::Tick>(event)) progress_ = now;
  std::visit([this](const auto& what) { on(what); }, event);
  advance();
  return actions_;
}

bool Session::reads_client(const Workspace& work) const noexcept {
  return phase_ != Phase::closing && phase_ != Phase::closed && !client_ended_ &&
         work.client_in.room() > 0;
}

bool Session::reads_upstream(const Workspace& work) const noexcept {
  return has_upstream_ && !upstream_ended_ && work.upstream_in.room() > 0 &&
         (phase_ == Phase::exchange || phase_ == Phase::error);
}

Instant Session::deadline() const noexcept {
  switch (phase_) {
    case Phase::head:
      if (has_bytes_) return waiting_since_ + rules_.no_progress;
      return progress_ + (leaving_ ? rules_.no_progress : rules_.idle);
    case Phase::acquire:
    case Phase::judge:
      return waiting_since_ + rules_.hold;
    case Phase::exchange:
      return progress_ + (request_sent_ && !answer_begun_ ? rules_.first_byte : rules_.no_progress);
    case Phase::page:
    case Phase::closed:
      return Instant::max();
    default:
      return progress_ + rules_.no_progress;
  }
}

bool Session::at_rest(const Workspace& work) const noexcept {
  return phase_ == Phase::head && work.client_in.empty() && work.client_out.empty();
}

bool Session::idempotent() const noexcept {
  constexpr std::array<std::string_view, 6> kMethods{"GET", "HEAD",   "OPTIONS",
                                                     "PUT", "DELETE", "TRACE"};
  return std::ranges::find(kMethods, request().method) != kMethods.end();
}

bool Session::waits_for_driver() const noexcept {
  return phase_ == Phase::acquire || phase_ == Phase::judge || phase_ == Phase::page;
}

void Session::on(const event::ClientEnded&) {
  client_ended_ = true;
  // A client that has closed looks like one that only sends no more. It resets the connection when
  // something comes; an interim answer does no harm otherwise (RFC 9110 section 15.2).
  const bool waits = phase_ == Phase::acquire || phase_ == Phase::exchange ||
                     phase_ == Phase::error || phase_ == Phase::judge;
  if (waits && !answering_ && !probed_ && body_.whole() && request().version >= 11 &&
      work_->client_out.empty())
    probed_ = work_->client_out.append({kContinue});
}

void Session::on(const event::ClientGone&) {
  if (waits_for_driver()) actions_.add(action::Abandon{});
  abort(Cut::client);
}

void Session::on(const event::UpstreamReady& ready) {
  generation_ = ready.generation;
  reused_ = ready.reused;
  has_upstream_ = true;
  sent_ = 0;
  request_sent_ = write_failed_ = upstream_ended_ = false;
  answer_begun_ = answer_read_ = false;
  work_->upstream_in.clear();
  work_->upstream_out.clear();
  work_->answer.restart();
  const OutgoingRequest outgoing{target_, rules_.api_authority, ready.authorization};
  if (!append_request_head(request(), outgoing, work_->upstream_out)) {
    release(true);
    fail(kLargeHead);
    return;
  }
  ++attempts_;
  phase_ = Phase::exchange;
  const bool begun = held_.size() > 0 || !work_->client_in.empty();
  if (request().expects_continue && !probed_ && !body_.whole() && !begun)
    probed_ = work_->client_out.append({kContinue});
}

void Session::on(const event::UpstreamDenied& denied) {
  Problem problem = denied.problem;
  if (attempts_ > 0) problem.retry = false;
  if (attempts_ > 0 && problem.status == 503) problem.status = 502;
  fail(problem);
}

void Session::on(const event::UpstreamWriteFailed&) {
  stop_sending();
}

void Session::on(const event::UpstreamEnded& ended) {
  upstream_ended_ = true;
  upstream_broken_ = ended.broken;
  nothing_sent_ = ended.nothing_sent;
}

void Session::on(const event::Judged& judged) {
  verdict_ = judged.verdict;
  if (judged.retry && can_retry()) {
    release(reusable());
    work_->upstream_in.clear();
    error_body_.clear();
    retried_ = true;
    after_ = judged.after;
    acquire(false);
    return;
  }
  if (answer_cut_) return give_cut_error();
  phase_ = Phase::exchange;
}

void Session::on(const event::Page& page) {
  page_ = page;
  status_ = page.status;
  page_given_ = 0;
  page_headed_ = false;
  phase_ = Phase::own;
}

void Session::on(const event::Next&) {
  held_.clear();
  error_body_.clear();
  if (close_) {
    phase_ = Phase::closing;
    return;
  }
  work_->client_in.let_go();
  work_->request.restart();
  target_ = origin_ = verdict_ = {};
  attempts_ = resends_ = interims_ = 0;
  sent_ = error_given_ = 0;
  status_ = 0;
  generation_ = after_ = 0;
  holding_ = true;
  retried_ = false;
  streamed_ = probed_ = has_request_ = has_bytes_ = answering_ = answer_cut_ = false;
  phase_ = Phase::head;
}

void Session::on(const event::Tick&) {
  if (now_ < deadline()) return;
  switch (phase_) {
    case Phase::head:
      if (has_bytes_) return refuse_head(kSlowHead);
      return leaving_ ? abort(Cut::stalled) : close({});
    case Phase::own_body:
      return fail(kSlowHead);
    case Phase::acquire:
      actions_.add(action::Abandon{});
      return on(event::UpstreamDenied{kHeld});
    case Phase::judge:
      actions_.add(action::Abandon{});
      return on(event::Judged{"unknown"});
    case Phase::error:
      answer_cut_ = true;
      return end_error();
    case Phase::exchange:
      if (answering_) return abort(Cut::stalled);
      return fail_upstream(body_.whole() || !work_->client_in.empty() ? kSlowApi : kSlowHead);
    default:
      return abort(Cut::stalled);
  }
}

void Session::on(const event::Stop&) {
  close_ = true;
  switch (phase_) {
    case Phase::head:
      return leaving_ ? abort(Cut::stopping) : close({});
    case Phase::own_body:
      return fail(kStopping);
    case Phase::acquire:
    case Phase::page:
      actions_.add(action::Abandon{});
      return on(event::UpstreamDenied{kStopping});  // which knows whether something was sent
    case Phase::judge:
      actions_.add(action::Abandon{});
      return on(event::Judged{"unknown"});
    case Phase::exchange:
    case Phase::error:
      return answering_ ? abort(Cut::stopping) : fail_upstream(kStoppedApi);
    default:
      return;
  }
}

void Session::advance() {
  while (true) {
    const Phase before = phase_;
    switch (phase_) {
      case Phase::head:
        read_head();
        break;
      case Phase::own_body:
        read_own_body();
        break;
      case Phase::acquire:
        hold_while_waiting();
        break;
      case Phase::exchange:
        pump_request();
        if (phase_ == Phase::exchange) pump_answer();
        break;
      case Phase::error:
        pump_request();
        if (phase_ == Phase::error) collect_error();
        break;
      case Phase::own:
        pump_page();
        break;
      case Phase::closing:
        if (work_->client_out.empty()) close({.linger = still_sends()});
        break;
      default:
        break;
    }
    if (phase_ == before) return;
  }
}

/// The next request begins once the last answer has left, so that its own answer has room.
void Session::read_head() {
  leaving_ = !work_->client_out.empty();
  if (leaving_) return;
  (void)work_->client_in.space();  // to the front, where the head is kept
  if (!has_bytes_) waiting_since_ = now_;
  has_bytes_ = !work_->client_in.empty();
  const ReadHead found =
      has_bytes_ ? work_->request.read(work_->client_in.bytes()) : ReadHead::more;
  switch (found) {
    case ReadHead::more:
      if (client_ended_) phase_ = Phase::closing;
      return;
    case ReadHead::refused: {
      const HeadFault fault = work_->request.fault();
      return refuse_head({status_for(fault), "bad.request", words(fault)});
    }
    case ReadHead::whole:
      break;
  }
  work_->client_in.keep(request().size);
  has_request_ = true;
  started_ = waiting_since_ = now_;
  ++requests_;
  body_ = BodyReader(request_framing(request()));
  admit_request();
}

/// Nobody knows where the next request would begin.
void Session::refuse_head(const Problem& problem) {
  close_ = true;
  started_ = waiting_since_;
  ++requests_;
  fail(problem);
}

void Session::admit_request() {
  const Admission admission = admit(request(), rules_.admission);
  target_ = request().target;
  origin_ = admission.origin;
  if (admission.denial != Denial::none) {
    const DenialText text = text_of(admission.denial);
    return fail({text.status, text.code, text.message});
  }
  target_ = admission.target;
  route_ = admission.route;
  if (route_ != Route::api) {
    phase_ = Phase::own_body;
    return;
  }
  holding_ = request().content_length.value_or(0) <= rules_.max_replay_body;
  acquire(false);
}

void Session::read_own_body() {
  const bool waits = request().expects_continue && !probed_ && work_->client_in.empty();
  if (waits && !body_.whole()) probed_ = work_->client_out.append({kContinue});
  if (!hold_body()) return fail(kBadBody);
  if (!holding_) return fail(kLargeBody);
  if (!body_.whole()) {
    if (client_ended_) fail(kCutBody);
    return;
  }
  if (route_ == Route::preflight) return answer_preflight();
  phase_ = Phase::page;
  actions_.add(action::Serve{route_});
}

void Session::acquire(bool fresh) {
  phase_ = Phase::acquire;
  waiting_since_ = attempts_ == 0 ? started_ : now_;
  actions_.add(action::Acquire{after_, fresh});
}

/// What has come before the token shows whether the request is complete.
void Session::hold_while_waiting() {
  const bool well_formed = !holding_ || hold_body();
  if (well_formed && !request_is_cut()) return;
  actions_.add(action::Abandon{});
  fail(well_formed ? kCutBody : kBadBody);
}

/// Moves the request's body from the client to the API.
void Session::pump_request() {
  if (!take_body()) {
    if (answering_) return abort(Cut::client);
    return fail_upstream(kBadBody);
  }
  if (request_is_cut()) {
    if (!answer_read_) return fail_upstream(kCutBody);
    stop_sending();  // the answer came early, and the client sends no more than that needs
  }
  end_request_body();
}

bool Session::request_is_cut() const noexcept {
  return client_ended_ && !body_.whole() && work_->client_in.empty();
}

/// What the API has not got of the request it never gets. Its answer may come all the same.
void Session::stop_sending() {
  write_failed_ = true;
  work_->upstream_out.clear();
}

/// False if the body is malformed.
bool Session::take_body() {
  if (holding_ && !hold_body()) return false;
  send_held();
  return holding_ || sent_ < held_.size() || stream_body();
}

/// A login must work however many bodies are held: its own is small.
std::size_t Session::room_to_hold() const noexcept {
  return phase_ == Phase::own_body ? held_.below(kMaxOwnBody) : held_.room(rules_.max_replay_body);
}

/// Takes what fits into held_. If more comes, holding_ is false from here on.
bool Session::hold_body() {
  while (true) {
    std::string_view bytes = work_->client_in.bytes();
    const std::size_t before = bytes.size();
    const auto piece = body_.take(bytes, room_to_hold());
    held_.append(piece.data);
    const std::size_t left = bytes.size();
    work_->client_in.remove(before - left);
    if (piece.found == BodyReader::Found::data) continue;
    if (piece.found == BodyReader::Found::more && left > 0) holding_ = false;
    return piece.found != BodyReader::Found::malformed;
  }
}

void Session::send_held() {
  while (!write_failed_ && sent_ < held_.size()) {
    const std::size_t room = work_->upstream_out.room();
    if (room <= kChunkExtra) return;
    const auto data = held_.bytes().substr(sent_, room - kChunkExtra);
    append_body(data);
    sent_ += data.size();
  }
  if (write_failed_) sent_ = held_.size();
}

/// Takes what is not held. After a failed write it is dropped, so that the client reads on.
bool Session::stream_body() {
  while (true) {
    const std::size_t room = work_->upstream_out.room();
    if (room <= kChunkExtra) return true;
    std::string_view bytes = work_->client_in.bytes();
    const std::size_t before = bytes.size();
    const auto piece = body_.take(bytes, room - kChunkExtra);
    if (piece.found == BodyReader::Found::data) {
      if (!streamed_) held_.clear();
      sent_ = 0;
      streamed_ = true;
      if (!write_failed_) append_body(piece.data);
    }
    work_->client_in.remove(before - bytes.size());
    if (piece.found != BodyReader::Found::data) return piece.found != BodyReader::Found::malformed;
  }
}

void Session::append_body(std::string_view data) {
  if (request().chunked) {
    (void)append_chunk(work_->upstream_out, data);
  } else {
    (void)work_->upstream_out.append({data});
  }
}

void Session::end_request_body() {
  if (request_sent_ || !body_.whole() || sent_ < held_.size()) return;
  const bool last = request().chunked && !write_failed_;
  request_sent_ = !last || work_->upstream_out.append({kLastChunk});
}

void Session::fail(const Problem& problem) {
  phase_ = Phase::page;
  actions_.add(action::Fail{problem});
}

void Session::fail_upstream(const Problem& problem) {
  drop_upstream();
  fail(problem);
}

void Session::release(bool reusable) {
  if (has_upstream_) actions_.add(action::Release{reusable});
  has_upstream_ = false;
}

void Session::drop_upstream() {
  release(false);
  work_->upstream_out.clear();
  work_->upstream_in.clear();
}

bool Session::must_close() const noexcept {
  const bool last = client_ended_ && work_->client_in.empty();
  return close_ || last || rules_.draining || !has_request_ || request().close || !body_.whole();
}

void Session::finish_request() {
  actions_.add(action::Done{});
  phase_ = Phase::done;
}

/// Whether the client may be sending what nobody will read.
bool Session::still_sends() const noexcept {
  return !client_ended_ && (!has_request_ || !body_.whole() || !work_->client_in.empty());
}

/// The client has part of an answer and cannot get the rest.
void Session::abort(Cut why) {
  drop_upstream();
  close({.cut = why});
}

void Session::close(const action::Close& how) {
  phase_ = Phase::closed;
  actions_.add(how);
}

void Session::pump_page() {
  if (!page_headed_ && !begin_page()) return;
  const bool empty = request().method == "HEAD" || page_.status == kNoContent;
  const std::string_view body = empty ? std::string_view() : page_.body;
  const auto part = body.substr(page_given_, work_->client_out.room());
  (void)work_->client_out.append({part});
  page_given_ += part.size();
  if (page_given_ == body.size()) finish_request();
}

bool Session::begin_page() {
  close_ = must_close();
  page_headed_ = append_page_head({.status = page_.status,
                                   .reason = page_.reason,
                                   .fields = page_.fields,
                                   .length = page_.body.size(),
                                   .origin = origin_,
                                   .close = close_},
                                  work_->client_out);
  return page_headed_;
}

void Session::answer_preflight() {
  close_ = must_close();
  if (!append_preflight_answer(request(), origin_, close_, work_->client_out))
    return fail(kLargeHead);
  status_ = kNoContent;
  finish_request();
}

}  // namespace skewguard::relay
