#pragma once

#include <cstdint>
#include <functional>

#include "skewguard/export.hpp"
#include "skewguard/time.hpp"

namespace SKEWGUARD_API skewguard {

/// The control loop, as seen by the code that runs on it. Functions run one at a time, in order.
class Executor {
 public:
  using Timer = std::uint64_t;  ///< names one timer; never 0
  virtual ~Executor() = default;
  /// Runs `function` on the loop soon, never from within this call. Thread-safe.
  virtual void post(std::function<void()> function) = 0;
  /// Runs `function` on the loop at about `at`. It may be late (suspend, a frozen process), so
  /// deadlines must be checked at use. If it is already due, it is posted. Call it on the loop
  /// only.
  virtual Timer call_at(Instant at, std::function<void()> function) = 0;
  /// Unknown and expired timers are ignored. Call it on the loop only.
  virtual void cancel(Timer timer) = 0;
  /// Whether the caller runs on the loop, as far as known: if so, it must not wait for the loop.
  [[nodiscard]] virtual bool inside() const noexcept { return false; }
  /// Called by a blocking call on its caller's thread, outside the loop. A loop that runs only
  /// while somebody waits for it runs here, until `done()` or until `at_most` has passed by its own
  /// clock, and returns true. False: other threads run it, and the caller waits for them. `done`
  /// may take a lock, so hold none while calling it. Thread-safe.
  virtual bool run_here(const std::function<bool()>& /*done*/, Duration /*at_most*/) {
    return false;
  }
};

}  // namespace skewguard
