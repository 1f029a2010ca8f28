#include "engine/loop.hpp"

#include "base/secret_text.hpp"

namespace skewguard::engine {

void Loop::enter(std::function<void()> event) {
  waiting_.push_back(std::move(event));
  if (std::exchange(in_turn_, true)) return;
  while (!waiting_.empty()) {
    now_ = clock_.now();
    run_first(waiting_);
    while (!rest_.empty()) run_first(rest_);
  }
  in_turn_ = false;
  wipe_stack();  // tokens pass through
}

void Loop::within(const std::function<void()>& function) {
  if (!in_turn_) return enter(function);
  try {
    function();
  } catch (...) {  // as in a turn of its own
    return;
  }
}

void Loop::run_first(Queue& queue) noexcept {
  const std::function<void()> function = std::move(queue.front());
  queue.pop_front();
  try {
    function();
  } catch (...) {
    return;
  }
}

void Loop::later(std::function<void()> function) {
  executor_.post(while_alive([this, function = std::move(function)] { enter(function); }));
}

Executor::Timer Loop::at(Instant when, std::function<void()> function) {
  return executor_.call_at(
      when, while_alive([this, function = std::move(function)] { enter(function); }));
}

}  // namespace skewguard::engine
