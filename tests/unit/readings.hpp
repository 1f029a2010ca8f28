// Readings of clocks, as a survey makes them.
#pragma once

#include <chrono>
#include <string>

#include "doctor/clock_reading.hpp"
#include "doctor/ntp_reading.hpp"

namespace skewguard::doctor {

/// A clock that was measured to a few milliseconds, `off` from the local one.
inline ClockReading clock_at(const std::string& url, Duration off) {
  using std::chrono::milliseconds;
  using std::chrono::seconds;
  ClockReading reading;
  reading.url = url;
  reading.asked = reading.samples = 16;
  reading.rtt_min = milliseconds{10};
  reading.picture = clocks::Picture::one_clock;
  reading.best = off;
  reading.bound = OffsetBound{off - milliseconds{6}, off + milliseconds{11}};
  reading.hull = OffsetBound{off - seconds{1}, off + seconds{2}};
  return reading;
}

inline NtpReading ntp_at(const std::string& host, Duration off) {
  using std::chrono::milliseconds;
  const OffsetBound bound{off - milliseconds{10}, off + milliseconds{10}};
  return {.host = host, .address = host + ":123", .server = bound, .truth = bound, .stratum = 2};
}

}  // namespace skewguard::doctor
