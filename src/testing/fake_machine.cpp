#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <thread>

#include "skewguard/testing.hpp"
#include "virtual_time/machine.hpp"
#include "virtual_time/process.hpp"
#include "virtual_time/timeline.hpp"

namespace skewguard::testing {

using virtual_time::kLongestWait;
using virtual_time::Machine;
using virtual_time::Process;
using virtual_time::Timeline;

/// One machine with one process on a timeline of its own, for several threads.
class FakeMachine::Impl {
 public:
  using Function = Timeline::Function;
  using Lock = std::unique_lock<std::mutex>;

  explicit Impl(WallTime at) : start(at), machine(timeline, Machine::booted(at)) {}

  /// With what `what` gets alone.
  template <typename What>
  auto locked(const What& what) const {
    const Lock lock(mutex);
    return what();
  }

  void drive(const std::function<bool()>& done, const std::function<Duration()>& end);
  void pass(Duration span, std::optional<Machine::State> state);
  /// Under the lock.
  void note_change() {
    ++changes;
    progress.notify_all();
  }
  [[nodiscard]] bool inside() const noexcept { return runner.load() == std::this_thread::get_id(); }

  mutable std::mutex mutex;          // over all that follows
  std::condition_variable progress;  // changes has grown
  std::uint64_t changes = 0;         // functions that were posted or have run
  std::atomic<std::thread::id> runner{};
  const WallTime start;
  Timeline timeline;
  Machine machine;
  Process process{machine};

 private:
  class Turn;
};

/// While it lives, this thread runs the loop. Made and ended with the lock held, which is let go in
/// between.
class FakeMachine::Impl::Turn {
 public:
  Turn(Impl& impl, Lock& lock) : impl_(impl), lock_(lock), outer_(impl.runner.load()) {
    impl_.runner = std::this_thread::get_id();
    lock_.unlock();
  }
  ~Turn() {
    lock_.lock();
    impl_.runner = outer_;
    impl_.note_change();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  Impl& impl_;
  Lock& lock_;
  std::thread::id outer_;
};

/// `end`: until when the caller runs the loop, in true time; asked under the lock.
void FakeMachine::Impl::drive(const std::function<bool()>& done,
                              const std::function<Duration()>& end) {
  Lock lock(mutex);
  while (true) {
    const std::uint64_t seen = changes;
    lock.unlock();
    const bool over = done();
    lock.lock();
    if (over) return;
    if (runner.load() != std::thread::id{}) {
      progress.wait(lock, [&] { return changes != seen; });
      continue;
    }
    Function function = timeline.take(end());
    if (!function) return;
    const Turn turn(*this, lock);
    const Function running = std::move(function);  // destroyed before the turn ends
    running();
  }
}

/// Lets time pass while the machine is in `state` (absent: in the one that it is in) and its loop
/// runs nothing: only what happens outside of it goes on.
void FakeMachine::Impl::pass(Duration span, std::optional<Machine::State> state) {
  Lock lock(mutex);
  if (!inside()) progress.wait(lock, [this] { return runner.load() == std::thread::id{}; });
  const Machine::State before = machine.state();
  const bool frozen_before = process.frozen();
  process.freeze();
  if (state) machine.enter(*state);
  const std::shared_ptr<void> after(nullptr, [&](void*) {
    if (state) machine.enter(before);
    if (!frozen_before) process.thaw();
  });
  const Duration end = timeline.now() + std::clamp(span, Duration{0}, kLongestWait);
  while (Function due = timeline.take(end)) {
    const Turn turn(*this, lock);
    const Function running = std::move(due);  // destroyed before the turn ends
    running();
  }
}

FakeMachine::FakeMachine(WallTime start) : impl_(std::make_unique<Impl>(start)) {}
FakeMachine::~FakeMachine() = default;

// Time passes -------------------------------------------------------------------------------------

void FakeMachine::advance(Duration span) {
  if (inside()) return impl_->pass(span, std::nullopt);
  const Duration end = impl_->locked(
      [&] { return impl_->timeline.now() + std::clamp(span, Duration{0}, kLongestWait); });
  impl_->drive([] { return false; }, [end] { return end; });
}

void FakeMachine::run() {
  advance(Duration{0});
}

bool FakeMachine::run_until(const std::function<bool()>& done, Duration at_most) {
  return run_here(done, at_most) && done();
}

bool FakeMachine::run_here(const std::function<bool()>& done, Duration at_most) {
  if (inside()) return false;
  const Instant end = now().boot + std::clamp(at_most, Duration{0}, kLongestWait);
  impl_->drive(done, [this, end] {
    const Now now = impl_->machine.now();
    return impl_->machine.when(now.mono + (end - now.boot));
  });
  return true;
}

void FakeMachine::after(Duration span, std::function<void()> function) {
  impl_->locked([&] {
    impl_->timeline.after(span, std::move(function));
    impl_->note_change();
  });
}

// What can happen to the machine ------------------------------------------------------------------

void FakeMachine::step_wall(Duration by) {
  impl_->locked([&] { impl_->machine.step_wall(by); });
}

void FakeMachine::set_wall(WallTime at) {
  impl_->locked([&] { impl_->machine.set_wall(at); });
}

void FakeMachine::suspend(Duration span) {
  impl_->pass(span, Machine::State::suspended);
}

void FakeMachine::stand_still(Duration span) {
  impl_->pass(span, Machine::State::stopped);
}

void FakeMachine::tell_of_stops() {
  impl_->locked([&] { impl_->machine.tell_of_stops(); });
}

void FakeMachine::set_drift(double slew_ppm, double crystal_ppm) {
  impl_->locked([&] { impl_->machine.set_drift(slew_ppm, crystal_ppm); });
}

// What the clocks show ----------------------------------------------------------------------------

Now FakeMachine::now() {
  return impl_->locked([&] { return impl_->machine.now(); });
}

WallTime FakeMachine::true_time() const {
  return impl_->locked([&] { return impl_->start + impl_->timeline.now(); });
}

std::optional<std::uint64_t> FakeMachine::marker() {
  return impl_->locked([&] { return impl_->machine.marker(); });
}

// The loop ----------------------------------------------------------------------------------------

void FakeMachine::post(std::function<void()> function) {
  impl_->locked([&] {
    impl_->process.post(std::move(function));
    impl_->note_change();
  });
}

Executor::Timer FakeMachine::call_at(Instant at, std::function<void()> function) {
  return impl_->locked([&] {
    const Timer timer = impl_->process.call_at(at, std::move(function));
    impl_->note_change();
    return timer;
  });
}

void FakeMachine::cancel(Timer timer) {
  // Destroyed without the lock: the function's captures may use this machine.
  const auto cancelled = impl_->locked([&] { return impl_->process.withdraw(timer); });
}

bool FakeMachine::inside() const noexcept {
  return impl_->inside();
}

}  // namespace skewguard::testing
