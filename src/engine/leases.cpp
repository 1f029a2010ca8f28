#include "engine/leases.hpp"

#include <cstddef>
#include <utility>
#include <variant>

#include "engine/given_life.hpp"
#include "oauth/token_failure.hpp"

namespace skewguard::engine {
namespace {

/// Requests in flight carry one of these at most: a token is rarely replaced so often while one of
/// them is under way.
constexpr std::size_t kRemembered = 8;

}  // namespace

Leases::~Leases() {
  const Error cancelled{ErrorKind::cancelled, "the client is shutting down", ""};
  for (auto& [id, waiting] : std::exchange(waiting_, {})) {
    try {
      waiting.handler(cancelled);
    } catch (...) {  // the next one is told all the same
      continue;
    }
  }
}

void Leases::publish(const oauth::TokenPtr& token, Instant until) {
  current_ = token ? token->generation : 0;
  until_ = until;
  if (token) {
    // A standstill of the machine ages a token: the same one is published with other times.
    std::erase_if(past_, [this](const auto& known) { return known->generation == current_; });
    past_.push_back(token);
    if (past_.size() > kRemembered) past_.pop_front();
  }
  if (uses_.publish) uses_.publish(token, until);
  // Later in this turn: the token machine's actions are still being carried out.
  for (const auto& [id, waiting] : waiting_) {
    if (!serves(waiting)) continue;
    uses_.loop.next([this, id, generation = current_] { finish(id, generation); });
  }
}

oauth::TokenPtr Leases::published(std::uint64_t generation) const noexcept {
  for (const auto& token : past_)
    if (token->generation == generation) return token;
  return nullptr;
}

std::optional<ClientStatus::Token> Leases::current() const {
  const Now& now = uses_.clocks.now();
  const oauth::TokenPtr token = published(current_);
  if (!token || now.boot >= until_) return std::nullopt;
  ClientStatus::Token out{current_, until_ - now.boot,
                          uses_.tokens.tokens().was_accepted(current_)};
  if (token->given) {  // the token machine does not know when it ends
    const auto api = uses_.clocks.view().to_wall(uses_.clocks.api());
    const bool known = token->claims && token->claims->exp;
    out.remaining.reset();
    if (known)
      out.remaining = given_life(*token->claims, *token->claims->exp, now.wall, api).remaining;
  }
  return out;
}

Leases::Id Leases::await(std::uint64_t after, Instant deadline, Handler handler) {
  const Id id = uses_.tokens.new_waiter();
  // First: if it throws, the wait has not begun, and its handler is not called twice.
  uses_.loop.later([this, id] { begin(id); });
  waiting_.emplace(id, Waiting{after, deadline, std::move(handler)});
  return id;
}

void Leases::cancel(Id id) {
  uses_.loop.later([this, id] {
    finish(id, Error{ErrorKind::cancelled, "the wait for a token was cancelled", ""});
  });
}

void Leases::begin(Id id) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  const Waiting& waiting = found->second;
  if (serves(waiting)) return finish(id, current_);
  oauth::event::Want want;
  want.waiter = id;
  want.deadline = waiting.deadline;
  want.after = waiting.after;
  if (waiting.after != 0) want.refused = oauth::Refused{.sent = uses_.clocks.now().boot};
  uses_.tokens.want(want, [this, id](const TokenService::Answer& answer) { answered(id, answer); });
}

/// A token that is delivered is published at its first use: when the API's clock has reached its
/// begin.
void Leases::answered(Id id, const TokenService::Answer& answer) {
  if (const auto* failed = std::get_if<oauth::action::Fail>(&answer))
    return finish(id, failed->failure.error);
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  found->second.timer = uses_.loop.at(found->second.deadline,
                                      [this, id] { finish(id, oauth::begins_too_late().error); });
}

/// Whether what is published now ends this wait.
bool Leases::serves(const Waiting& waiting) const {
  return current_ > waiting.after && uses_.clocks.now().boot < until_;
}

void Leases::finish(Id id, Result<std::uint64_t> result) {
  auto ended = waiting_.extract(id);
  if (ended.empty()) return;
  uses_.loop.cancel(ended.mapped().timer);
  uses_.tokens.withdraw(id);
  ended.mapped().handler(std::move(result));
}

}  // namespace skewguard::engine
