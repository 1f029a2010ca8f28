#pragma once

#include <string>
#include <string_view>

#include "cli/commands.hpp"
#include "skewguard/error.hpp"
#include "skewguard/report.hpp"

/// How a command that made a call ends.
namespace skewguard::cli {

/// Of an error: its report's, else its kind's. Never 0.
int exit_code_of(const Error& error) noexcept;

/// Of what was typed. `message` names it, `remedy` says what to type instead.
Error usage_error(std::string message, std::string remedy);

/// Says why the command failed; returns the exit code.
int fail(const Error& error, Session& session);

/// One line that tells what was rejected and what cured it, at level warn.
void tell_mitigation(const CallReport& report, Session& session);

/// Tells the alert command, if there is one and the report is alarming. Never waits for it; that it
/// could not be started is said, and changes nothing.
void alert(const CallReport& report, Session& session);

/// Writes `text` to standard output, whole. False: it could not be, and that has been said (but for
/// a reader that has gone).
bool print(std::string_view text, Session& session);

/// Whether it is known when a token ends that has so much left. A given opaque one is counted with
/// more than any platform grants.
bool end_known(Duration remaining) noexcept;

/// Where --report goes. Opened before anything is sent, so that a wrong name costs no call.
class ReportFile {
 public:
  /// `path`: empty = none, "-" = standard error.
  static Result<ReportFile> open(const std::string& path, const World& world);
  /// False: it could not be written, and that has been said.
  bool write(const CallReport& report, Session& session) const;

 private:
  explicit ReportFile(Writer writer) : writer_(std::move(writer)) {}
  Writer writer_;  ///< empty = none
};

}  // namespace skewguard::cli
