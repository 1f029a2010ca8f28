#include "cli/conclude.hpp"

#include <algorithm>
#include <utility>

#include "diagnosis/call_error.hpp"
#include "diagnosis/exit_code.hpp"
#include "runtime/alerts.hpp"
#include "time/duration_text.hpp"

namespace skewguard::cli {
namespace {

std::string cure_of(const ReportedAttempt& attempt) {
  switch (attempt.action) {
    case Action::wait_and_retry:
      if (attempt.waited < std::chrono::milliseconds{1}) return " by trying again at once";
      return " by waiting " + time::human(attempt.waited);
    case Action::refresh_and_retry:
      return " with a new token";
    case Action::none:
    case Action::give_up:
      break;
  }
  return "";
}

}  // namespace

int exit_code_of(const Error& error) noexcept {
  return diagnosis::exit_code(diagnosis::failure_of(error));
}

Error usage_error(std::string message, std::string remedy) {
  return {.kind = ErrorKind::config, .message = std::move(message), .remedy = std::move(remedy)};
}

int fail(const Error& error, Session& session) {
  session.logger.fail(error);
  return exit_code_of(error);
}

void tell_mitigation(const CallReport& report, Session& session) {
  if (!report.mitigated || !session.logger.holds_rejections()) return;
  // What cured it is what followed the last of these rejections.
  const auto cured = std::find_if(
      report.attempts.rbegin(), report.attempts.rend(),
      [&](const ReportedAttempt& attempt) { return attempt.verdict == report.verdict; });
  LogLine line{.level = LogLevel::warn,
               .message = "cured " + std::string(to_string(report.verdict))};
  if (cured != report.attempts.rend()) {
    line.message.append(cure_of(*cured)).append(": ").append(cured->explanation);
    line.correlation_id = cured->correlation_id;
  }
  session.logger.write(line);
}

void alert(const CallReport& report, Session& session) {
  if (session.alert_command.empty() || !runtime::alarming(report)) return;
  const auto started = session.process.start_program(session.alert_command, to_json(report) + "\n");
  if (started) return;
  session.logger.write(
      {.level = LogLevel::warn, .message = "the alert command: " + started.error().message});
}

bool end_known(Duration remaining) noexcept {
  constexpr Duration kMaxGranted = std::chrono::hours{24 * 3000};  // docs/platform.md 1.5: 450 days
  return remaining < kMaxGranted;
}

bool print(std::string_view text, Session& session) {
  const auto written = session.process.out(text);
  if (!written) session.logger.fail(written.error());
  return written.ok();
}

Result<ReportFile> ReportFile::open(const std::string& path, const ProcessIo& process) {
  if (path.empty()) return ReportFile(Writer{});
  if (path == "-") {
    return ReportFile([&process](std::string_view text) {
      process.err(text);
      return Result<void>{};
    });
  }
  auto writer = process.open_file(path);
  if (!writer) return std::move(writer).error();
  return ReportFile(*std::move(writer));
}

bool ReportFile::write(const CallReport& report, Session& session) const {
  if (!writer_) return true;
  const auto written = writer_(to_json(report) + "\n");
  if (!written) session.logger.fail(written.error());
  return written.ok();
}

}  // namespace skewguard::cli
