#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "doctor/readings.hpp"

namespace skewguard::doctor {

/// The indexes in Survey::servers of the two hosts that a token passes between.
struct TokenHosts {
  std::size_t login = 0;
  std::size_t api = 1;
};

/// Which clocks are harmful, for both `skew` and `doctor` (docs/contract.md section 3, exit code
/// 4): those that are certainly more than `max_skew` from the local clock, and the login and API
/// host if they are that far from each other. It does not matter whose clock is wrong. An NTP
/// server that the other clocks prove wrong (Consensus::ntp) is ignored.
struct Harm {
  std::vector<bool> servers;   ///< any clock behind that name, by its place in the survey
  std::vector<bool> ntp;       ///< likewise
  bool login_and_api = false;  ///< any clock of the one, from any of the other

  [[nodiscard]] bool any() const;
};
/// `hosts`: empty if none of the servers issues or judges tokens.
Harm harm_of(const Survey& survey, std::optional<TokenHosts> hosts, Duration max_skew);

}  // namespace skewguard::doctor
