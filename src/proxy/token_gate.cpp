#include "proxy/token_gate.hpp"

#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

namespace skewguard::proxy {
namespace {

constexpr std::chrono::milliseconds kPause{500};  // between two requests for a token that failed

Error held_too_long(const std::optional<Error>& last) {
  if (last) return *last;
  return {ErrorKind::timeout, "the login host has not given a token yet", ""};
}

}  // namespace

TokenGate::TokenGate(boost::asio::io_context& io, Client& client, Metrics& metrics, Limits limits)
    : io_(io), client_(client), metrics_(metrics), limits_(limits), overdue_(io), pause_(io) {}

std::optional<TokenGate::Ticket> TokenGate::wait(Handler handler) {
  if (waiting_.size() >= limits_.waiting) return std::nullopt;
  waiting_.emplace(++last_, Waiter{client_.now() + limits_.hold, std::move(handler)});
  metrics_.waiting(1);
  if (waiting_.size() == 1) watch();
  if (!asking_) ask();
  return last_;
}

void TokenGate::leave(Ticket ticket) {
  if (waiting_.erase(ticket) > 0) metrics_.waiting(-1);
}

void TokenGate::ask() {
  asking_ = true;
  client_.async_token({.verify = false}, [self = shared_from_this()](Result<BearerToken> result) {
    boost::asio::post(self->io_, [self, result = std::move(result)] { self->answered(result); });
  });
}

void TokenGate::answered(const Result<BearerToken>& result) {
  asking_ = false;
  if (result) {
    last_error_.reset();
    return tell_all(nullptr);
  }
  if (!may_pass(result.error().kind)) return tell_all(&result.error());
  ask_again_later(result.error());
}

void TokenGate::ask_again_later(const Error& why_not) {
  last_error_ = why_not;
  if (waiting_.empty()) return;
  asking_ = true;
  pause_.expires_after(kPause);
  pause_.async_wait([self = shared_from_this()](const auto& error) {
    if (error) return;
    self->asking_ = false;
    if (!self->waiting_.empty()) self->ask();
  });
}

void TokenGate::tell_all(const Error* why_not) {
  overdue_.cancel();
  for (auto& [ticket, waiter] : std::exchange(waiting_, {})) {
    metrics_.waiting(-1);
    waiter.handler(why_not);
  }
}

/// The timer is a hint: end_overdue() looks at the clock.
void TokenGate::watch() {
  if (waiting_.empty()) return;
  constexpr Duration kLeast = std::chrono::milliseconds{1};
  overdue_.expires_after(std::max(waiting_.begin()->second.until - client_.now(), kLeast));
  overdue_.async_wait([self = shared_from_this()](const auto& error) {
    if (!error) self->end_overdue();
  });
}

void TokenGate::end_overdue() {
  const Instant now = client_.now();
  const Error why_not = held_too_long(last_error_);
  while (!waiting_.empty() && waiting_.begin()->second.until <= now) {
    const Handler handler = std::move(waiting_.begin()->second.handler);
    leave(waiting_.begin()->first);
    handler(&why_not);
  }
  watch();
}

}  // namespace skewguard::proxy
