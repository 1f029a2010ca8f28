#include "virtual_time/timeline.hpp"

#include <algorithm>

#include "virtual_time/process.hpp"

namespace skewguard::virtual_time {

Timeline::Event Timeline::schedule(Duration when, Due due) {
  const Event event{std::max(when, now_), ++last_};
  due_.emplace(event, std::move(due));
  return event;
}

Timeline::Event Timeline::at(Duration when, Function function) {
  return schedule(when, {std::move(function)});
}

Timeline::Event Timeline::after(Duration span, Function function) {
  return at(now_ + std::clamp(span, Duration{0}, kLongestWait), std::move(function));
}

Timeline::Function Timeline::take(Duration limit) {
  limit = std::max(limit, now_);
  if (due_.empty() || due_.begin()->first.first > limit) {
    now_ = limit;
    return {};
  }
  auto first = due_.extract(due_.begin());
  now_ = first.key().first;
  Due& due = first.mapped();
  return due.process != nullptr ? due.process->take() : std::move(due.function);
}

void Timeline::run_for(Duration span) {
  const Duration end = now_ + std::clamp(span, Duration{0}, kLongestWait);
  while (const Function function = take(end)) function();
}

bool Timeline::run_while(const std::function<bool()>& busy, Duration at_most) {
  const Duration end = now_ + std::clamp(at_most, Duration{0}, kLongestWait);
  while (busy()) {
    const Function function = take(end);
    if (!function) return false;
    function();
  }
  return true;
}

}  // namespace skewguard::virtual_time
