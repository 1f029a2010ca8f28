#include "proxy/session.hpp"

#include <array>
#include <chrono>
#include <string_view>
#include <tuple>
#include <utility>
#include <variant>

#include "net/reason_phrase.hpp"
#include "proxy/own_pages.hpp"

namespace skewguard::proxy {
namespace {

namespace event = relay::event;
namespace action = relay::action;
using Moved = Socket::Moved;

constexpr std::chrono::seconds kLingerTime{2};
constexpr std::size_t kMaxDropped = std::size_t{16} * 1024 * 1024;  // bytes of one connection
/// Reads and writes of one session before the others have their turn.
constexpr int kMovesATurn = 8;

/// What a request that was sent got instead of an answer.
Verdict verdict_of(const relay::Problem& problem) noexcept {
  constexpr int kBadGateway = 502;
  constexpr int kTimedOut = 504;
  if (problem.status == kTimedOut) return Verdict::timeout;
  if (problem.status != kBadGateway) return Verdict::ok;  // the request is to blame
  return problem.code == relay::kMalformedAnswer ? Verdict::protocol : Verdict::network;
}

}  // namespace

Session::Session(Worker& worker, Descriptor socket)
    : worker_(worker),
      client_(worker.loop(), std::move(socket), *this),
      machine_(worker.rules(), worker.replay_memory(), worker.now()) {}

Instant Session::deadline() const noexcept {
  return state_ == State::lingering ? linger_until_ : machine_.deadline();
}

void Session::tick() {
  state_ == State::lingering ? close() : step(event::Tick{});
}

// The machine -------------------------------------------------------------------------------------

void Session::step(const Event& event) {
  const auto self = shared_from_this();
  now_ = worker_.now();
  take(event);
  settle();
}

/// Lets the machine go on until it waits for something that is not here yet.
void Session::take(const Event& event) {
  answer_ = event;
  while (serving() && answer_) {
    const Event next = *std::exchange(answer_, std::nullopt);
    if (!desk_) desk_ = worker_.desks().lend();
    const auto& actions = machine_.step(next, desk_->work, now_);
    note_answer();
    stepping_ = true;
    for (const auto& action : actions) {
      if (serving()) std::visit([this](const auto& one) { carry_out(one); }, action);
    }
    stepping_ = false;
  }
}

/// Answers an action: from within it, or later.
void Session::respond(const Event& event) {
  if (stepping_) {
    answer_ = event;
  } else {
    step(event);
  }
}

/// Moves bytes as far as they go.
void Session::settle() {
  for (int moves = 1; serving() && move(); ++moves) {
    if (moves == kMovesATurn) {
      client_.again();
      break;
    }
  }
  if (serving() && desk_ && !upstream_ && machine_.at_rest(desk_->work))
    worker_.desks().give_back(std::move(desk_));
}

/// One read or write, and what follows from it. False: all wait.
bool Session::move() {
  return write_client() || write_upstream() || read_upstream() || read_client();
}

/// Something about one of the two sockets has changed.
void Session::socket_ready() {
  const auto self = shared_from_this();
  now_ = worker_.now();
  state_ == State::lingering ? linger() : settle();
}

/// In the middle of a request, perhaps.
void Session::drop_desk() {
  if (!desk_) return;
  desk_->reset();
  worker_.desks().give_back(std::move(desk_));
}

void Session::stop() {
  const auto self = shared_from_this();
  if (serving()) step(event::Stop{});
  if (serving()) {
    record_.cut = relay::Cut::stopping;
    client_.reset();
  }
  close();
}

void Session::close() {
  if (state_ == State::ended) return;
  const auto self = shared_from_this();
  if (serving()) {
    carry_out(action::Abandon{});
    const bool counted = machine_.requests() == counted_;
    if (!counted) count_end(noted_ ? machine_.status() : 0);
    if (!counted || answered_) log_end();
  }
  state_ = State::ended;
  guard_.reset();
  release(false);
  client_.close();
  drop_desk();
  worker_.ended(self);
}

// The client --------------------------------------------------------------------------------------

/// Whether something has happened; likewise the others.
bool Session::write_client() {
  if (!desk_ || desk_->work.client_out.empty()) return false;
  const Moved moved = client_.write(desk_->work.client_out);
  if (moved == Moved::nothing) return false;
  if (moved == Moved::failed) {
    take(event::ClientGone{});
  } else if (answered_ && desk_->work.client_out.empty()) {
    go_on();
  } else {
    take(event::ClientSent{});
  }
  return true;
}

/// A client that leaves is noticed even while nothing of what it sent last can be read.
bool Session::read_client() {
  if (ended_ || (desk_ && !machine_.reads_client(desk_->work))) {
    if (!client_.gone()) return false;
    take(event::ClientGone{});
    return true;
  }
  if (!desk_) desk_ = worker_.desks().lend();
  switch (client_.read(desk_->work.client_in)) {
    case Moved::nothing:
      return false;
    case Moved::some:
      take(event::ClientBytes{});
      return true;
    case Moved::end:
      ended_ = true;
      take(event::ClientEnded{});
      return true;
    case Moved::failed:
      take(event::ClientGone{});
      return true;
  }
  return false;
}

void Session::carry_out(const action::Close& what) {
  record_.cut = what.cut;
  if (what.cut != relay::Cut::none) client_.reset();
  what.linger ? begin_to_linger() : close();
}

void Session::turn_away() {
  const Page page =
      problem_page({503, "too.many.connections", "Too many programs are connected already.", true});
  const std::string_view body = page.body.reveal();
  std::string text = "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n";
  text.append(fields_text(page, worker_.service().clocks.now().wall));
  text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n\r\n");
  text.append(body);
  relay::Buffer out(text);
  out.added(text.size());
  if (client_.write(out) == Moved::some) {
    record_.status = page.status;
    worker_.metrics().answered(record_);
  }
  begin_to_linger();
}

/// Reads on for a moment: closing with bytes unread would reset the last answer away.
void Session::begin_to_linger() {
  state_ = State::lingering;
  linger_until_ = worker_.now() + kLingerTime;
  client_.finish();
  drop_desk();
  linger();
}

void Session::linger() {
  std::array<char, std::size_t{4} * 1024> dropped;
  while (dropped_ < kMaxDropped) {
    const auto got = client_.read(dropped);
    if (got.moved == Moved::nothing) return;
    if (got.moved != Moved::some) break;
    dropped_ += got.size;
  }
  close();
}

void Session::carry_out(const action::Serve& what) {
  const auto& head = desk_->work.request.head();
  const auto authorization = head.fields.find(relay::FieldName::authorization);
  own_page(worker_.loop(), what.route, authorization.value_or(""), machine_.request_body(),
           worker_.service(), worker_.rules().draining,
           [self = shared_from_this(), wanted = ++page_wanted_](Page page) {
             if (self->serving() && self->page_wanted_ == wanted) self->give(std::move(page));
           });
}

void Session::carry_out(const action::Fail& what) {
  relay::Problem problem = what.problem;
  if (problem.code == relay::kHoldTimeout) say_what_was_awaited(problem);
  if (machine_.attempts() > 0 && verdict_ == Verdict::ok) verdict_ = verdict_of(problem);
  give(problem_page(problem));
}

void Session::give(Page page) {
  page_ = std::move(page);
  const int attempts = static_cast<int>(machine_.attempts());
  page_fields_ = fields_text(page_, worker_.service().clocks.now().wall);
  if (attempts > 0) {
    page_fields_.append("Skewguard-Verdict: ").append(to_string(verdict_));
    page_fields_.append("\r\nSkewguard-Attempts: ").append(std::to_string(attempts));
    page_fields_.append("\r\n");
  }
  respond(event::Page{page_.status, net::reason_phrase(page_.status), page_fields_,
                      page_.body.reveal()});
}

/// Counted before the client sees the end of its answer, and logged after that: it may yet be cut.
void Session::carry_out(const action::Done&) {
  count_end(machine_.status());
  guard_.reset();
  answered_ = true;
  if (desk_->work.client_out.empty()) go_on();
}

/// The client has its answer.
void Session::go_on() {
  log_end();
  answered_ = false;
  record_ = {};
  page_ = {};
  verdict_ = Verdict::ok;
  noted_ = false;
  stepping_ ? respond(event::Next{}) : take(event::Next{});
}

void Session::count_end(int status) {
  counted_ = machine_.requests();
  record_.status = status;
  record_.attempts = static_cast<int>(machine_.attempts());
  if (record_.attempts > 0) record_.verdict = verdict_;
  worker_.metrics().answered(record_);
}

void Session::log_end() {
  Service& service = worker_.service();
  if (!service.access_log.writes()) return;
  const Now now = service.clocks.now();
  const auto& head = desk_->work.request.head();
  record_.total = now.boot - machine_.started();
  record_.time = now.wall - record_.total;
  record_.method = head.method;
  record_.path = relay::path_of(head.target);
  service.access_log.write(record_);
}

}  // namespace skewguard::proxy
