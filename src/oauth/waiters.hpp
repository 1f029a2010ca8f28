#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "oauth/login_failure.hpp"
#include "oauth/token_events.hpp"

namespace skewguard::oauth {

/// A caller that is waiting for a token, and the failures it has seen.
struct Waiter {
  event::Want want;
  std::uint64_t newest_before = 0;  ///< the newest generation when it came: later ones are fresh
  int token_requests = 0;           ///< ended while it waited
  std::vector<LoginAttempt> attempts{};
  Instant came{};
  Duration held_up{0};            ///< because tokens had been refused
  Instant failed_at{};            ///< when the last of its attempts ended
  std::array<int, 4> failures{};  ///< how many it has seen, by Retry

  /// Counts a failure of this kind; returns true if it was one too many.
  bool gives_up(Retry retry);
};

/// The callers that wait for a token, in order of arrival. Thousands may come at once, so each is
/// looked at once, until something happens that may change its lot. Not thread-safe.
class Waiters {
 public:
  [[nodiscard]] bool empty() const noexcept { return waiters_.empty(); }
  [[nodiscard]] auto begin() noexcept { return waiters_.begin(); }
  [[nodiscard]] auto end() noexcept { return waiters_.end(); }

  /// Whether a caller of this id is waiting. Ids grow, so most that are asked for are new.
  [[nodiscard]] bool contains(WaiterId id) const noexcept;
  void add(Waiter waiter);
  void remove(WaiterId id);
  /// Removes those for whom `leaves(Waiter&)`.
  template <typename Leaves>
  void remove_if(Leaves leaves) {
    std::erase_if(waiters_, leaves);
    seen_ = std::min(seen_, waiters_.size());
  }

  /// Something has happened that may concern all of them: each is looked at again.
  void look_at_all() noexcept { seen_ = 0; }
  /// As remove_if, but for those alone who have not been looked at.
  template <typename Leaves>
  void remove_unseen_if(Leaves leaves) {
    waiters_.erase(std::remove_if(first_unseen(), waiters_.end(), leaves), waiters_.end());
  }
  /// The earliest deadline of those who have not been looked at.
  [[nodiscard]] std::optional<Instant> unseen_deadline() const;
  [[nodiscard]] bool any_seen() const noexcept { return seen_ > 0; }
  void mark_seen() noexcept { seen_ = waiters_.size(); }

  /// One of them insists on a new token.
  [[nodiscard]] bool any_forces() const;
  /// Each of them waits because a server refused its token; true if there are none.
  [[nodiscard]] bool all_were_refused() const;
  /// The longest life that one of them needs.
  [[nodiscard]] Duration min_life() const;
  /// A token request ended.
  void count_request() noexcept;

  /// From now on they wait because tokens have been refused. True: they did not before.
  bool hold_up(Instant now) noexcept;
  /// They no longer do, as there is another reason or none.
  void end_hold_up() noexcept { held_up_since_.reset(); }
  /// A token is being requested for them at last: each is credited with the time it was held up.
  void count_hold_up(Instant now) noexcept;

 private:
  [[nodiscard]] std::vector<Waiter>::iterator first_unseen() {
    return waiters_.begin() + static_cast<std::ptrdiff_t>(seen_);
  }

  std::vector<Waiter> waiters_;
  std::size_t seen_ = 0;  ///< so many of them, the first ones, have been looked at
  WaiterId newest_ = 0;   ///< the largest id that has come
  std::optional<Instant> held_up_since_;
};

}  // namespace skewguard::oauth
