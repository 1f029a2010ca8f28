#pragma once

#include <optional>
#include <string>
#include <vector>

#include "skewguard/export.hpp"
#include "skewguard/time.hpp"
#include "skewguard/verdict.hpp"

namespace SKEWGUARD_API skewguard {

enum class HostRole { api, login };

/// The usual check, for those who know it: `exp` against the local wall clock. Decides nothing.
struct WallClockAnalysis {
  enum class Status { valid_locally, expired_locally, no_token };
  Status status = Status::no_token;
  WallTime local_time{};
  std::optional<WallTime> token_exp;       ///< JWT exp, else wall time of sending + expires_in
  std::optional<Duration> time_remaining;  ///< token_exp - local_time; negative = past
  std::optional<OffsetBound> skew;  ///< the answering host's clock minus the local wall clock
};

struct ReportedToken {
  enum class Format { opaque, jwt };
  Format format = Format::opaque;
  Duration age{0};                    ///< since its request was sent, by CLOCK_BOOTTIME
  std::optional<Duration> remaining;  ///< of its life, by our own deadline; negative = past
};

/// One failed or missing answer of either host (or the last good one).
struct ReportedAttempt {
  int n = 1;  ///< 1, 2, ... over both hosts, in order
  HostRole host = HostRole::api;
  std::optional<int> http_status;  ///< absent where no answer came
  std::string error_code;          ///< the body's or WWW-Authenticate's; may be empty
  std::string correlation_id;
  std::optional<ServerTime> server_date;
  std::optional<Verdict> verdict;  ///< absent for a last good answer
  std::string explanation;         ///< one plain sentence with the figures
  std::optional<ReportedToken> token;
  WallClockAnalysis analysis;
  Action action = Action::none;
  Duration waited{0};  ///< how long was waited after it
};

struct ReportedClock {
  std::string server;                 ///< origin
  std::optional<OffsetBound> offset;  ///< server minus local wall clock when the report was written
  Duration staleness{0};
  std::size_t samples = 0;
  std::optional<Duration> rtt_min;
};

/// All that is known of one call. `skewguard.report/1` in JSON.
struct CallReport {
  std::string method;
  std::string url;
  int exit_code = 0;
  std::optional<int> http_status;  ///< of the last answer of the API host
  Verdict verdict = Verdict::ok;   ///< of the first rejection; `ok` if there was none
  bool mitigated = false;  ///< something was rejected, and the call came through all the same
  int token_requests = 0;  ///< that this call waited for
  Duration elapsed{0};
  std::vector<ReportedAttempt> attempts;
  std::vector<ReportedClock> clocks;
};

/// The report as JSON, schema `skewguard.report/1`. Holds no secret or token.
std::string to_json(const CallReport& report);

}  // namespace skewguard
