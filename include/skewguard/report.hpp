#pragma once

#include <optional>
#include <string>
#include <vector>

#include "skewguard/error.hpp"
#include "skewguard/export.hpp"
#include "skewguard/time.hpp"
#include "skewguard/verdict.hpp"

namespace SKEWGUARD_API skewguard {

/// Which host answered: the one that is called, or the one that issues tokens.
enum class HostRole { api, login };

/// The check that most clients make, for comparison: `exp` against the local wall clock. Decides
/// nothing.
struct WallClockAnalysis {
  enum class Status { valid_locally, expired_locally, no_token };
  Status status = Status::no_token;
  WallTime local_time{};                   ///< at receipt of the answer
  std::optional<WallTime> token_exp;       ///< JWT exp, else wall time of sending + expires_in
  std::optional<Duration> time_remaining;  ///< token_exp - local_time; negative = past
  std::optional<OffsetBound> skew;  ///< the answering host's clock minus the local wall clock
};

/// The token of an attempt, without its value.
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
  std::optional<int> http_status;  ///< absent if there was no answer
  std::string error_code;          ///< the body's or WWW-Authenticate's; may be empty
  std::string correlation_id;      ///< from the server; may be empty
  /// The answer's Date (RFC 9110 section 6.6.1), if it is usable as a sample of a clock.
  std::optional<ServerTime> server_date;
  std::optional<Verdict> verdict;  ///< absent for a last good answer
  std::string explanation;         ///< one plain sentence with the numbers
  std::optional<ReportedToken> token;
  WallClockAnalysis analysis;
  Action action = Action::none;  ///< what followed it
  Duration waited{0};            ///< how long the call waited after it
};

/// What was known about one server's clock when the call ended.
struct ReportedClock {
  std::string server;                 ///< origin (scheme://host:port)
  std::optional<OffsetBound> offset;  ///< server minus local wall clock when the report was written
  Duration staleness{0};              ///< ClientOptions::staleness, which `offset` allows for
  std::size_t samples = 0;            ///< Dates that were ever taken for one
  std::optional<Duration> rtt_min;    ///< the shortest round trip among them
};

/// The report of one call. `skewguard.report/1` in JSON (docs/guide/verdicts.md).
struct CallReport {
  std::string method;  ///< empty if the call had not begun
  std::string url;
  std::optional<ErrorKind> failure;  ///< why it failed; empty if it succeeded
  /// Follows from `failure`: 0..7, docs/guide/exit-codes.md. Here because the JSON of the report
  /// has it, so that hooks, alert commands and programs see the same number as the command line.
  int exit_code = 0;
  std::optional<int> http_status;         ///< of the last answer of the API host
  Verdict verdict = Verdict::ok;          ///< of the first rejection; `ok` if there was none
  bool mitigated = false;                 ///< something was rejected, but the call succeeded
  int token_requests = 0;                 ///< that this call waited for
  Duration elapsed{0};                    ///< by CLOCK_BOOTTIME
  std::vector<ReportedAttempt> attempts;  ///< oldest first
  std::vector<ReportedClock> clocks;      ///< the login host's first, unless there is none
};

/// The report as JSON, schema `skewguard.report/1`. Contains no secret or token. Bytes in a
/// server's words that are not UTF-8 are replaced.
std::string to_json(const CallReport& report);

}  // namespace skewguard
