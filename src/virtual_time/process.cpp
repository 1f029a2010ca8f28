#include "virtual_time/process.hpp"

#include <algorithm>

namespace skewguard::virtual_time {

Process::Process(Machine& machine) : machine_(machine) {
  machine_.processes_.push_back(this);
}

Process::~Process() {
  kill();
  std::erase(machine_.processes_, this);
}

void Process::post(std::function<void()> function) {
  add(machine_.now().mono, std::move(function));
}

Executor::Timer Process::call_at(Instant at, std::function<void()> function) {
  if (loses_timers_) return ++last_;
  const Now now = machine_.now();
  const Duration wait = std::max(at, now.boot) - now.boot;
  return add(now.mono + std::min(wait, kLongestWait), std::move(function));
}

Executor::Timer Process::add(MonotonicTime at, std::function<void()> function) {
  const Timer timer = ++last_;
  if (!alive_) return timer;
  due_.emplace(Key{at, timer}, std::move(function));
  if (due_.begin()->first.second == timer) arm();
  return timer;
}

Timeline::Function Process::withdraw(Timer timer) {
  const auto found =
      std::ranges::find_if(due_, [timer](const auto& each) { return each.first.second == timer; });
  if (found == due_.end()) return {};
  const bool first = found == due_.begin();
  Timeline::Function function = std::move(found->second);
  due_.erase(found);
  if (first) arm();
  return function;
}

Timeline::Function Process::take() {
  armed_.reset();
  Timeline::Function function = std::move(due_.begin()->second);
  due_.erase(due_.begin());
  arm();
  return function;
}

void Process::arm() {
  disarm();
  if (due_.empty() || frozen_ || machine_.state() != Machine::State::running) return;
  armed_ = machine_.timeline().schedule(machine_.when(due_.begin()->first.first), {{}, this});
}

void Process::disarm() {
  if (armed_) machine_.timeline().remove(*armed_);
  armed_.reset();
}

void Process::freeze() {
  frozen_ = true;
  disarm();
}

void Process::thaw() {
  frozen_ = false;
  arm();
}

void Process::kill() {
  alive_ = false;
  disarm();
  const auto dropped = std::exchange(due_, {});  // destroying them may cancel others
}

}  // namespace skewguard::virtual_time
