#include "guard/call_lines.hpp"

#include "time/duration_text.hpp"

namespace skewguard::guard {

LogLine rejected_line(const ReportedAttempt& attempt, const std::vector<Verdict>& candidates,
                      const std::string& api) {
  std::string names;
  for (const Verdict candidate : candidates)
    names.append(names.empty() ? "" : ", ").append(to_string(candidate));
  if (candidates.size() > 1) names.append(" (provisional)");
  return {LogLevel::warn, "rejected: " + names + ": " + attempt.explanation, attempt.verdict, api,
          attempt.correlation_id};
}

LogLine valid_locally_line(const ReportedAttempt& attempt, const std::string& api) {
  std::string left = "its expiry is unknown";
  if (const auto& remaining = attempt.analysis.time_remaining) {
    const auto tenths = *remaining / std::chrono::milliseconds{100};
    left = std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) +
           " s left by the local wall clock";
  }
  return {LogLevel::critical,
          "token valid locally but refused by " + api + ": " + left + " (verdict provisional)",
          attempt.verdict, api, attempt.correlation_id};
}

LogLine waiting_line(const Pause& pause, const ReportedAttempt* last, Instant now,
                     const std::string& api) {
  const Duration wait = pause.until() - now;
  LogLine line{.level = LogLevel::info,
               .message = "waiting " + time::human(wait) + " before ",
               .server = api,
               .wait = wait};
  if (pause.then() == Pause::Then::first_use || pause.then() == Pause::Then::check) {
    line.message += "the first use of a new token: the API's clock is behind the login host's";
    return line;
  }
  line.message += pause.then() == Pause::Then::renew  ? "requesting a new token"
                  : pause.then() == Pause::Then::look ? "checking the API's clock again"
                                                      : "sending the request again";
  if (last != nullptr && last->verdict != Verdict::ok) line.verdict = last->verdict;
  return line;
}

}  // namespace skewguard::guard
