#include "doctor/harm.hpp"

#include <algorithm>

#include "doctor/consensus.hpp"

namespace skewguard::doctor {

bool Harm::any() const {
  return login_and_api || std::ranges::count(servers, true) > 0 ||
         std::ranges::count(ntp, true) > 0;
}

Harm harm_of(const Survey& survey, std::optional<TokenHosts> hosts, Duration max_skew) {
  Harm harm;
  for (const ClockReading& reading : survey.servers)
    harm.servers.push_back(surely_off(reading, max_skew));
  const Consensus known = consensus(survey);
  for (std::size_t i = 0; i < survey.ntp.size(); ++i) {
    const auto& truth = survey.ntp[i].truth;
    harm.ntp.push_back(truth && !known.ntp[i] && surely_off(*truth, max_skew));
  }
  harm.login_and_api = hosts && surely_apart(survey.servers.at(hosts->login),
                                             survey.servers.at(hosts->api), max_skew);
  return harm;
}

}  // namespace skewguard::doctor
