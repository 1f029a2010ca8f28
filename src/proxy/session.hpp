#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "proxy/access_log.hpp"
#include "proxy/answer_facts.hpp"
#include "proxy/desk.hpp"
#include "proxy/guarded_call.hpp"
#include "proxy/page.hpp"
#include "proxy/refusal.hpp"
#include "proxy/socket.hpp"
#include "proxy/token_gate.hpp"
#include "proxy/upstream.hpp"
#include "proxy/upstream_pool.hpp"
#include "proxy/worker.hpp"
#include "relay/session_machine.hpp"

namespace skewguard::proxy {

/// One client's connection: carries out what relay::Session decides. session.cpp drives the machine
/// and the client's socket, session_api.cpp the way to the API. For its worker's thread. Its worker
/// holds it until it ends.
class Session final : public std::enable_shared_from_this<Session>,
                      private Socket::User,
                      private GuardedCall::User {
 public:
  Session(Worker& worker, Descriptor socket);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  void start() { socket_ready(); }
  /// Instead of start(): answers that there are too many, and ends.
  void turn_away();
  /// When tick() is to be called.
  [[nodiscard]] Instant deadline() const noexcept;
  void tick();
  /// Ends it, whatever is under way: with an answer, or so that the client sees that there is none.
  void stop();

 private:
  using Event = relay::SessionEvent;
  enum class State { serving, lingering, ended };
  enum class Wait {
    token,
    turn,  ///< while others use all connections to the API
    connection
  };
  [[nodiscard]] bool serving() const noexcept { return state_ == State::serving; }
  void step(const Event& event);
  void take(const Event& event);
  void settle();
  bool move();
  void close();
  void drop_desk();
  void respond(const Event& event);
  /// The clock is read once for what follows from one event of the loop.
  [[nodiscard]] Instant now() const { return stepping_ ? now_ : worker_.now(); }

  void carry_out(const relay::action::Acquire& what);
  void carry_out(const relay::action::Judge& what);
  void carry_out(const relay::action::Serve& what);
  void carry_out(const relay::action::Fail& what);
  void carry_out(const relay::action::Release& what);
  void carry_out(const relay::action::Abandon& what);
  void carry_out(const relay::action::Done& what);
  void carry_out(const relay::action::Close& what);

  void socket_ready() override;

  // The client.
  bool write_client();
  bool read_client();
  void begin_to_linger();
  void linger();
  void give(Page page);
  void count_end(int status);
  void log_end();
  void go_on();

  // The API.
  void seek();
  [[nodiscard]] bool has_token();
  void hold();
  void connected(UpstreamPool::Answer answer);
  void note_held();
  void say_what_was_awaited(relay::Problem& problem);
  void ready();
  bool write_upstream();
  bool read_upstream();
  void release(bool reusable);
  void note_answer();
  void send_again() override;
  void judged(Verdict verdict) override;

  Worker& worker_;
  Socket client_;
  relay::Session machine_;
  State state_ = State::serving;
  std::unique_ptr<Desk> desk_;  // null while at rest
  Instant now_{};
  bool stepping_ = false;        // the machine's actions are being carried out, at now_
  std::optional<Event> answer_;  // to them, for the next step
  Instant linger_until_{};
  std::size_t dropped_ = 0;  // bytes, while lingering
  bool ended_ = false;       // the client sends no more

  std::unique_ptr<Upstream> upstream_;           // that the request under way has
  std::optional<TokenGate::Ticket> held_;        // while it waits for a token
  std::optional<UpstreamPool::Ticket> dialing_;  // or for a connection
  bool fresh_ = false;                           // a new one is wanted
  Wait last_wait_ = Wait::token;
  std::uint64_t generation_ = 0;        // of the token that was sent
  bool write_failed_ = false;           // to that connection
  bool noted_ = false;                  // the head of the answer was seen
  Arrival arrival_;                     // of an answer that somebody judges or is told of
  std::optional<Duration> kept_;        // for so long the API keeps an idle connection
  std::shared_ptr<GuardedCall> guard_;  // that judges this request's answers
  bool judging_ = false;
  bool can_retry_ = false;
  Verdict verdict_ = Verdict::ok;
  Refusal refusal_;

  std::uint64_t page_wanted_ = 0;  // counts requests for pages of our own
  Page page_;
  std::string page_fields_;
  AccessRecord record_;
  std::uint64_t counted_ = 0;  // requests
  bool answered_ = false;      // the rest of the last one's answer is in client_out
};

}  // namespace skewguard::proxy
