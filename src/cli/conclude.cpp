#include "cli/conclude.hpp"

#include <algorithm>
#include <utility>

#include "time/duration_text.hpp"

namespace skewguard::cli {
namespace {

constexpr int kFailed = 1;

int code_of(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::config:
      return 2;
    case ErrorKind::credentials:
      return 3;
    case ErrorKind::clock:
      return 4;
    case ErrorKind::forbidden:
      return 5;
    case ErrorKind::unavailable:
    case ErrorKind::timeout:
    case ErrorKind::cancelled:
      return 6;
    case ErrorKind::throttled:
      return 7;
    case ErrorKind::protocol:
      return kFailed;
  }
  return kFailed;
}

std::string cure_of(const ReportedAttempt& attempt) {
  switch (attempt.action) {
    case Action::wait_and_retry:
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
  if (error.report && error.report->exit_code != 0) return error.report->exit_code;
  return code_of(error.kind);
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
  const auto first = std::ranges::find_if(report.attempts, [&](const ReportedAttempt& attempt) {
    return attempt.verdict == report.verdict;
  });
  LogLine line{.level = LogLevel::warn,
               .message = "cured " + std::string(to_string(report.verdict))};
  if (first != report.attempts.end()) {
    line.message.append(cure_of(*first)).append(": ").append(first->explanation);
    line.correlation_id = first->correlation_id;
  }
  session.logger.write(line);
}

bool print(std::string_view text, Session& session) {
  const auto written = session.world.out(text);
  if (!written) session.logger.fail(written.error());
  return written.ok();
}

Result<ReportFile> ReportFile::open(const std::string& path, const World& world) {
  if (path.empty()) return ReportFile(Writer{});
  if (path == "-") {
    return ReportFile([&world](std::string_view text) {
      world.err(text);
      return Result<void>{};
    });
  }
  auto writer = world.open_file(path);
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
