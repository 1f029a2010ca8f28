#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include "skewguard/executor.hpp"
#include "virtual_time/machine.hpp"

namespace skewguard::virtual_time {

/// A process on a machine: its control loop. Functions run in the order in which they become due,
/// timers by the machine's monotonic clock and never early. What a process has begun outside of
/// itself, a request for example, must come back by post().
class Process final : public Executor {
 public:
  explicit Process(Machine& machine);
  ~Process() override;
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void post(std::function<void()> function) override;
  Timer call_at(Instant at, std::function<void()> function) override;
  void cancel(Timer timer) override { withdraw(timer); }
  /// Cancels the timer and returns its function, for the caller to destroy.
  Timeline::Function withdraw(Timer timer);

  [[nodiscard]] Machine& machine() noexcept { return machine_; }

  /// Stops it (SIGSTOP, a cgroup's freezer) while all clocks run on; until thaw().
  void freeze();
  /// What has become due meanwhile runs now, in order.
  void thaw();
  [[nodiscard]] bool frozen() const noexcept { return frozen_; }
  /// From now on no timer ever fires: timers are hints.
  void lose_timers() noexcept { loses_timers_ = true; }
  /// Ends it at once (SIGKILL): nothing runs on it any more, and what it had to run is dropped.
  /// Whoever does something for it asks alive() first, so the objects in it can be destroyed
  /// afterwards without an effect on anybody else.
  void kill();
  [[nodiscard]] bool alive() const noexcept { return alive_; }

 private:
  friend class Timeline;
  friend class Machine;
  using Key = std::pair<MonotonicTime, Timer>;

  Timeline::Function take();
  void arm();
  void disarm();
  Timer add(MonotonicTime at, std::function<void()> function);

  Machine& machine_;
  bool alive_ = true;
  bool frozen_ = false;
  bool loses_timers_ = false;
  Timer last_ = 0;
  std::map<Key, Timeline::Function> due_;
  std::optional<Timeline::Event> armed_;  // for the first of them
};

}  // namespace skewguard::virtual_time
