#pragma once

#include <vector>

#include "doctor/clock_reading.hpp"
#include "doctor/host_reading.hpp"
#include "doctor/ntp_reading.hpp"

namespace skewguard::doctor {

/// The readings of all clocks.
struct Survey {
  std::vector<ClockReading> servers;  ///< in the order of SurveyOptions::servers
  std::vector<NtpReading> ntp;
  HostReading host;
};

}  // namespace skewguard::doctor
