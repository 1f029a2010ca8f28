#include "system/kernel_clock.hpp"

#include <sys/timex.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace skewguard::system {
namespace {

constexpr Duration kErrorLimit = std::chrono::seconds{16};  // the kernel's NTP_PHASE_LIMIT
constexpr double kFrequencyScale = 65'536;                  // a `freq` of it is 1 ppm

Leap leap_of(int state, int status) {
  if (state == TIME_OOP) return Leap::now;
  if (state == TIME_INS || (status & STA_INS) != 0) return Leap::insert;
  if (state == TIME_DEL || (status & STA_DEL) != 0) return Leap::remove;
  return Leap::none;
}

/// `tick` is the length of one USER_HZ in microseconds: one more makes the clock faster.
double tick_ppm(long tick) {
  const double hertz = static_cast<double>(::sysconf(_SC_CLK_TCK));
  return (static_cast<double>(tick) - 1'000'000 / hertz) * hertz;
}

Error unreadable(int error) {
  return {.kind = ErrorKind::unavailable,
          .message = "the kernel does not say how its clock is kept (adjtimex: " +
                     std::generic_category().message(error) + ")",
          .remedy = error == EPERM || error == ENOSYS
                        ? "in a container a filter of system calls forbids it: ask on the host"
                        : ""};
}

}  // namespace

Result<KernelClock> kernel_clock(int (*adjust)(timex*)) {
  if (adjust == nullptr) adjust = ::adjtimex;
  timex kernel{};
  const int state = adjust(&kernel);
  if (state < 0) return unreadable(errno);
  timex old_slew{};  // of adjtime(), which has its own amount
  old_slew.modes = ADJ_OFFSET_SS_READ;
  if (adjust(&old_slew) < 0) old_slew.offset = 0;

  KernelClock clock;
  clock.synchronized = state != TIME_ERROR && (kernel.status & STA_UNSYNC) == 0;
  const Duration max = std::chrono::microseconds{kernel.maxerror};
  if (max < kErrorLimit) {
    clock.max_error = max;
    clock.est_error = std::chrono::microseconds{kernel.esterror};
  }
  clock.frequency_ppm = static_cast<double>(kernel.freq) / kFrequencyScale + tick_ppm(kernel.tick);
  const bool nano = (kernel.status & STA_NANO) != 0;
  clock.to_slew = Duration{kernel.offset} * (nano ? 1 : 1000);
  clock.to_slew += std::chrono::microseconds{old_slew.offset};
  clock.leap = leap_of(state, kernel.status);
  if (kernel.tai != 0) clock.tai_offset = kernel.tai;
  return clock;
}

}  // namespace skewguard::system
