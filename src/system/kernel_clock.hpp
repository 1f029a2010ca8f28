#pragma once

#include <optional>

#include "skewguard/result.hpp"
#include "skewguard/time.hpp"

struct timex;

namespace skewguard::system {

/// A leap second that the kernel was told of.
enum class Leap {
  none,
  insert,  ///< the day ends (in UTC) with 23:59:60
  remove,  ///< the day ends with 23:59:58
  now,     ///< it is being inserted: the wall clock shows 23:59:59 for a second time
};

/// What the kernel was told of its own wall clock by whoever disciplines it (`man 2 adjtimex`).
/// It says nothing of a clock that nobody disciplines, and it believes what it is told.
struct KernelClock {
  /// Someone keeps the clock and vouches for it. chronyd does so only with `rtcsync`; `max_error`
  /// tells that it keeps the clock all the same.
  bool synchronised = false;
  /// The most that the wall clock is off, either way (>= 0): as last told, and 500 us more for each
  /// second since. Nothing once it is 16 s: the kernel counts no further.
  std::optional<Duration> max_error;
  /// What the error is expected to be (>= 0), as last told. Nothing where there is no `max_error`.
  std::optional<Duration> est_error;
  /// Parts per million by which the clock is made to run faster (positive) or slower than the bare
  /// crystal, a slew by its rate (as chronyd does it) included.
  double frequency_ppm = 0;
  /// Still to be added to the wall clock by slewing; positive = the clock is behind and runs faster
  /// until it is made up. 0: no slew is under way, but for one by the rate.
  Duration to_slew{0};
  Leap leap = Leap::none;
  /// TAI - UTC in seconds; nothing where nobody has set it.
  std::optional<int> tai_offset;
};

/// Reads it and changes nothing. Error (`unavailable`): the kernel does not say, as in containers
/// whose system calls are filtered. `adjust`: adjtimex or what stands in for it.
Result<KernelClock> kernel_clock(int (*adjust)(timex*) = nullptr);

}  // namespace skewguard::system
