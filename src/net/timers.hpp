#pragma once

#include <functional>
#include <memory>

#include "net/loop.hpp"
#include "skewguard/time.hpp"

namespace skewguard::net {

/// Calls back on the loop after approximately the given time. It may be early (a clock was slewed)
/// or late (the machine was suspended), so the callback must check the clock.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  virtual ~Timer() = default;  ///< disarms
  /// `fire` is called once, on the loop, never from within this call. Replaces the previous one.
  virtual void arm(Duration delay, std::function<void()> fire) = 0;
  /// After this, the previous callback is never called.
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

/// Timers of the loop itself (based on steady_clock: they stop during suspend).
std::shared_ptr<Timers> asio_timers(const Loop& io);

}  // namespace skewguard::net
