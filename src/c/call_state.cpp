#include "c/call_state.hpp"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "base/secret_text.hpp"

namespace skewguard::c {

void CallState::ask(Bearer bearer, Answer answer) {
  Secret authorization = joined_secret({bearer.authorization, std::string_view("\0", 1)});
  Secret::wipe(bearer.authorization);
  Secret::wipe(bearer.token);
  const std::lock_guard lock(mutex_);
  authorization_ = std::move(authorization);
  answer_ = std::move(answer);
  deadline_ = bearer.deadline;
  ++sends_;
  handed_out_ = true;
  tell();
}

void CallState::end(Ending ending) {
  Answer unused;  // destroyed without the lock: it may hold a call of the engine
  const std::lock_guard lock(mutex_);
  if (ending_) return;
  unused = std::exchange(answer_, {});
  ending_ = std::move(ending);
  tell();
}

/// With the lock, which the queue's own follows: never the other way round.
void CallState::tell() {
  changed_.notify_all();
  listener_.tell(this);
}

int32_t CallState::next(Duration wait) {
  std::unique_lock lock(mutex_);
  const auto something = [this] { return ending_ || answer_; };
  if (wait < Duration{0}) {
    changed_.wait(lock, something);
  } else if (wait > Duration{0}) {
    changed_.wait_for(lock, std::min<Duration>(wait, std::chrono::hours{24}), something);
  }
  if (ending_) return SKEWGUARD_DONE;
  return answer_ ? SKEWGUARD_SEND : SKEWGUARD_WAITING;
}

int32_t CallState::send_number() const {
  const std::lock_guard lock(mutex_);
  return sends_;
}

const char* CallState::authorization() const {
  const std::lock_guard lock(mutex_);
  return answer_ ? authorization_.reveal().data() : "";
}

Duration CallState::time_left() const {
  const Instant now = clock_->boot_now();
  const std::lock_guard lock(mutex_);
  if (!answer_) return Duration{0};
  if (deadline_ == Instant::max()) return Duration::max();
  return std::max(deadline_ - now, Duration{0});
}

bool CallState::answer(const std::function<SendResult()>& result) {
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(handed_out_, false)) return false;
    answer = std::exchange(answer_, {});
    authorization_ = {};
  }
  if (answer) answer(result());  // else the call has ended meanwhile
  return true;
}

const Ending* CallState::ended() const {
  const std::lock_guard lock(mutex_);
  return ending_ ? &*ending_ : nullptr;
}

void CallState::detach() {
  Listener old;
  const std::lock_guard lock(mutex_);
  std::swap(old, listener_);
  if (old.queue) old.queue->withdraw(this);
}

}  // namespace skewguard::c
