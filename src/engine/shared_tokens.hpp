#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "engine/adopt.hpp"
#include "engine/host_clocks.hpp"
#include "engine/loop.hpp"
#include "engine/sender.hpp"
#include "engine/store_access.hpp"
#include "oauth/token_machine.hpp"
#include "sharing/share_machine.hpp"

namespace skewguard::engine {

/// Shares tokens with other processes: drives the share machine over the token store. Part of an
/// engine: on the control loop only, within a turn.
class SharedTokens {
 public:
  /// Its dependencies; all must outlive it.
  struct Uses {
    Loop& loop;
    Sender& sender;
    const HostClocks& clocks;
    const Log& log;
    TokenStore& store;
  };
  struct Options {
    std::string key;  ///< of this client's record in the store
    Boot boot;        ///< in which Instants are told; empty = not known
    std::uint64_t seed = 1;
  };
  /// What the engine does for it.
  struct Callbacks {
    std::function<void()> ask;  ///< request a token for the need that was announced last
    std::function<void(const oauth::TokenEvent&)> tell;  ///< to the token machine
    std::function<void(const sharing::Facts&)> learn;    ///< from other processes
    /// Whether this token satisfies the need that was announced last.
    std::function<bool(const oauth::Token&, Duration min_life)> would_serve;
  };

  SharedTokens(const Uses& uses, Options options, Callbacks callbacks);
  /// Releases the claim, and writes what this process has learned.
  ~SharedTokens();
  SharedTokens(const SharedTokens&) = delete;
  SharedTokens& operator=(const SharedTokens&) = delete;

  /// Delivers another process's token, or calls `ask`, or neither in time. `credentials`: as in
  /// sharing::event::Need.
  void need(const oauth::action::StartFetch& fetch, std::uint64_t credentials = 0);
  /// The token is no longer needed, and `ask` has not been called.
  void cancel(oauth::FetchId fetch);
  /// The result of `ask`. `token`: null = none, because of `pause` if there is one. A pause after
  /// rejected credentials concerns only those who waited for this answer with the same ones.
  void answered(const oauth::TokenPtr& token, bool accepted,
                const std::optional<oauth::TokenMachine::Pause>& pause);
  void learned(const oauth::action::Note& known);
  void refused(const oauth::action::Forget& forget);

 private:
  void step(const sharing::ShareEvent& event);
  void act(const sharing::ShareAction& action);
  void found(const sharing::action::Found& found);
  void note(const char* what) const;
  void remember(std::uint64_t id);
  void took_over(const sharing::action::TookOver& over);
  void learn(const sharing::action::Tell& told);
  void look();
  void wake_at(Instant when);
  [[nodiscard]] sharing::View view() const;

  const Uses uses_;
  const Boot boot_;
  Callbacks callbacks_;
  sharing::ShareMachine machine_;
  StoreAccess store_;
  std::optional<sharing::event::Need> need_;
  std::vector<std::uint64_t> used_;  ///< ids of the last tokens that this process used
  /// What the store says about the two clocks, as last read or written by this process.
  Duration lag_{0};
  Duration lead_{0};
  Executor::Timer timer_ = 0;
};

}  // namespace skewguard::engine
