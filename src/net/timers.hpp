#pragma once

#include <functional>
#include <memory>

#include "net/loop.hpp"
#include "skewguard/time.hpp"

namespace skewguard::net {

/// Calls back on the loop after about a while. A hint, never a deadline: it may come early (a
/// clock was slewed) or late (the machine was suspended), so who is called looks at the clock.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() = default;  ///< disarms
  /// `fire` is called once, from the loop, never from within this call. Replaces what was armed.
  virtual void arm(Duration delay, std::function<void()> fire) = 0;
  /// What was armed is never called from now on.
  virtual void disarm() = 0;
};

class Timers {
 public:
  Timers() = default;
  Timers(const Timers&) = delete;
  Timers& operator=(const Timers&) = delete;
  virtual ~Timers() = default;
  virtual std::unique_ptr<Timer> make() = 0;
};

/// Timers of the loop itself (steady_clock underneath: they stand still while suspended).
std::shared_ptr<Timers> asio_timers(const Loop& io);

}  // namespace skewguard::net
