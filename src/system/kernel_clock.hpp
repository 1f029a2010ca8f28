#pragma once

#include <optional>

#include "skewguard/result.hpp"
#include "skewguard/time.hpp"

struct timex;

namespace skewguard::system {

/// A leap second that was announced to the kernel.
enum class Leap {
  none,
  insert,  ///< the day ends (in UTC) with 23:59:60
  remove,  ///< the day ends with 23:59:58
  now,     ///< it is being inserted: the wall clock shows 23:59:59 for a second time
};

/// What the kernel knows about its wall clock from the program that disciplines it (`man 2
/// adjtimex`). The kernel does not verify it.
struct KernelClock {
  /// A program disciplines the clock and reports it as synchronized. chronyd reports that only with
  /// `rtcsync`; `max_error` shows that it disciplines the clock anyway.
  bool synchronized = false;
  /// The maximum error of the wall clock, in either direction (>= 0): as last reported, plus 500 us
  /// for each second since. Empty from 16 s on, where the kernel stops counting.
  std::optional<Duration> max_error;
  /// The estimated error (>= 0), as last reported. Empty if there is no `max_error`.
  std::optional<Duration> est_error;
  /// The frequency correction in parts per million; positive = the clock is made to run faster.
  /// Includes a slew by frequency, as chronyd does it.
  double frequency_ppm = 0;
  /// What slewing still has to add to the wall clock; positive = the clock is behind and runs
  /// faster for now. 0: no slew in progress, except by frequency.
  Duration to_slew{0};
  Leap leap = Leap::none;
  /// TAI - UTC in seconds; empty if it was never set.
  std::optional<int> tai_offset;
};

/// Reads it without changing anything. Error (`unavailable`): the kernel does not say, as in
/// containers with filtered system calls. `adjust`: adjtimex or a test double.
Result<KernelClock> kernel_clock(int (*adjust)(timex*) = nullptr);

}  // namespace skewguard::system
