// A client's connection with hostile peers on both sides and any order of events. The API's side is
// read by the strict parser of src/net.
#include <algorithm>
#include <array>
#include <chrono>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/overloaded.hpp"
#include "fuzz.hpp"
#include "net/request_parser.hpp"
#include "oauth/echo.hpp"
#include "relay/session_machine.hpp"

namespace {

using namespace skewguard;
using namespace skewguard::relay;
using fuzz::require;
using net::RequestParser;

constexpr std::size_t kBuffer = kMaxHead + std::size_t{1024} * 16;
constexpr std::string_view kSecret = "s3cr3t-token";
constexpr std::string_view kToken = "Bearer s3cr3t-token";

/// The answers to one request, up to the point where a body may repeat the token: that of a good
/// answer, and what is not looked at in an error.
std::string_view checked(std::string_view given, int status) {
  constexpr std::size_t kLooked = kBuffer;
  if (status >= 400) return given.substr(0, kLooked);
  std::size_t end = 0;
  bool interim = true;
  while (interim && end < given.size()) {
    interim = given.substr(end).starts_with("HTTP/1.1 1");
    const std::size_t blank = given.find("\r\n\r\n", end);
    end = blank == std::string_view::npos ? given.size() : blank + 4;
  }
  return given.substr(0, end);
}

/// One connection to the API, from Acquire to Release.
struct Upstream {
  RequestParser parser{{.head = 4 * kMaxHead, .body = 1024UL * 1024}};
  std::string given;  ///< what was sent to it
  bool whole = false;
  bool reused = false;
};

/// Plays the driver: carries out the actions and checks what holds whatever happens.
class Drive {
 public:
  explicit Drive(std::string_view script) : script_(script) {
    rules_.api_authority = "api.test";
    rules_.api_origin = "https://api.test";
    rules_.max_replay_body = 64;
    rules_.admission.origins = {"https://app.test"};
    rules_.hide_tokens = [this](std::span<char> words) { echo_.hide_in(words); };
    work_.client_in = Buffer(memory_[0]);
    work_.client_out = Buffer(memory_[1]);
    work_.upstream_in = Buffer(memory_[2]);
    work_.upstream_out = Buffer(memory_[3]);
  }

  void run() {
    while (!script_.empty() && !closed_) act(take());
  }

 private:
  unsigned take() {
    if (script_.empty()) return 0;
    const auto byte = static_cast<unsigned char>(script_.front());
    script_.remove_prefix(1);
    return byte;
  }

  /// Part of the script, as bytes of a peer.
  std::string_view take_bytes(std::size_t size) {
    const auto bytes = script_.substr(0, size);
    script_.remove_prefix(bytes.size());
    return bytes;
  }

  void act(unsigned command) {
    switch (command % 16) {
      case 0:
      case 1:
        return client_sends(known_request(take()));
      case 2:
        return client_sends(take_bytes(take()));
      case 3:
        return upstream_sends(known_answer(take()));
      case 4:
        return upstream_sends(take_bytes(take()));
      case 5:
        return answer_acquire(take() % 4);
      case 6:
        return answer_judge(take() % 2 == 1);
      case 7:
        return answer_page();
      case 8:
        return written(work_.client_out, take() + 1, event::ClientSent{});
      case 9:
      case 10:
        return upstream_takes(command % 32 < 16 ? kBuffer : take() + 1);
      case 11:
        return end_upstream(take() % 2 == 1);
      case 12:
        if (upstream_) step(event::UpstreamWriteFailed{});
        return;
      case 13:
        return end_or_write(take() % 8);
      case 14:
        return end_client(take() % 4 == 0);
      default:
        now_ += std::chrono::seconds(take() % 32);
        return step(event::Tick{});
    }
  }

  void end_or_write(unsigned which) {
    if (which == 0) return step(event::ClientGone{});
    if (which == 1) return step(event::Stop{});
    written(work_.client_out, kBuffer, event::ClientSent{});
  }

  static std::string_view known_request(unsigned which) {
    constexpr std::array<std::string_view, 8> kRequests{
        "GET /api/v2/x HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "POST /api/v2/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nbody",
        "POST /api/v2/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        "Expect: 100-continue\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST /api/v2/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 90\r\nConnection: A\r\nA: 1"
        "\r\n\r\n012345678901234567890123456789012345678901234567890123456789012345678901234567890"
        "123456789",
        "HEAD /api/api/v2/x?y HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer mine\r\n\r\n",
        "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab",
        "OPTIONS /api/v2/x HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.test\r\n"
        "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: x\r\n\r\n",
        "GET /api/v2/x HTTP/1.1\r\nHost: localhost\r\nOrigin: https://app.test\r\n\r\n"};
    return kRequests.at(which % kRequests.size());
  }

  static std::string_view known_answer(unsigned which) {
    constexpr std::array<std::string_view, 9> kAnswers{
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        "HTTP/1.1 401 Unauthorized\r\nContent-Length: 3\r\n\r\nbad",
        "HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Echo: Bearer s3cr3t-token\r\n\r\n",
        "HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n5\r\ns3cr3\r\n7\r\nt-token\r\n"
        "0\r\n\r\n"};
    return kAnswers.at(which % kAnswers.size());
  }

  void client_sends(std::string_view bytes) {
    while (!bytes.empty() && !closed_ && session_.reads_client(work_)) {
      add(work_.client_in, bytes);
      step(event::ClientBytes{});
    }
  }

  void upstream_sends(std::string_view bytes) {
    while (!bytes.empty() && !closed_ && upstream_ && session_.reads_upstream(work_)) {
      add(work_.upstream_in, bytes);
      step(event::UpstreamBytes{});
    }
  }

  static void add(Buffer& buffer, std::string_view& bytes) {
    const auto space = buffer.space();
    const std::size_t size = std::min(space.size(), bytes.size());
    std::copy_n(bytes.begin(), size, space.begin());
    buffer.added(size);
    bytes.remove_prefix(size);
  }

  void answer_acquire(unsigned how) {
    if (!acquiring_) return;
    acquiring_ = false;
    if (how == 0) return step(event::UpstreamDenied{{503, "token.unavailable", "None.", true}});
    upstream_.emplace();
    upstream_->reused = how == 1 && !fresh_;
    ++generation_;
    step(event::UpstreamReady{kToken, generation_, upstream_->reused});
  }

  void answer_judge(bool retry) {
    if (!judging_) return;
    judging_ = false;
    const int status = session_.status();
    if (retry && can_retry_) cured_ = status == 401 || status == 504;
    step(event::Judged{"token_expired", retry, generation_});
    require(acquiring_ == (retry && can_retry_) || closed_,
            "a retry is made where one was offered");
    unjudged_ = acquiring_;
  }

  void answer_page() {
    if (!paging_) return;
    paging_ = false;
    step(event::Page{retry_after_ ? 503 : 400, "Own", retry_after_ ? "Retry-After: 5\r\n" : "",
                     "{}"});
  }

  void written(Buffer& buffer, std::size_t most, const SessionEvent& sent) {
    if (buffer.empty()) return;
    const auto part = buffer.bytes().substr(0, most);
    const std::size_t old = std::min(old_, part.size());
    old_ -= old;
    given_ += part.substr(old);
    buffer.remove(part.size());
    step(sent);
  }

  /// One request has been answered, or will not be.
  void check_given() {
    given_ += work_.client_out.bytes().substr(old_);
    old_ = work_.client_out.size();
    require(checked(given_, session_.status()).find(kSecret) == std::string_view::npos,
            "the token stays here");
    given_.clear();
  }

  /// The API reads: it must be one valid request, and nothing behind it.
  void upstream_takes(std::size_t most) {
    if (!upstream_ || work_.upstream_out.empty()) return;
    const auto part = work_.upstream_out.bytes().substr(0, most);
    if (upstream_->given.empty()) note_send();
    upstream_->given += part;
    require(!upstream_->whole, "nothing follows the request");
    const auto outcome = upstream_->parser.feed(part);
    require(outcome == RequestParser::Outcome::more || outcome == RequestParser::Outcome::complete,
            "the request is valid");
    if (outcome == RequestParser::Outcome::complete) check(upstream_->parser.take());
    work_.upstream_out.remove(part.size());
    step(event::UpstreamSent{});
  }

  void check(const net::ReceivedRequest& request) {
    upstream_->whole = true;
    require(request.headers.count("Authorization") == 1 &&
                request.headers.find("Authorization") == kToken,
            "one Authorization, ours");
    require(request.headers.find("Host") == "api.test", "the Host is the API's");
    require(request.headers.count("Connection") == 0 && request.headers.count("Expect") == 0,
            "fields of the connection end here");
    require(request.target.starts_with("/api/v2/"), "only the API is called");
  }

  /// The first byte of this attempt leaves.
  void note_send() {
    constexpr std::array<std::string_view, 6> kIdempotent{"GET", "HEAD",   "OPTIONS",
                                                          "PUT", "DELETE", "TRACE"};
    const auto method = work_.request.head().method;
    const bool safe = std::ranges::find(kIdempotent, method) != kIdempotent.end();
    require(sends_ == 0 || safe || cured_, "an effect is not repeated");
    ++sends_;
    cured_ = false;
  }

  void end_upstream(bool claim_nothing_sent) {
    if (!upstream_) return;
    step(event::UpstreamEnded{claim_nothing_sent && upstream_->given.empty()});
  }

  void end_client(bool really) {
    if (!really || ended_) return;
    ended_ = true;
    step(event::ClientEnded{});
  }

  void step(const SessionEvent& event) {
    if (closed_) return;
    const auto actions = session_.step(event, work_, now_);
    bool done = false;
    for (const auto& action : actions) {
      require(!closed_, "nothing follows Close");
      carry_out(action);
      done = done || std::holds_alternative<action::Done>(action);
    }
    if (std::holds_alternative<event::Tick>(event) && !closed_)
      require(session_.deadline() > now_, "what is due is done");
    if (done) step(event::Next{});
  }

  void carry_out(const SessionAction& action) {
    std::visit(Overloaded{[this](const action::Acquire& a) {
                            require(!waits() && !upstream_, "one thing at a time");
                            acquiring_ = true;
                            fresh_ = a.fresh;
                          },
                          [this](const action::Judge& a) {
                            require(!waits(), "one thing at a time");
                            judging_ = true;
                            can_retry_ = a.can_retry;
                            unjudged_ = false;
                          },
                          [this](const action::Serve& a) {
                            require(a.route != Route::api && a.route != Route::preflight,
                                    "these are not the driver's");
                            ask_for_page(false);
                          },
                          [this](const action::Fail& a) { ask_for_page(a.problem.retry); },
                          [this](const action::Release& a) { release(a.reusable); },
                          [this](const action::Abandon&) {
                            require(waits(), "there is something to abandon");
                            acquiring_ = judging_ = paging_ = false;
                          },
                          [this](const action::Done&) {
                            require(!waits() && !upstream_, "all is given back");
                            require(!unjudged_, "what comes of a retry is judged");
                            check_given();
                            sends_ = 0;
                            cured_ = false;
                          },
                          [this](const action::Close&) {
                            require(!waits() && !upstream_, "all is given back");
                            check_given();
                            closed_ = true;
                          }},
               action);
  }

  void ask_for_page(bool retry) {
    require(!waits() && !upstream_, "one thing at a time");
    require(!retry || sends_ == 0, "Retry-After means that nothing was sent");
    paging_ = true;
    unjudged_ = false;  // the driver knows that it failed
    retry_after_ = retry;
  }

  void release(bool reusable) {
    require(upstream_.has_value(), "there is a connection");
    // One that carried no byte of this request is as it was.
    require(!reusable || upstream_->whole || upstream_->given.empty(), "a clean connection");
    upstream_.reset();
  }

  [[nodiscard]] bool waits() const { return acquiring_ || judging_ || paging_; }

  std::string_view script_;
  std::array<std::string, 4> memory_{std::string(kBuffer, '\0'), std::string(kBuffer, '\0'),
                                     std::string(kBuffer, '\0'), std::string(kBuffer, '\0')};
  oauth::Echo echo_{kSecret};
  SessionRules rules_;
  Workspace work_;
  Instant now_{std::chrono::hours{1}};
  ReplayMemory replay_{128};
  Session session_{rules_, replay_, now_};
  std::optional<Upstream> upstream_;
  std::string given_;    // to the client, for the request under way
  std::size_t old_ = 0;  // bytes of client_out that are not for it
  std::uint64_t generation_ = 0;
  unsigned sends_ = 0;  // of the request under way
  bool cured_ = false;  // the engine wants it sent again after 401 or 504
  bool acquiring_ = false;
  bool judging_ = false;
  bool can_retry_ = false;
  bool unjudged_ = false;  // a retry was made, and its answer not judged yet
  bool paging_ = false;
  bool fresh_ = false;
  bool retry_after_ = false;
  bool ended_ = false;
  bool closed_ = false;
};

}  // namespace

/// Commands of one byte, some followed by an argument and bytes.
int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Drive(fuzz::as_text(data, size)).run();
  return 0;
}
