#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "clocks/probe_plan.hpp"
#include "doctor/readings.hpp"
#include "http/url.hpp"
#include "net/lookup.hpp"
#include "net/options.hpp"
#include "skewguard/client.hpp"

namespace skewguard::doctor {

/// Which clocks to measure, and how.
struct SurveyOptions {
  std::vector<http::Url> servers;
  clocks::ProbeBudget budget{};
  Duration staleness = std::chrono::seconds{1};
  net::TlsOptions tls{};
  ProxyOptions proxy{};
  /// HOST[:PORT]. Not set = the servers of this machine's time services, otherwise pool.ntp.org.
  /// Empty = none.
  std::optional<std::vector<std::string>> ntp{};
  std::string path;  ///< $PATH, to look for the time services' programs
  net::Lookup lookup = &net::system_lookup;
};

/// Called about ten times a second with the progress.
using Progress = std::function<void(const Survey&)>;

/// Called with the results after each round; returns true for another round, which costs as much
/// and continues from there. Each round resolves the names again. NTP servers are not asked more
/// often than SntpPace allows, so only in some rounds. Rounds start at least 2 s apart.
using Again = std::function<bool(const Survey&)>;

/// Measures all clocks concurrently, on its own loop. Blocks for the budget, plus up to 4 s if
/// servers do not answer, for each round. Without `again`: one round. Error (`config`): an unusable
/// proxy, or a name that is not an NTP server.
Result<Survey> survey(SurveyOptions options, ClockSource& clock, const Progress& progress = {},
                      const Again& again = {});

}  // namespace skewguard::doctor
