#include "oauth/waiters.hpp"

#include <utility>

namespace skewguard::oauth {

bool Waiter::gives_up(Retry retry) {
  const int seen = ++failures.at(static_cast<std::size_t>(retry));
  switch (retry) {
    case Retry::never:
      return true;
    case Retry::once:
      return seen > 1;
    case Retry::twice:
      return seen > 2;
    case Retry::while_waiting:
      return false;
  }
  return true;
}

bool Waiters::contains(WaiterId id) const noexcept {
  return id <= newest_ && std::any_of(waiters_.begin(), waiters_.end(),
                                      [&](const Waiter& w) { return w.want.waiter == id; });
}

void Waiters::add(Waiter waiter) {
  newest_ = std::max(newest_, waiter.want.waiter);
  waiters_.push_back(std::move(waiter));
}

void Waiters::remove(WaiterId id) {
  remove_if([&](const Waiter& w) { return w.want.waiter == id; });
}

std::optional<Instant> Waiters::unseen_deadline() const {
  std::optional<Instant> earliest;
  for (std::size_t i = seen_; i < waiters_.size(); ++i) {
    const Instant deadline = waiters_[i].want.deadline;
    earliest = std::min(deadline, earliest.value_or(deadline));
  }
  return earliest;
}

bool Waiters::any_forces() const {
  return std::ranges::any_of(waiters_, [](const Waiter& w) { return w.want.force; });
}

bool Waiters::all_were_refused() const {
  return std::ranges::all_of(waiters_, [](const Waiter& w) { return w.want.refused.has_value(); });
}

Duration Waiters::min_life() const {
  Duration longest{0};
  for (const Waiter& waiter : waiters_) longest = std::max(longest, waiter.want.min_life);
  return longest;
}

void Waiters::count_request() noexcept {
  for (Waiter& waiter : waiters_) ++waiter.token_requests;
}

bool Waiters::hold_up(Instant now) noexcept {
  if (held_up_since_) return false;
  held_up_since_ = now;
  return true;
}

void Waiters::count_hold_up(Instant now) noexcept {
  const auto since = std::exchange(held_up_since_, std::nullopt);
  if (!since) return;
  for (Waiter& waiter : waiters_) waiter.held_up += now - std::max(*since, waiter.came);
}

}  // namespace skewguard::oauth
