#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "oauth/token_machine.hpp"
#include "runtime/clock_watch.hpp"
#include "runtime/core.hpp"
#include "runtime/shared_tokens.hpp"

namespace skewguard::runtime {

/// Where an engine's tokens come from: drives the token machine, asks the login host for it, and
/// shares with other processes through the store. Part of an engine: on the control loop alone,
/// within a turn.
class TokenDesk {
 public:
  using Answer = std::variant<oauth::action::Deliver, oauth::action::Deny>;
  using Taker = std::function<void(Answer)>;

  TokenDesk(Core& core, oauth::Grants grants, std::uint64_t seed);
  ~TokenDesk();
  TokenDesk(const TokenDesk&) = delete;
  TokenDesk& operator=(const TokenDesk&) = delete;

  void step(const oauth::TokenEvent& event);
  /// `taker` gets one answer, in a turn of its own; none after withdraw().
  void want(oauth::event::Want want, Taker taker);
  void withdraw(oauth::WaiterId waiter);
  /// Tokens are requested with these from now on; never empty.
  void renew(oauth::Grants grants);

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
  };

  void look_for_secrets();
  void answer(Answer answer);
  void start_fetch(oauth::action::StartFetch& fetch);
  void ask();
  void wake_at(Instant when);
  void adopt();
  void learn_from(const sharing::Facts& facts);
  std::unique_ptr<SharedTokens> shared_tokens(std::uint64_t seed);
  void share(const oauth::TokenActions& actions);
  void ready();
  void wait_no_longer(oauth::WaiterId id);
  void flush_notes() noexcept;

  Core& core_;
  oauth::Grants grants_;  // shared with the token machine: they alone hold the client's secrets
  oauth::TokenMachine tokens_;
  ClockWatch clocks_;
  std::unique_ptr<SharedTokens> shared_;  // null: there is no store
  std::map<oauth::WaiterId, Waiting> takers_;
  std::optional<Asking> asking_;
  std::vector<oauth::action::Note> notes_;       // for the store, as soon as nobody waits
  std::vector<oauth::event::Want> early_wants_;  // until ready_
  bool adopting_ = false;
  bool ready_ = false;  // the tokens at hand may be judged
  Executor::Timer timer_ = 0;
};

}  // namespace skewguard::runtime
