#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "clocks/clock_view.hpp"
#include "guard/call_machine.hpp"
#include "oauth/token_machine.hpp"
#include "skewguard/report.hpp"

namespace skewguard::guard {

/// The two hosts that a call talks to.
struct Hosts {
  ServerId api;
  ServerId login;
};

/// The report of one call as it grows: every failed or missing answer, and the last good one.
class CallRecord {
 public:
  CallRecord(std::string method, std::string url, Hosts hosts);

  void begin(const Now& now);
  /// Answers of the login host, as the token machine tells them.
  void add_login(const std::vector<oauth::LoginAttempt>& attempts, int token_requests);
  /// An answer of the API host (or its absence: null); the verdict and what follows come later.
  /// Returns its index.
  std::size_t add(const clocks::Answer* answer, const oauth::Token* token,
                  const clocks::ClockView& view);
  [[nodiscard]] ReportedAttempt& at(std::size_t index) { return report_.attempts[index]; }
  [[nodiscard]] const std::vector<ReportedAttempt>& attempts() const { return report_.attempts; }

  /// The report as it stands when the call ends. `failure`: nothing if the call came through.
  /// `otherwise`: the verdict if no answer brought one.
  [[nodiscard]] CallReport close(std::optional<ErrorKind> failure, Verdict otherwise,
                                 const clocks::ClockView& view, Duration staleness);

 private:
  [[nodiscard]] ReportedClock clock(ServerId server, const clocks::ClockView& view,
                                    Duration staleness) const;

  Hosts hosts_;
  CallReport report_;
  Instant started_{};
};

/// The usual check of a token against the local wall clock. Decides nothing.
WallClockAnalysis analyse(const oauth::Token* token, const clocks::ClockView& view, ServerId api);

}  // namespace skewguard::guard
