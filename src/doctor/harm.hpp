#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "doctor/survey.hpp"

namespace skewguard::doctor {

/// Where the two hosts that a token passes between stand in Survey::servers.
struct TokenHosts {
  std::size_t login = 0;
  std::size_t api = 1;
};

/// Which clocks do harm, for `skew` and `doctor` alike (docs/contract.md section 3, exit code 4):
/// those that are certainly more than `max_skew` from the local clock, and login and API host where
/// they are so far from each other. Whose clock is wrong makes no difference. An NTP server that
/// the other clocks prove wrong (Consensus::ntp) is no evidence, and does none.
struct Harm {
  std::vector<bool> servers;   ///< any clock behind that name, by its place in the survey
  std::vector<bool> ntp;       ///< likewise
  bool login_and_api = false;  ///< any clock of the one, from any of the other

  [[nodiscard]] bool any() const;
};
/// `hosts`: nothing where none of the servers issues or judges tokens.
Harm harm_of(const Survey& survey, std::optional<TokenHosts> hosts, Duration max_skew);

}  // namespace skewguard::doctor
