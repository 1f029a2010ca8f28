#pragma once

#include <cstdint>
#include <functional>

#include "skewguard/export.hpp"
#include "skewguard/time.hpp"

namespace SKEWGUARD_API skewguard {

/// The one control loop, as the parts that run on it see it. Functions run one at a time, in order.
class Executor {
 public:
  using Timer = std::uint64_t;  ///< names one timer; never 0
  virtual ~Executor() = default;
  /// Runs `function` on the loop, soon, never from within this call. Thread-safe.
  virtual void post(std::function<void()> function) = 0;
  /// Runs `function` on the loop at about `at`: a hint; it may be late (suspend, a frozen process),
  /// so deadlines are checked at use. One that is already due is posted. From the loop alone.
  virtual Timer call_at(Instant at, std::function<void()> function) = 0;
  /// Unknown and spent timers are fine. From the loop alone.
  virtual void cancel(Timer timer) = 0;
  /// Whether the caller runs on the loop, as far as that can be told: who does may not wait for it.
  [[nodiscard]] virtual bool inside() const noexcept { return false; }
  /// What a blocking call asks on its caller's thread, outside of the loop. A loop that runs only
  /// where somebody waits for it runs here, until `done()` or until `at_most` has passed by its own
  /// clock, and says true. False: other threads run it, and the caller waits for them. `done` may
  /// take a lock, so none is held while it is asked. Thread-safe.
  virtual bool run_here(const std::function<bool()>& /*done*/, Duration /*at_most*/) {
    return false;
  }
};

}  // namespace skewguard
