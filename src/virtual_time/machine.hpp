#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "skewguard/transport.hpp"
#include "virtual_time/timeline.hpp"

namespace skewguard::virtual_time {

/// A computer with its clocks, which start at different readings, run at different rates, and can
/// be stepped, suspended and stopped. Must not outlive its timeline; must outlive its processes.
class Machine final : public ClockSource, public DisruptionSource {
 public:
  enum class State {
    running,
    suspended,  ///< the boot and wall clocks run; the others, timers and processes stand still
    stopped,    ///< as a hypervisor stops its guest: nothing runs, and no clock notices
  };

  /// `start`: what its clocks show now.
  Machine(Timeline& timeline, const Now& start);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;

  /// A machine that was booted an hour before, with a raw clock that runs apart from the others.
  [[nodiscard]] static Now booted(WallTime wall);

  Now now() override;
  /// Empty, unless tell_of_stops().
  std::optional<std::uint64_t> marker() override { return marker_; }

  [[nodiscard]] State state() const noexcept { return state_; }
  void enter(State state);
  /// Moves the wall clock by `by`; positive = forward.
  void step_wall(Duration by);
  void set_wall(WallTime at);
  /// From now on the boot, monotonic and wall clocks run `slew_ppm` faster than true time, and the
  /// raw clock `crystal_ppm`; negative = slower. In parts per million.
  void set_drift(double slew_ppm, double crystal_ppm);
  /// From now on marker() changes each time the machine leaves State::stopped.
  void tell_of_stops();

  [[nodiscard]] Timeline& timeline() noexcept { return timeline_; }
  /// The first moment of true time at which the monotonic clock shows `mono`, if this machine runs
  /// on as it does now.
  [[nodiscard]] Duration when(MonotonicTime mono) const;

 private:
  friend class Process;
  void note_clocks();  // before anything about them changes
  void wake_processes();

  Timeline& timeline_;
  Duration since_;  // true time when the clocks showed base_
  Now base_;
  State state_ = State::running;
  double slew_ppm_ = 0;
  double crystal_ppm_ = 0;
  std::optional<std::uint64_t> marker_;
  std::vector<Process*> processes_;
};

}  // namespace skewguard::virtual_time
