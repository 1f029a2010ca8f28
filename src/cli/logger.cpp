#include "cli/logger.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/json_text.hpp"
#include "diagnosis/json_numbers.hpp"
#include "http/url.hpp"
#include "skewguard/report.hpp"
#include "time/http_date.hpp"

namespace skewguard::cli {
namespace {

using Json = nlohmann::ordered_json;

/// As people write it: syslog's long form.
std::string_view word(LogLevel level) noexcept {
  return level == LogLevel::warn ? "warning" : to_string(level);
}

std::string_view color_of(LogLevel level) noexcept {
  constexpr std::string_view kRed = "\x1b[31m";
  constexpr std::string_view kYellow = "\x1b[33m";
  constexpr std::string_view kFaint = "\x1b[2m";
  if (level >= LogLevel::error) return kRed;
  return level == LogLevel::warn ? kYellow : kFaint;
}

/// scheme://host[:port] of the host that gave that answer, or did not.
std::string server_of(const ReportedAttempt& attempt, const CallReport& report) {
  if (attempt.host == HostRole::api) return http::origin_of(report.url);
  return report.clocks.empty() ? std::string{} : report.clocks.front().server;
}

/// What a report says about the attempt that ended the call.
void add_evidence(const CallReport& report, LogLine& line) {
  const auto last = std::find_if(report.attempts.rbegin(), report.attempts.rend(),
                                 [](const ReportedAttempt& a) { return a.verdict.has_value(); });
  const bool has_verdict = last != report.attempts.rend();
  if (has_verdict) {
    line.correlation_id = last->correlation_id;
    line.server = server_of(*last, report);
  }
  const Verdict verdict = has_verdict ? *last->verdict : report.verdict;
  if (verdict != Verdict::ok) line.verdict = verdict;
}

/// " (verdict X, correlation id Y)": whichever are known.
std::string evidence_of(std::string_view verdict, const std::string& correlation_id) {
  std::string text;
  if (!verdict.empty()) text.append("verdict ").append(verdict);
  if (!correlation_id.empty()) {
    text.append(text.empty() ? "" : ", ").append("correlation id ");
    text.append(one_line(correlation_id));
  }
  return text.empty() ? text : " (" + text + ")";
}

}  // namespace

Logger::Logger(const ProcessIo& process, const settings::Settings& settings)
    : process_(process),
      level_(settings.log_level),
      quiet_(settings.quiet),
      json_(settings.log_json),
      color_(settings.color && process.err_is_terminal) {}

void Logger::write(const LogLine& line) {
  constexpr Duration kAnnounced = std::chrono::seconds{2};
  if (quiet_) return;
  const bool announced = holds_rejections() && line.wait > kAnnounced;
  if (line.level < level_ && !announced) return;
  const bool rejection = line.level == LogLevel::warn && line.verdict.has_value();
  if (rejection && holds_rejections()) return;
  print(line, false);
}

void Logger::fail(const Error& error) {
  LogLine line{.level = LogLevel::error, .message = describe(error)};
  if (error.report) add_evidence(*error.report, line);
  print(line, true);
}

Hooks Logger::hooks() {
  return {.on_rejection = {},
          .on_resolved = {},
          .log = [this](const LogLine& line) { write(line); },
          .log_level = std::min(level_, LogLevel::info)};
}

void Logger::print(const LogLine& line, bool failure) {
  const std::string text = json_ ? as_json(line) : as_text(line, failure);
  const std::lock_guard lock(mutex_);
  process_.err(text);
}

std::string Logger::as_text(const LogLine& line, bool failure) const {
  constexpr std::string_view kPlain = "\x1b[0m";
  std::string text = "skewguard: ";
  if (color_) text.append(color_of(line.level));
  if (!failure) text.append(word(line.level)).append(": ");
  const std::string_view verdict = line.verdict ? to_string(*line.verdict) : std::string_view{};
  const bool named = line.message.find(verdict) != std::string::npos;
  if (!failure && !named) text.append(verdict).append(": ");
  text.append(one_line(line.message));
  if (color_) text.append(kPlain);
  text.append(evidence_of(failure ? verdict : "", line.correlation_id));
  return text.append("\n");
}

std::string Logger::as_json(const LogLine& line) const {
  const auto since_epoch = process_.clock->now().wall.time_since_epoch();
  Json json = {{"time", time::format_rfc3339_ms(since_epoch)},
               {"level", to_string(line.level)},
               {"message", line.message}};
  if (line.verdict) json["verdict"] = to_string(*line.verdict);
  if (!line.server.empty()) json["server"] = line.server;
  if (!line.correlation_id.empty()) json["correlation_id"] = line.correlation_id;
  if (line.wait > Duration{0}) json["wait_s"] = diagnosis::in_seconds(line.wait);
  return json_text(json, -1);
}

}  // namespace skewguard::cli
