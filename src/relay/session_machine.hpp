#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "relay/admission.hpp"
#include "relay/buffer.hpp"
#include "relay/framing.hpp"
#include "relay/head_codec.hpp"
#include "relay/held_body.hpp"
#include "skewguard/time.hpp"

/// What happens on one client's connection, from the first byte of a request to the last of its
/// answer, and again. Pure: the driver owns sockets, buffers, tokens and clocks.
namespace skewguard::relay {

/// For all sessions of a worker; the driver may change it between steps.
struct SessionRules {
  AdmissionRules admission;
  std::string api_authority;  ///< the value of Host
  std::string api_origin;     ///< scheme://host[:port]
  /// Overwrites where they are, without changing the length, the tokens that the API was sent. Sees
  /// the head of each answer, and the first 64 KiB of the body of an error (4xx, 5xx), without its
  /// chunks and however it arrived. A token that begins there and ends behind them is hidden as far
  /// as it is seen. Other bodies are the API's resources and are not looked at. May be empty.
  std::function<void(std::span<char>)> hide_tokens;
  /// Bodies up to this size are kept, so that the request can be sent again.
  std::size_t max_replay_body = std::size_t{1024} * 1024;
  Duration hold = std::chrono::seconds{12};         ///< for a token and a connection
  Duration first_byte = std::chrono::seconds{60};   ///< of the answer, once the request is sent
  Duration no_progress = std::chrono::seconds{60};  ///< either way
  Duration idle = std::chrono::seconds{65};         ///< between requests
  bool draining = false;                            ///< each answer ends its connection
};

/// The memory of a busy session. While Session::at_rest(), it can be lent to another one. Bytes may
/// move in each step: so a driver reads and writes when a socket is ready, and no operation with a
/// pointer into a buffer may outlast a step.
struct Workspace {
  Buffer client_in;     ///< the driver adds what it reads; at least kMaxHead + 16 KiB
  Buffer client_out;    ///< the driver writes it and removes what is written; as large
  Buffer upstream_in;   ///< as client_in; may repeat the token, so it belongs in secret memory
  Buffer upstream_out;  ///< as client_out; holds the token, so it belongs there, too
  RequestReader request;
  AnswerReader answer;
};

/// The code of the Problem if UpstreamReady or UpstreamDenied did not come in time.
inline constexpr std::string_view kHoldTimeout = "hold.timeout";
/// Its code if the API's answer cannot be read.
inline constexpr std::string_view kMalformedAnswer = "api.answer.malformed";

/// Its code if the API's answer is an error that ended early or stalled. Its status is the API's.
inline constexpr std::string_view kCutAnswer = "api.answer.cut";

/// Why a client's connection ends before its answer is complete.
enum class Cut : std::uint8_t {
  none,
  client,   ///< it left, or sent what cannot be read
  api,      ///< its answer broke off, or cannot be read
  stalled,  ///< one of the two made no progress
  stopping  ///< the session had to end
};
/// One word; empty for none.
constexpr std::string_view to_string(Cut cut) noexcept {
  constexpr std::array<std::string_view, 5> kWords{"", "client", "api", "stalled", "stopping"};
  return kWords[static_cast<std::size_t>(cut)];
}

/// An error that the client gets from us, as the driver words it. The views are valid until the
/// Page that answers Fail.
struct Problem {
  int status = 500;
  std::string_view code;     ///< follows "skewguard."
  std::string_view message;  ///< a sentence
  bool retry = false;        ///< with Retry-After: nothing was sent to the API
  Duration retry_after = std::chrono::seconds{5};  ///< when another try makes sense
};

namespace event {
/// Bytes were added to client_in.
struct ClientBytes {};
/// Bytes of client_out were written and removed.
struct ClientSent {};
/// The client sends no more. It may still wait for its answer.
struct ClientEnded {};
/// The client can be neither read nor written any more.
struct ClientGone {};
/// Answers Acquire.
struct UpstreamReady {
  std::string_view authorization;  ///< the whole value; copied at once
  std::uint64_t generation = 0;    ///< of the token
  bool reused = false;             ///< the connection has carried a request before
};
/// Answers Acquire: there is no token, or no connection.
struct UpstreamDenied {
  Problem problem;  ///< `retry` is ignored if something was sent already
};
struct UpstreamBytes {};  ///< bytes were added to upstream_in
struct UpstreamSent {};   ///< bytes of upstream_out were written and removed
/// Writing failed. Reading goes on: an early answer may be there.
struct UpstreamWriteFailed {};
/// The upstream ended the connection, or reading failed.
struct UpstreamEnded {
  bool nothing_sent = false;  ///< not one byte of the request has left this machine
  bool broken = false;        ///< it was not ended, but failed: more might have come
};
/// Answers Judge.
struct Judged {
  std::string_view verdict;  ///< valid until Next
  bool retry = false;        ///< with a token of a generation later than `after`
  std::uint64_t after = 0;
};
/// Answers Serve and Fail.
struct Page {
  int status = 200;
  std::string_view reason;
  std::string_view fields;  ///< complete lines, without Content-Length and Connection
  std::string_view body;    ///< valid until Next
};
/// Follows Done: what the session says about that request is not needed any more.
struct Next {};
/// Time has passed: to be sent at about deadline().
struct Tick {};
/// The session must end. Close follows, unless an answer is on its way that cannot be written now.
struct Stop {};
}  // namespace event
using SessionEvent =
    std::variant<event::ClientBytes, event::ClientSent, event::ClientEnded, event::ClientGone,
                 event::UpstreamReady, event::UpstreamDenied, event::UpstreamBytes,
                 event::UpstreamSent, event::UpstreamWriteFailed, event::UpstreamEnded,
                 event::Judged, event::Page, event::Next, event::Tick, event::Stop>;

namespace action {
/// Get a token and a connection to the API; answer with UpstreamReady or UpstreamDenied.
struct Acquire {
  std::uint64_t after = 0;  ///< only a token of a later generation will do
  bool fresh = false;       ///< only a new connection will do
};
/// Let the engine judge workspace.answer.head() and error_body(), which is empty below status 400,
/// both without tokens; answer with Judged. Comes for each answer 400, 401, 403, 429 or 504, and
/// for every answer once an earlier one was retried.
struct Judge {
  bool can_retry = false;  ///< otherwise the client gets this answer in any case
};
/// Answer with the Page of this route, which is neither api nor preflight. The request is in
/// workspace.request.head(), its body in request_body().
struct Serve {
  Route route = Route::api;
};
/// Answer with the Page for this problem.
struct Fail {
  Problem problem;
};
/// The upstream connection is not needed any more.
struct Release {
  bool reusable = false;  ///< otherwise close it
};
/// Nobody waits any more for the answer to Acquire, Judge, Serve or Fail. None may follow.
struct Abandon {};
/// The request has been answered, up to what is in client_out. Go on with Next, at once or when
/// that has been written.
struct Done {};
/// The session has ended.
struct Close {
  /// Not none: reset the connection, since the client must see that its answer is cut short.
  Cut cut = Cut::none;
  /// Read and discard for a moment after the last byte: the client still sends.
  bool linger = false;
};
}  // namespace action
using SessionAction = std::variant<action::Acquire, action::Judge, action::Serve, action::Fail,
                                   action::Release, action::Abandon, action::Done, action::Close>;

/// The actions of one step, to be carried out in this order.
class SessionActions {
 public:
  [[nodiscard]] const SessionAction* begin() const noexcept { return list_.data(); }
  [[nodiscard]] const SessionAction* end() const noexcept { return list_.data() + count_; }
  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  void add(const SessionAction& action) noexcept { list_.at(count_++) = action; }
  void clear() noexcept { count_ = 0; }

 private:
  std::array<SessionAction, 6> list_{};
  std::size_t count_ = 0;
};

/// The machine. After each step the driver carries out the actions, reads where reads_client() and
/// reads_upstream() ask for it, and writes what is in the two out buffers. Not thread-safe.
class Session {
 public:
  /// The references must outlive it.
  Session(const SessionRules& rules, ReplayMemory& memory, Instant now) noexcept
      : rules_(rules), progress_(now), held_(memory), error_body_(memory) {}

  /// The actions are valid until the next step. After Close no step may follow.
  const SessionActions& step(const SessionEvent& event, Workspace& work, Instant now);

  /// Whether bytes from the client are wanted: there is room for them.
  [[nodiscard]] bool reads_client(const Workspace& work) const noexcept;
  [[nodiscard]] bool reads_upstream(const Workspace& work) const noexcept;
  /// When to send Tick; Instant::max() = never. Later events may move it.
  [[nodiscard]] Instant deadline() const noexcept;
  /// Between requests, with nothing left in the workspace.
  [[nodiscard]] bool at_rest(const Workspace& work) const noexcept;

  // For the answers to Judge and Serve, and for the log line at Done. Views are valid until Next.
  [[nodiscard]] std::string_view request_body() const noexcept { return held_.bytes(); }
  [[nodiscard]] std::string_view error_body() const noexcept { return error_body_.bytes(); }
  /// The head of the API's answer is complete: workspace.answer.head(), valid until the next step.
  [[nodiscard]] bool answer_read() const noexcept { return answer_read_; }
  [[nodiscard]] std::string_view target() const noexcept { return target_; }
  [[nodiscard]] std::uint64_t generation() const noexcept { return generation_; }
  [[nodiscard]] unsigned attempts() const noexcept { return attempts_; }  ///< sends to the API
  [[nodiscard]] std::string_view verdict() const noexcept { return verdict_; }
  [[nodiscard]] int status() const noexcept { return status_; }  ///< of the answer; 0 = none yet
  /// When its head was complete, or had begun if it never was.
  [[nodiscard]] Instant started() const noexcept { return started_; }
  /// How many requests have begun so, this one included: two may begin at the same instant.
  [[nodiscard]] std::uint64_t requests() const noexcept { return requests_; }

 private:
  enum class Phase : std::uint8_t {
    head,      // a request head is awaited
    own_body,  // the body of a request that is answered here is read
    acquire,   // a token and a connection are awaited
    exchange,  // request and answer are on their way
    error,     // the body of an error is read
    judge,     // its judgement is awaited
    page,      // the content of our own answer is awaited
    own,       // our own answer is on its way
    done,      // the driver looks at what happened
    closing,   // the last answer is on its way
    closed,
  };

  void on(const event::ClientBytes&) noexcept {}
  void on(const event::ClientSent&) noexcept {}
  void on(const event::ClientEnded&);
  void on(const event::ClientGone&);
  void on(const event::UpstreamReady& ready);
  void on(const event::UpstreamDenied& denied);
  void on(const event::UpstreamBytes&) noexcept {}
  void on(const event::UpstreamSent&) noexcept {}
  void on(const event::UpstreamWriteFailed&);
  void on(const event::UpstreamEnded& ended);
  void on(const event::Judged& judged);
  void on(const event::Page& page);
  void on(const event::Next&);
  void on(const event::Tick&);
  void on(const event::Stop&);

  void advance();
  void read_head();
  void refuse_head(const Problem& problem);
  void admit_request();
  void read_own_body();
  void acquire(bool fresh);

  void hold_while_waiting();
  [[nodiscard]] bool request_is_cut() const noexcept;
  void stop_sending();
  void pump_request();
  bool take_body();
  [[nodiscard]] std::size_t room_to_hold() const noexcept;
  bool hold_body();
  void send_held();
  bool stream_body();
  void append_body(std::string_view data);
  void end_request_body();

  void pump_answer();
  bool read_answer_head();
  void pass_interim();
  bool short_body_is_here();
  bool begin_answer();
  void pump_answer_body();
  void append_answer(std::string_view data);
  void end_answer();
  void collect_error();
  void end_error();
  void give_cut_error();
  void judge();
  void upstream_lost();

  void pump_page();
  bool begin_page();
  void answer_preflight();

  void fail(const Problem& problem);
  void fail_upstream(const Problem& problem);
  void release(bool reusable);
  void drop_upstream();
  void finish_request();
  void abort(Cut why);
  void close(const action::Close& how);
  [[nodiscard]] bool must_close() const noexcept;
  [[nodiscard]] bool still_sends() const noexcept;
  [[nodiscard]] bool reusable() const noexcept;
  [[nodiscard]] bool replayable() const noexcept { return !streamed_; }
  [[nodiscard]] bool needs_judgement() const noexcept;
  [[nodiscard]] bool can_retry() const noexcept;
  [[nodiscard]] bool idempotent() const noexcept;
  [[nodiscard]] bool waits_for_driver() const noexcept;
  [[nodiscard]] const RequestHead& request() const noexcept { return work_->request.head(); }
  [[nodiscard]] const AnswerHead& answer() const noexcept { return work_->answer.head(); }

  const SessionRules& rules_;
  Workspace* work_ = nullptr;  // of this step
  Instant now_{};              // of this step
  SessionActions actions_;

  // The connection.
  Phase phase_ = Phase::head;
  Instant progress_;         // the last event that moved something
  Instant waiting_since_{};  // for what the driver was asked
  bool has_bytes_ = false;   // of a request head that is not complete
  bool leaving_ = false;     // the end of the last answer waits to be written
  bool client_ended_ = false;
  bool close_ = false;  // after the answer under way

  // The request.
  HeldBody held_;  // its body, as long as it can be sent again
  BodyReader body_;
  std::string_view target_;
  std::string_view origin_;  // of the web page that sent it; empty if none did
  Route route_ = Route::api;
  Instant started_{};
  std::uint64_t requests_ = 0;
  bool holding_ = true;       // what comes is held
  bool streamed_ = false;     // something came that is not held
  bool has_request_ = false;  // its head was read
  bool probed_ = false;       // an interim answer was sent to see whether the client is there

  // Its way to the API.
  std::uint64_t generation_ = 0;
  unsigned attempts_ = 0;
  unsigned resends_ = 0;     // after connections that failed
  bool retried_ = false;     // after a judgement: the engine waits for what comes of it
  std::uint64_t after_ = 0;  // only tokens of later generations will do
  std::size_t sent_ = 0;     // of held_, into upstream_out
  bool has_upstream_ = false;
  bool reused_ = false;
  bool request_sent_ = false;  // all of it is in upstream_out
  bool write_failed_ = false;  // or the rest of it will never come
  bool upstream_ended_ = false;
  bool upstream_broken_ = false;
  bool nothing_sent_ = false;  // of this attempt, and upstream_ended_

  // The answer.
  HeldBody error_body_;  // its beginning
  BodyReader answer_body_;
  Framing::Kind framing_ = Framing::Kind::none;  // towards the client
  std::string_view verdict_;
  int status_ = 0;
  unsigned interims_ = 0;
  std::size_t error_given_ = 0;  // of error_body_, into client_out
  bool answer_begun_ = false;    // bytes of it have come
  bool answer_read_ = false;     // its head is complete
  bool answering_ = false;       // its head is in client_out
  bool answer_cut_ = false;      // the error is not complete
  event::Page page_;
  std::size_t page_given_ = 0;  // of the page's body, into client_out
  bool page_headed_ = false;
};

}  // namespace skewguard::relay
