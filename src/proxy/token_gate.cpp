#include "proxy/token_gate.hpp"

#include <algorithm>
#include <chrono>
#include <climits>
#include <utility>

namespace skewguard::proxy {
namespace {

constexpr std::chrono::milliseconds kPause{500};  // between two waits for a token, if one failed
constexpr std::chrono::seconds kLooksApart{1};

}  // namespace

TokenGate::TokenGate(EventLoop& loop, Client& client, const Metrics& all, WorkerMetrics& metrics,
                     std::size_t max_waiting)
    : loop_(loop),
      client_(client),
      all_(all),
      metrics_(metrics),
      max_waiting_(static_cast<std::int64_t>(std::min<std::size_t>(max_waiting, INT_MAX))),
      reader_(client.reader()) {}

std::optional<TokenGate::Ticket> TokenGate::wait(Handler handler) {
  if (all_.waiting() >= max_waiting_) return std::nullopt;
  waiting_.emplace(++last_, std::move(handler));
  metrics_.waiting.add();
  tick();
  return last_;
}

void TokenGate::leave(Ticket ticket) {
  if (waiting_.erase(ticket) > 0) metrics_.waiting.add(-1);
}

void TokenGate::tick() {
  if (waiting_.empty()) return;
  const Instant now = client_.now();
  if (!asking_ && now >= ask_after_) ask();
  if (now >= look_after_) look_ahead();
}

std::optional<Duration> TokenGate::next_token_in() const {
  if (!next_token_) return std::nullopt;
  return *next_token_ - client_.now();
}

void TokenGate::look_ahead() {
  look_after_ = client_.now() + kLooksApart;
  client_.async_status([self = shared_from_this()](const Result<ClientStatus>& status) {
    const auto in = status ? status->next_token_in : std::nullopt;
    self->loop_.post([self, in] {
      self->next_token_.reset();
      if (in) self->next_token_ = self->client_.now() + *in;
    });
  });
}

void TokenGate::ask() {
  asking_ = true;
  client_.async_await_lease(0, std::nullopt,
                            [self = shared_from_this()](Result<std::uint64_t> result) {
                              self->loop_.post([self, result = std::move(result)] {
                                self->asking_ = false;
                                self->answered(result);
                              });
                            });
}

void TokenGate::answered(const Result<std::uint64_t>& result) {
  if (result) {
    last_failure_.reset();
    ask_after_ = Instant::min();
    return tell_all(nullptr);
  }
  last_failure_ = result.error();
  if (!may_pass(result.error().kind)) return tell_all(&*last_failure_);
  ask_after_ = client_.now() + kPause;
}

void TokenGate::tell_all(const Error* why_not) {
  for (auto& [ticket, handler] : std::exchange(waiting_, {})) {
    metrics_.waiting.add(-1);
    handler(why_not);
  }
}

}  // namespace skewguard::proxy
