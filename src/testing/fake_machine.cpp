#include <algorithm>
#include <cmath>

#include "skewguard/testing.hpp"

namespace skewguard::testing {
namespace {

// Beyond it, sums of times would overflow.
constexpr Duration kLongestWait = std::chrono::hours{24 * 365 * 100};

Duration scaled(Duration span, double ppm) {
  return span + Duration{std::llround(static_cast<double>(span.count()) * ppm * 1e-6)};
}

}  // namespace

/// While it lives, this thread runs the loop. Made and ended with the machine's lock held, which is
/// let go in between.
class FakeMachine::Turn {
 public:
  Turn(FakeMachine& machine, Lock& lock)
      : machine_(machine), lock_(lock), outer_(machine.runner_.load()) {
    machine_.runner_ = std::this_thread::get_id();
    lock_.unlock();
  }
  ~Turn() {
    lock_.lock();
    machine_.runner_ = outer_;
    machine_.changed();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

 private:
  FakeMachine& machine_;
  Lock& lock_;
  std::thread::id outer_;
};

FakeMachine::FakeMachine(WallTime start) : start_(start), wall_(start) {}
FakeMachine::~FakeMachine() = default;

// Time passes -------------------------------------------------------------------------------------

void FakeMachine::advance(Duration span) {
  if (inside()) return pass(span, State::runs);
  Duration end{0};
  {
    const Lock lock(mutex_);
    end = true_ + std::clamp(span, Duration{0}, kLongestWait);
  }
  drive([] { return false; }, [this, end] { return end - true_; });
}

void FakeMachine::run() {
  advance(Duration{0});
}

bool FakeMachine::run_until(const std::function<bool()>& done, Duration at_most) {
  return run_here(done, at_most) && done();
}

bool FakeMachine::run_here(const std::function<bool()>& done, Duration at_most) {
  if (inside()) return false;
  Instant end{};
  {
    const Lock lock(mutex_);
    end = boot_ + std::clamp(at_most, Duration{0}, kLongestWait);
  }
  drive(done, [this, end] { return true_span(end - boot_); });
  return true;
}

/// `left`: how much true time the caller has; asked under the lock.
void FakeMachine::drive(const std::function<bool()>& done, const std::function<Duration()>& left) {
  Lock lock(mutex_);
  while (true) {
    const std::uint64_t seen = changes_;
    lock.unlock();
    const bool over = done();
    lock.lock();
    if (over) return;
    if (runner_.load() != std::thread::id{}) {
      progress_.wait(lock, [&] { return changes_ != seen; });
      continue;
    }
    Function function = next(std::max(left(), Duration{0}));
    if (!function) return;
    const Turn turn(*this, lock);
    const Function running = std::move(function);  // it goes before the turn ends
    running();
  }
}

/// Moves the clocks to what is due first and takes it; by `limit` where there is nothing till then.
FakeMachine::Function FakeMachine::next(Duration limit) {
  Function function;
  if (!posted_.empty()) {
    function = std::move(posted_.front());
    posted_.pop_front();
    return function;
  }
  const Duration to_timer =
      timers_.empty() ? Duration::max()
                      : true_span(std::max(timers_.begin()->first.first - mono_, Duration{0}));
  const Duration to_outside = outside_.empty()
                                  ? Duration::max()
                                  : std::max(outside_.begin()->first.first - true_, Duration{0});
  const Duration wait = std::min(to_timer, to_outside);
  move_clocks(std::min(wait, limit), State::runs);
  if (wait > limit) return function;
  if (to_outside <= to_timer) {
    function = std::move(outside_.extract(outside_.begin()).mapped());
  } else {
    function = std::move(timers_.extract(timers_.begin()).mapped());
  }
  return function;
}

void FakeMachine::after(Duration span, std::function<void()> function) {
  const Lock lock(mutex_);
  const Duration at = true_ + std::clamp(span, Duration{0}, kLongestWait);
  outside_.emplace(std::pair(at, ++last_), std::move(function));
  changed();
}

/// Only what is outside happens meanwhile.
void FakeMachine::pass(Duration span, State state) {
  Lock lock(mutex_);
  const bool from_loop = inside();
  if (!from_loop) progress_.wait(lock, [this] { return runner_.load() == std::thread::id{}; });
  const Duration end = true_ + std::clamp(span, Duration{0}, kLongestWait);
  while (!outside_.empty() && outside_.begin()->first.first <= end) {
    auto due = outside_.extract(outside_.begin());
    move_clocks(due.key().first - true_, state);
    const Turn turn(*this, lock);
    const Function running = std::move(due.mapped());
    running();
  }
  move_clocks(end - true_, state);
}

void FakeMachine::move_clocks(Duration span, State state) {
  span = std::max(span, Duration{0});
  true_ += span;
  if (state == State::stopped) return;
  boot_ += scaled(span, slew_ppm_);
  wall_ += scaled(span, slew_ppm_);
  if (state == State::suspended) return;
  mono_ += scaled(span, slew_ppm_);
  raw_ += scaled(span, crystal_ppm_);
}

/// How long the boot clock takes for it; never too little.
Duration FakeMachine::true_span(Duration of_boot) const {
  if (slew_ppm_ == 0 || of_boot <= Duration{0}) return of_boot;
  const double exact = static_cast<double>(of_boot.count()) / (1 + slew_ppm_ * 1e-6);
  return std::min(Duration{std::llround(std::min(exact, 9e18)) + 1}, kLongestWait);
}

// What can happen to the machine ------------------------------------------------------------------

void FakeMachine::step_wall(Duration by) {
  const Lock lock(mutex_);
  wall_ += by;
}

void FakeMachine::set_wall(WallTime at) {
  const Lock lock(mutex_);
  wall_ = at;
}

void FakeMachine::suspend(Duration span) {
  pass(span, State::suspended);
}

void FakeMachine::stand_still(Duration span) {
  pass(span, State::stopped);
  const Lock lock(mutex_);
  if (marker_) ++*marker_;
}

void FakeMachine::tell_of_stops() {
  const Lock lock(mutex_);
  if (!marker_) marker_ = 1;
}

void FakeMachine::set_drift(double slew_ppm, double crystal_ppm) {
  const Lock lock(mutex_);
  slew_ppm_ = slew_ppm;
  crystal_ppm_ = crystal_ppm;
}

// What the clocks show ----------------------------------------------------------------------------

Now FakeMachine::now() {
  const Lock lock(mutex_);
  Now now;
  now.boot = boot_;
  now.wall = wall_;
  now.mono = mono_;
  now.raw = raw_;
  return now;
}

WallTime FakeMachine::true_time() const {
  const Lock lock(mutex_);
  return start_ + true_;
}

std::optional<std::uint64_t> FakeMachine::marker() {
  const Lock lock(mutex_);
  return marker_;
}

// The loop ----------------------------------------------------------------------------------------

void FakeMachine::post(std::function<void()> function) {
  const Lock lock(mutex_);
  posted_.push_back(std::move(function));
  changed();
}

Executor::Timer FakeMachine::call_at(Instant at, std::function<void()> function) {
  const Lock lock(mutex_);
  const Duration wait = std::max(at, boot_) - boot_;
  timers_.emplace(std::pair(mono_ + wait, ++last_), std::move(function));
  changed();
  return last_;
}

void FakeMachine::cancel(Timer timer) {
  Function last;  // it goes after the lock
  const Lock lock(mutex_);
  const auto found = std::ranges::find_if(
      timers_, [timer](const auto& each) { return each.first.second == timer; });
  if (found == timers_.end()) return;
  last = std::move(found->second);
  timers_.erase(found);
}

bool FakeMachine::inside() const noexcept {
  return runner_.load() == std::this_thread::get_id();
}

/// Under the lock.
void FakeMachine::changed() {
  ++changes_;
  progress_.notify_all();
}

}  // namespace skewguard::testing
