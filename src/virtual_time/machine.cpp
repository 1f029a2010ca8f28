#include "virtual_time/machine.hpp"

#include <algorithm>
#include <cmath>

#include "virtual_time/process.hpp"

namespace skewguard::virtual_time {
namespace {

Duration scaled(Duration span, double ppm) {
  return span + Duration{std::llround(static_cast<double>(span.count()) * ppm * 1e-6)};
}

}  // namespace

Machine::Machine(Timeline& timeline, const Now& start)
    : timeline_(timeline), since_(timeline.now()), base_(start) {}

Now Machine::booted(WallTime wall) {
  Now now;
  now.boot = Instant{std::chrono::hours{1}};
  now.mono = MonotonicTime{std::chrono::hours{1}};
  now.raw = RawTime{std::chrono::minutes{59}};
  now.wall = wall;
  return now;
}

Now Machine::now() {
  Now now = base_;
  if (state_ == State::stopped) return now;
  const Duration passed = timeline_.now() - since_;
  const Duration slewed = scaled(passed, slew_ppm_);
  now.boot += slewed;
  now.wall += slewed;
  if (state_ == State::suspended) return now;
  now.mono += slewed;
  now.raw += scaled(passed, crystal_ppm_);
  return now;
}

void Machine::note_clocks() {
  base_ = now();
  since_ = timeline_.now();
}

void Machine::wake_processes() {
  for (Process* process : processes_) process->arm();
}

void Machine::enter(State state) {
  note_clocks();
  if (state_ == State::stopped && state != State::stopped && marker_) ++*marker_;
  state_ = state;
  wake_processes();
}

void Machine::step_wall(Duration by) {
  base_.wall += by;
}

void Machine::set_wall(WallTime at) {
  base_.wall += at - now().wall;
}

void Machine::set_drift(double slew_ppm, double crystal_ppm) {
  note_clocks();
  slew_ppm_ = slew_ppm;
  crystal_ppm_ = crystal_ppm;
  wake_processes();
}

void Machine::tell_of_stops() {
  if (!marker_) marker_ = 1;
}

Duration Machine::when(MonotonicTime mono) const {
  const Duration span = std::min(mono - base_.mono, kLongestWait);
  if (slew_ppm_ == 0 || span <= Duration{0}) return since_ + span;
  const double exact = static_cast<double>(span.count()) / (1 + slew_ppm_ * 1e-6);
  Duration out = Duration{std::llround(std::min(exact, static_cast<double>(kLongestWait.count())))};
  while (out < kLongestWait && scaled(out, slew_ppm_) < span) out += Duration{1};
  return since_ + out;
}

}  // namespace skewguard::virtual_time
