#pragma once

#include <string>
#include <vector>

#include "guard/pause.hpp"
#include "skewguard/log.hpp"
#include "skewguard/report.hpp"

/// What a call writes to the log. `api`: the origin of the API host.
namespace skewguard::guard {

/// A failed or missing answer. With several candidates the verdict is provisional.
LogLine rejected_line(const ReportedAttempt& attempt, const std::vector<Verdict>& candidates,
                      const std::string& api);

/// The API refused a token that passes the usual check: reports what that check would have missed.
/// The verdict rests on better evidence.
LogLine valid_locally_line(const ReportedAttempt& attempt, const std::string& api);

/// A wait that begins at `now`. `last`: the attempt before it; null if there was none.
LogLine waiting_line(const Pause& pause, const ReportedAttempt* last, Instant now,
                     const std::string& api);

}  // namespace skewguard::guard
