#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "engine/clock_watch.hpp"
#include "engine/listeners.hpp"
#include "engine/shared_tokens.hpp"
#include "oauth/token_machine.hpp"
#include "skewguard/client.hpp"

namespace skewguard::engine {

/// Where an engine's tokens come from: drives the token machine, asks the login host for tokens,
/// and shares them with other processes through the store. For the control loop, within turns.
class TokenService {
 public:
  using Answer = std::variant<oauth::action::Deliver, oauth::action::Fail>;
  using Taker = std::function<void(Answer)>;
  /// What it works with; all must outlive it.
  struct Uses {
    Loop& loop;
    Sender& sender;
    const HostClocks& clocks;
    ClockWatch& watch;
    const Listeners& listeners;
    const ClientOptions& options;
    TokenStore* store = nullptr;  ///< null = tokens are not shared
    /// Gets the token that may be sent from now on, and until when; null = none.
    std::function<void(const oauth::TokenPtr&, Instant)> publish{};
    std::function<Dependencies::FreshSecrets()> fresh_secrets{};  ///< as Dependencies has it
    std::shared_ptr<const Secret> given_token{};                  ///< null = none
  };

  /// `boot`: see SharedTokens::Options. `seed`: for jitter and ids.
  TokenService(Uses uses, oauth::Grants grants, std::shared_ptr<const oauth::Dialect> dialect,
               Boot boot, std::uint64_t seed);
  ~TokenService();
  TokenService(const TokenService&) = delete;
  TokenService& operator=(const TokenService&) = delete;

  void step(const oauth::TokenEvent& event);
  /// Names one who waits; never 0, and never the same again.
  oauth::WaiterId new_waiter() noexcept { return ++last_waiter_; }
  /// `taker` gets one answer, in a turn of its own; none after withdraw().
  void want(oauth::event::Want want, Taker taker);
  void withdraw(oauth::WaiterId waiter);
  /// Tokens are requested with these from now on; never empty.
  void renew(oauth::Grants grants);

  /// Whether the user's own token is used instead of requested ones.
  [[nodiscard]] bool given() const noexcept { return uses_.given_token != nullptr; }
  [[nodiscard]] const oauth::TokenMachine& tokens() const noexcept { return tokens_; }
  // As ClientStatus has them.
  [[nodiscard]] const std::map<Verdict, std::uint64_t>& requests() const noexcept {
    return requests_;
  }
  [[nodiscard]] std::optional<Verdict> last_request() const noexcept { return last_request_; }

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
  [[nodiscard]] std::uint64_t credentials() const;
  void ask();
  void wake_at(Instant when);
  void adopt();
  void learn_from(const sharing::Facts& facts);
  std::unique_ptr<SharedTokens> shared_tokens(Boot boot, std::uint64_t seed);
  void count_request(const oauth::TokenActions& actions);
  void share(const oauth::TokenActions& actions);
  void ready();
  void wait_no_longer(oauth::WaiterId id);
  void flush_notes() noexcept;

  const Uses uses_;
  oauth::Grants grants_;  // shared with the token machine: they alone hold the client's secrets
  oauth::TokenMachine tokens_;
  std::unique_ptr<SharedTokens> shared_;  // null: there is no store
  oauth::WaiterId last_waiter_ = 0;
  std::map<oauth::WaiterId, Waiting> takers_;
  std::optional<Asking> asking_;
  std::vector<oauth::action::Note> notes_;       // for the store, as soon as nobody waits
  std::vector<oauth::event::Want> early_wants_;  // until ready_
  bool adopting_ = false;
  bool ready_ = false;  // the tokens at hand may be judged
  Executor::Timer timer_ = 0;
  std::map<Verdict, std::uint64_t> requests_{{Verdict::ok, 0}};
  std::optional<Verdict> last_request_;
};

}  // namespace skewguard::engine
