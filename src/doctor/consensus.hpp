#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "clocks/who_is_wrong.hpp"
#include "doctor/survey.hpp"

namespace skewguard::doctor {

/// One clock's testimony: what is concluded rests on `sure`, what is told of it is `shown`, which
/// holds where one clock answers for the name.
struct Testimony {
  clocks::Source sure;
  OffsetBound shown;
};
/// Nothing where it shows no one time. `tolerance`: what counts as a difference.
std::optional<Testimony> testimony(std::string name, const ClockReading& reading,
                                   Duration tolerance = clocks::kTolerance);
std::optional<Testimony> testimony(const NtpReading& reading);

/// What all clocks of a survey say together (Marzullo), by what is shown of each. A falseticker
/// misses by over a second what a majority agrees on. Clocks that one machine keeps have one voice.
struct Consensus {
  std::size_t heard = 0;     ///< clocks that show a time
  std::size_t agreeing = 0;  ///< of them, those that meet what is agreed on
  std::size_t wrong = 0;     ///< falsetickers
  /// The truth minus the local wall clock, if more than half of the clocks are right. Nothing:
  /// no such majority.
  std::optional<OffsetBound> agreed{};
  bool local_wrong = false;     ///< surely, as who_is_wrong() has it
  std::vector<bool> servers{};  ///< the falsetickers, by their place in the survey
  std::vector<bool> ntp{};      ///< likewise
};
Consensus consensus(const Survey& survey);

}  // namespace skewguard::doctor
