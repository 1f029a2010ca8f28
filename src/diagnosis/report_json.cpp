#include "diagnosis/report_json.hpp"

#include "diagnosis/json_numbers.hpp"
#include "skewguard/report.hpp"
#include "time/http_date.hpp"

namespace skewguard {
namespace {

using diagnosis::in_ms;
using diagnosis::in_seconds;
using diagnosis::seconds_or_null;
using Json = nlohmann::ordered_json;

Json wall_text(WallTime time) {
  return time::format_rfc3339_ms(time.time_since_epoch());
}

std::string_view to_string(HostRole host) {
  return host == HostRole::api ? "api" : "login";
}

std::string_view to_string(WallClockAnalysis::Status status) {
  switch (status) {
    case WallClockAnalysis::Status::valid_locally:
      return "valid_locally";
    case WallClockAnalysis::Status::expired_locally:
      return "expired_locally";
    case WallClockAnalysis::Status::no_token:
      break;
  }
  return "no_token";
}

Json to_json(const std::optional<ReportedToken>& token) {
  if (!token) return nullptr;
  return {{"format", token->format == ReportedToken::Format::jwt ? "jwt" : "opaque"},
          {"age_s", in_seconds(token->age)},
          {"remaining_s", seconds_or_null(token->remaining)}};
}

Json to_json(const WallClockAnalysis& analysis) {
  const auto& skew = analysis.skew;
  return {{"status", to_string(analysis.status)},
          {"local_time", wall_text(analysis.local_time)},
          {"token_exp", analysis.token_exp ? wall_text(*analysis.token_exp) : Json()},
          {"time_remaining_s", seconds_or_null(analysis.time_remaining)},
          {"skew_low_s", skew ? Json(in_seconds(skew->low)) : Json()},
          {"skew_high_s", skew ? Json(in_seconds(skew->high)) : Json()}};
}

}  // namespace

Json diagnosis::json_of(const ReportedAttempt& attempt) {
  const auto& date = attempt.server_date;
  return {{"n", attempt.n},
          {"host", to_string(attempt.host)},
          {"http_status", attempt.http_status ? Json(*attempt.http_status) : Json()},
          {"error_code", attempt.error_code},
          {"correlation_id", attempt.correlation_id},
          {"server_date", date ? Json(time::format_rfc3339(date->since_epoch())) : Json()},
          {"verdict", attempt.verdict ? Json(to_string(*attempt.verdict)) : Json()},
          {"explanation", attempt.explanation},
          {"token", to_json(attempt.token)},
          {"analysis", to_json(attempt.analysis)},
          {"action", to_string(attempt.action)},
          {"waited_ms", in_ms(attempt.waited)}};
}

Json diagnosis::json_of(const ReportedClock& clock) {
  const auto& offset = clock.offset;
  return {{"server", clock.server},
          {"offset_low_s", offset ? Json(in_seconds(offset->low)) : Json()},
          {"offset_high_s", offset ? Json(in_seconds(offset->high)) : Json()},
          {"staleness_s", in_seconds(clock.staleness)},
          {"samples", clock.samples},
          {"rtt_min_ms", clock.rtt_min ? Json(in_ms(*clock.rtt_min)) : Json()}};
}

namespace {

template <typename Items>
Json to_array(const Items& items) {
  Json array = Json::array();
  for (const auto& item : items) array.push_back(diagnosis::json_of(item));
  return array;
}

}  // namespace

std::string to_json(const CallReport& report) {
  const Json json = {{"schema", "skewguard.report/1"},
                     {"method", report.method},
                     {"url", report.url},
                     {"exit_code", report.exit_code},
                     {"http_status", report.http_status ? Json(*report.http_status) : Json()},
                     {"verdict", to_string(report.verdict)},
                     {"mitigated", report.mitigated},
                     {"token_requests", report.token_requests},
                     {"elapsed_ms", in_ms(report.elapsed)},
                     {"attempts", to_array(report.attempts)},
                     {"clocks", to_array(report.clocks)}};
  // A server's words may not be UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

}  // namespace skewguard
