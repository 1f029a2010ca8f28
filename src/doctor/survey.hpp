#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "clocks/probe_plan.hpp"
#include "doctor/clock_reading.hpp"
#include "doctor/host_reading.hpp"
#include "doctor/ntp_reading.hpp"
#include "http/url.hpp"
#include "net/lookup.hpp"
#include "net/options.hpp"
#include "skewguard/client.hpp"

namespace skewguard::doctor {

/// Whose clocks are to be measured, and how.
struct SurveyOptions {
  std::vector<http::Url> servers;
  clocks::ProbeBudget budget{};
  Duration staleness = std::chrono::seconds{1};
  net::TlsOptions tls{};
  ProxyOptions proxy{};
  /// HOST[:PORT]; nothing = those that the time services of this machine are set to, else
  /// pool.ntp.org. Empty = none.
  std::optional<std::vector<std::string>> ntp{};
  std::string path;  ///< $PATH, to look for the time services' programs
  net::Lookup lookup = &net::system_lookup;
};

/// What every clock says.
struct Survey {
  std::vector<ClockReading> servers;  ///< in the order of SurveyOptions::servers
  std::vector<NtpReading> ntp;
  HostReading host;
};

/// Tells how far it has come, about ten times a second.
using Progress = std::function<void(const Survey&)>;

/// Gets what is known after each round; true = another round, which costs as much and goes on from
/// there. Each round looks the names up anew. NTP servers are not asked more often than SntpPace
/// allows, so in few of the rounds. A round begins 2 s after the last one did, or later.
using Again = std::function<bool(const Survey&)>;

/// Measures them all side by side, on a loop of its own; blocks for as long as the budget says, and
/// up to 4 s more where servers do not answer; so for each round. No `again`: one round.
/// Error (`config`): a proxy that cannot be used, or what names no NTP server.
Result<Survey> survey(SurveyOptions options, ClockSource& clock, const Progress& progress = {},
                      const Again& again = {});

}  // namespace skewguard::doctor
