#pragma once

#include <cstdint>
#include <optional>

#include "oauth/login_failure.hpp"
#include "oauth/pause_options.hpp"
#include "oauth/token_failure.hpp"
#include "skewguard/time.hpp"
#include "time/backoff.hpp"

/// What keeps everyone from requesting a token for a while: a failure of the login host, or an API
/// that refuses new tokens.
namespace skewguard::oauth {

/// No token request before `until`; a caller that cannot wait for it gets `failure`.
struct Closed {
  Instant until{};
  TokenFailure failure;
  /// What failed has worked before, so it may be over soon: callers that have the time wait.
  bool may_pass = false;
};

/// Closes after a failed token request: for good, or until the next try. Not thread-safe.
class LoginDoor {
 public:
  LoginDoor(PauseOptions pauses, time::Backoff::Options backoff, std::uint64_t seed)
      : pauses_(pauses), backoff_(backoff, seed) {}

  /// A token request failed. `worked`: with these credentials one has succeeded before. Returns how
  /// long the next try has to wait.
  Duration fail(const LoginFailure& failure, bool worked, const Now& now);
  /// The login host issued the same token again: asking at once again would be a storm. Returns how
  /// long the next try has to wait.
  Duration same_token_again(Instant now);
  /// A token came: nothing of earlier failures counts any more.
  void open() noexcept;
  /// There is another grant to try, at once.
  void try_at_once(Instant now) noexcept { not_before_ = now; }
  /// Secrets were replaced: what closed because of the old ones opens.
  void open_for_new_secrets(Instant now) noexcept;
  /// A certificate that failed by the local wall clock may be good by another: opens if the clock
  /// has been set since.
  void open_if_clock_was_set(const Now& now) noexcept;

  /// What a caller that cannot wait is told at `now`; null where the door is not closed for good.
  [[nodiscard]] const Closed* closed(Instant now) const noexcept {
    return closed_ && now < closed_->until ? &*closed_ : nullptr;
  }
  /// No token request before that.
  [[nodiscard]] Instant not_before() const noexcept { return not_before_; }
  /// Of the last token request; nothing if it brought a token.
  [[nodiscard]] const std::optional<TokenFailure>& last_failure() const noexcept {
    return last_failure_;
  }
  /// The last token request brought the token that was held already.
  [[nodiscard]] bool same_again() const noexcept { return same_again_; }

 private:
  PauseOptions pauses_;
  time::Backoff backoff_;
  Instant not_before_{};
  std::optional<TokenFailure> last_failure_;
  bool same_again_ = false;
  std::optional<Closed> closed_;
  Duration wall_less_boot_{};         ///< when it closed
  unsigned credential_refusals_ = 0;  ///< in a row
};

/// Closes when the API refuses a new token, for longer each time. Not thread-safe.
class ApiDoor {
 public:
  explicit ApiDoor(PauseOptions pauses) : pauses_(pauses) {}

  /// The API refused this token, the newest, for good. `sent`: when it was requested. `worked`: it
  /// has accepted tokens before. Returns what is to be told; nothing if that was known already, as
  /// of many callers with the same token the first counts.
  std::optional<TokenFailure> refuse(std::uint64_t generation, Verdict verdict, Instant sent,
                                     bool worked, Instant now);
  /// The API accepted this token.
  void accept(std::uint64_t generation) noexcept;

  [[nodiscard]] const Closed* closed(Instant now) const noexcept {
    return closed_ && now < closed_->until ? &*closed_ : nullptr;
  }

 private:
  PauseOptions pauses_;
  std::optional<Closed> closed_;
  unsigned refusals_ = 0;      ///< in a row
  std::uint64_t refused_ = 0;  ///< the latest generation; 0 = none
};

}  // namespace skewguard::oauth
