#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "clocks/who_is_wrong.hpp"
#include "doctor/readings.hpp"

namespace skewguard::doctor {

/// What one clock says. Conclusions rest on `sure`; messages show `shown`, which holds if a single
/// clock answers under the name.
struct Testimony {
  clocks::Source sure;
  OffsetBound shown;
};
/// Empty if it does not show a single time. `tolerance`: the smallest difference that counts.
std::optional<Testimony> testimony(std::string name, const ClockReading& reading,
                                   Duration tolerance = clocks::kTolerance);
std::optional<Testimony> testimony(const NtpReading& reading);

/// What all clocks of a survey say together (Marzullo's algorithm), using the narrow bounds. A
/// falseticker is more than a second away from what the majority agrees on. The clocks of one
/// machine have one vote.
struct Consensus {
  std::size_t heard = 0;     ///< clocks that show a time
  std::size_t agreeing = 0;  ///< of them, those that meet what is agreed on
  std::size_t wrong = 0;     ///< falsetickers
  /// True time minus the local wall clock, if more than half of the clocks agree; empty if there is
  /// no such majority.
  std::optional<OffsetBound> agreed{};
  bool local_wrong = false;     ///< surely, as who_is_wrong() has it
  std::vector<bool> servers{};  ///< the falsetickers, by their place in the survey
  std::vector<bool> ntp{};      ///< likewise
};
Consensus consensus(const Survey& survey);

}  // namespace skewguard::doctor
