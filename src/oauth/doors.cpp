#include "oauth/doors.hpp"

#include <algorithm>
#include <utility>

#include "clocks/bounds.hpp"
#include "oauth/refresh_schedule.hpp"

namespace skewguard::oauth {
namespace {

/// A Retry-After beyond these is not believed: a gateway's "come back tomorrow" must not keep a
/// service without tokens when its login host is long up again.
constexpr Duration kMaxLimit = std::chrono::hours{1};     // of token requests
constexpr Duration kMaxOutage = std::chrono::minutes{5};  // of the login host
/// Credentials that have worked and are refused for longer than half a minute (the pauses double)
/// are hardly restored soon: from then on callers are told at once.
constexpr Duration kMaxToWaitThrough = std::chrono::seconds{20};

}  // namespace

Duration LoginDoor::fail(const LoginFailure& failure, bool worked, const Now& now) {
  Duration wait = backoff_.next();
  if (failure.credentials) {
    const Duration first = worked ? pauses_.first_after_good : pauses_.first;
    wait = growing_pause(first, pauses_.max, credential_refusals_++);
  } else if (failure.retry_after && *failure.retry_after > Duration{0}) {
    const bool limited = failure.failure.verdict == Verdict::login_rate_limited;
    wait = std::min(*failure.retry_after, limited ? kMaxLimit : kMaxOutage);
  }
  not_before_ = now.boot + wait;
  last_failure_ = failure.failure;
  same_again_ = false;
  if (failure.retry == Retry::never) {
    const bool may_pass = failure.credentials && worked && wait <= kMaxToWaitThrough;
    closed_ = Closed{not_before_, failure.failure, may_pass};
    wall_less_boot_ = clocks::wall_less_boot(now);
  }
  return wait;
}

Duration LoginDoor::same_token_again(Instant now) {
  const Duration wait = backoff_.next();
  not_before_ = now + wait;
  same_again_ = true;
  return wait;
}

void LoginDoor::open() noexcept {
  backoff_.reset();
  not_before_ = {};
  last_failure_.reset();
  same_again_ = false;
  closed_.reset();
  credential_refusals_ = 0;
}

void LoginDoor::open_for_new_secrets(Instant now) noexcept {
  if (!closed_ || closed_->failure.verdict != Verdict::credentials_rejected) return;
  closed_.reset();
  credential_refusals_ = 0;
  not_before_ = now;
}

void LoginDoor::open_if_clock_was_set(const Now& now) noexcept {
  if (!closed_ || closed_->failure.verdict != Verdict::tls_clock) return;
  if (!clocks::wall_was_set(wall_less_boot_, now)) return;
  closed_.reset();
  not_before_ = now.boot;
}

std::optional<TokenFailure> ApiDoor::refuse(std::uint64_t generation, Verdict verdict, Instant sent,
                                            bool worked, Instant now) {
  if (generation <= refused_) return std::nullopt;
  refused_ = generation;
  // A clock can be set right at any time, and a call of now may be the first to gain by it.
  const bool clock = verdict == Verdict::issuer_clock_behind;
  const Duration pause = clock ? std::max(sent + pauses_.first - now, Duration{0})
                               : growing_pause(pauses_.first, pauses_.max, refusals_++);
  TokenFailure failure = fresh_token_refused(verdict, pause);
  closed_ = Closed{.until = now + pause, .failure = failure, .may_pass = clock && worked};
  closed_->failure.next_request = closed_->until;
  return failure;
}

void ApiDoor::accept(std::uint64_t generation) noexcept {
  if (generation < refused_) return;
  closed_.reset();
  refusals_ = 0;
  refused_ = 0;
}

}  // namespace skewguard::oauth
