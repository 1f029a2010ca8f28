#pragma once

#include <string>
#include <string_view>

#include "cli/commands.hpp"
#include "skewguard/error.hpp"
#include "skewguard/report.hpp"

/// How a command ends after a call.
namespace skewguard::cli {

/// The exit code of an error: from its report, otherwise from its kind. Never 0.
int exit_code_of(const Error& error) noexcept;

/// An error in the command line. `message` names it, `remedy` says what to type instead.
Error usage_error(std::string message, std::string remedy);

/// Prints why the command failed; returns the exit code.
int fail(const Error& error, Session& session);

/// Logs one line about what was rejected and what cured it, at level warn.
void tell_mitigation(const CallReport& report, Session& session);

/// Runs the alert command, if there is one and the report warrants it. Does not wait for it; if it
/// cannot be started, logs that and continues.
void alert(const CallReport& report, Session& session);

/// Writes all of `text` to standard output. False if that failed; the error has been printed,
/// unless the reader is gone.
bool print(std::string_view text, Session& session);

/// Whether the expiry of a token with this remaining life is known. For a given opaque token, the
/// remaining life is longer than any platform grants.
bool end_known(Duration remaining) noexcept;

/// The destination of --report. Opened before anything is sent, so that a wrong name is found
/// early.
class ReportFile {
 public:
  /// `path`: empty = none, "-" = standard error.
  static Result<ReportFile> open(const std::string& path, const ProcessIo& process);
  /// False if it could not be written; the error has been printed.
  bool write(const CallReport& report, Session& session) const;

 private:
  explicit ReportFile(Writer writer) : writer_(std::move(writer)) {}
  Writer writer_;  ///< empty = none
};

}  // namespace skewguard::cli
