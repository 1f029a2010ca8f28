#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "oauth/token_machine.hpp"
#include "runtime/core.hpp"
#include "runtime/store_access.hpp"
#include "sharing/share_machine.hpp"

namespace skewguard::runtime {

/// Shares tokens with other processes: drives the share machine on the token store. Part of an
/// engine: on the control loop alone, within a turn.
class SharedTokens {
 public:
  /// What an engine does for it.
  struct Uses {
    std::function<void()> ask;  ///< request a token for the need that was announced last
    std::function<void(const oauth::TokenEvent&)> tell;  ///< to the token machine
    std::function<void(const sharing::Facts&)> learn;    ///< from other processes
    /// Whether this token would do for the need that was announced last.
    std::function<bool(const oauth::Token&, Duration min_life)> would_serve;
  };

  /// `key`: of the tokens in the store.
  SharedTokens(Core& core, TokenStore& store, std::string key, std::uint64_t seed, Uses uses);
  /// Gives the claim back, and writes what this process has learned.
  ~SharedTokens();
  SharedTokens(const SharedTokens&) = delete;
  SharedTokens& operator=(const SharedTokens&) = delete;

  /// Another process's token, or `ask`, or neither in time.
  void need(const oauth::action::StartFetch& fetch);
  /// Nobody needs it any more, and `ask` has not been called.
  void cancel(oauth::FetchId fetch);
  /// What came of `ask`. `token`: null = none, because of `pause` if there is one.
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

  Core& core_;
  Uses uses_;
  sharing::ShareMachine machine_;
  StoreAccess store_;
  std::optional<sharing::event::Need> need_;
  std::vector<std::uint64_t> had_;  ///< ids of the last tokens that this process had
  /// What the store says of the two clocks, as this process read or wrote it last.
  Duration lag_{0};
  Duration lead_{0};
  Executor::Timer timer_ = 0;
};

}  // namespace skewguard::runtime
