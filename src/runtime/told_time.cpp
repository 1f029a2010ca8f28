#include "runtime/told_time.hpp"

#include <algorithm>
#include <utility>

#include "clocks/bounds.hpp"

namespace skewguard::runtime {
void ToldTime::ask(Instant wanted, Told told) {
  const Now now = clock_.now();
  if (remembers(now)) return told(heard_->told);
  const Duration left = std::max(wanted - now.boot, Duration{0});
  const std::uint64_t id = ++last_;
  const auto timer =
      loop_.call_at(now.boot + std::min(kPatience, left / 2), [weak = weak_from_this(), id] {
        if (const auto self = weak.lock()) self->answer(id, std::nullopt);
      });
  waiting_.emplace(id, Waiting{std::move(told), timer});
  // One that has never answered is given up at last.
  if (!asked_ || now.boot - *asked_ >= kRemembered) ask_referee(now);
}

bool ToldTime::remembers(const Now& now) const {
  if (!heard_ || now.boot - heard_->at.boot >= kRemembered) return false;
  return !clocks::wall_was_set(clocks::wall_less_boot(heard_->at), now);
}

void ToldTime::ask_referee(const Now& now) {
  asked_ = now.boot;
  try {
    referee_.ask(now.boot + kAnswerWithin,
                 [weak = weak_from_this()](const std::optional<TimeTold>& told) {
                   if (const auto self = weak.lock()) self->hear(told);
                 });
  } catch (...) {  // the user's own, or no memory
    hear(std::nullopt);
  }
}

void ToldTime::hear(const std::optional<TimeTold>& told) {
  asked_.reset();
  heard_ = Heard{told, clock_.now()};
  while (!waiting_.empty()) answer(waiting_.begin()->first, told);
}

void ToldTime::answer(std::uint64_t waiting, const std::optional<TimeTold>& told) {
  const auto found = waiting_.find(waiting);
  if (found == waiting_.end()) return;
  const Waiting who = std::move(found->second);
  waiting_.erase(found);
  loop_.cancel(who.timer);
  who.told(told);
}

}  // namespace skewguard::runtime
