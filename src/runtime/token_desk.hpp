#pragma once

#include <functional>
#include <map>
#include <optional>
#include <variant>
#include <vector>

#include "oauth/token_machine.hpp"
#include "runtime/clock_watch.hpp"
#include "runtime/core.hpp"
#include "runtime/shelf.hpp"
#include "time/backoff.hpp"

namespace skewguard::runtime {

/// Where an engine's tokens come from: drives the token machine, asks the login host for it, and
/// shares with other processes through the store. Part of an engine: on the control loop alone,
/// within a turn.
class TokenDesk {
 public:
  using Answer = std::variant<oauth::action::Deliver, oauth::action::Deny>;
  using Taker = std::function<void(Answer)>;

  TokenDesk(Core& core, std::uint64_t seed);
  ~TokenDesk();
  TokenDesk(const TokenDesk&) = delete;
  TokenDesk& operator=(const TokenDesk&) = delete;

  void step(const oauth::TokenEvent& event);
  /// `taker` gets one answer, in a turn of its own; none after withdraw().
  void want(oauth::event::Want want, Taker taker);
  void withdraw(oauth::WaiterId waiter);
  /// Other secrets of this client from now on; never empty.
  void renew_secrets(const std::vector<Secret>& secrets);

  [[nodiscard]] const oauth::TokenMachine& tokens() const noexcept { return tokens_; }
  [[nodiscard]] ClockWatch& clocks() noexcept { return clocks_; }

 private:
  struct Waiting {
    Taker taker;
    Instant deadline;
  };
  struct Asking {
    oauth::action::StartFetch fetch;
    Instant since;
    Instant share_until;  ///< no longer for another process's
  };

  void look_for_secrets();
  void answer(Answer answer);
  void start_fetch(oauth::action::StartFetch& fetch);
  [[nodiscard]] bool may_wait_for_others() const;
  void ask_or_share();
  void ask();
  [[nodiscard]] oauth::TokenPtr shared(const oauth::action::StartFetch& fetch);
  void wake_at(Instant when);
  void adopt();
  void learn_from(const Shelf::Loaded& loaded);
  void ready();
  void wait_no_longer(oauth::WaiterId id);
  void write_note();

  Core& core_;
  oauth::TokenMachine tokens_;
  ClockWatch clocks_;
  Shelf shelf_;
  time::Jitter share_jitter_;
  std::map<oauth::WaiterId, Waiting> takers_;
  std::optional<Asking> asking_;
  std::optional<StoredToken> note_;              // for the store, as soon as nobody waits
  Instant note_again_{};                         // not before, where another process has the claim
  std::vector<oauth::event::Want> early_wants_;  // until ready_
  bool adopting_ = false;
  bool ready_ = false;  // the tokens at hand may be judged
  Executor::Timer timer_ = 0;
};

}  // namespace skewguard::runtime
