#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "clocks/clock_view.hpp"
#include "guard/call_machine.hpp"
#include "oauth/token_events.hpp"
#include "skewguard/report.hpp"

namespace skewguard::guard {

/// The two hosts that a call talks to.
struct Hosts {
  ServerId api;
  ServerId login;
};

/// Collects the report of one call: every failed or missing answer, and the last good one.
class CallRecord {
 public:
  CallRecord(std::string method, std::string url, Hosts hosts);

  void begin(const Now& now);
  /// Answers of the login host, from the token machine.
  void add_login(const std::vector<oauth::LoginAttempt>& attempts, int token_requests);
  /// An answer of the API host (null if there was none); the verdict and the action come later.
  /// Returns its index.
  std::size_t add(const clocks::Answer* answer, const oauth::Token* token,
                  const clocks::ClockView& view);
  [[nodiscard]] ReportedAttempt& at(std::size_t index) { return report_.attempts[index]; }
  [[nodiscard]] const std::vector<ReportedAttempt>& attempts() const { return report_.attempts; }

  /// The final report. `failure`: empty if the call succeeded. `otherwise`: the verdict if no
  /// answer has one.
  [[nodiscard]] CallReport close(std::optional<ErrorKind> failure, Verdict otherwise,
                                 const clocks::ClockView& view, Duration staleness);

 private:
  Hosts hosts_;
  CallReport report_;
  Instant started_{};
};

/// What is known about both clocks at the time of `view`; the login host's first, unless there is
/// none.
std::vector<ReportedClock> reported_clocks(Hosts hosts, const clocks::ClockView& view,
                                           Duration staleness);

/// The check of a token against the local wall clock that most clients make. Decides nothing.
WallClockAnalysis analyze(const oauth::Token* token, const clocks::ClockView& view, ServerId api);

}  // namespace skewguard::guard
