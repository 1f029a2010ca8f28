#include <string>

#include "skewguard/client.hpp"

namespace skewguard {
namespace {

ErrorKind kind_of(int exit_code) {
  switch (exit_code) {
    case 2:
      return ErrorKind::config;
    case 3:
      return ErrorKind::credentials;
    case 4:
      return ErrorKind::clock;
    case 5:
      return ErrorKind::forbidden;
    case 6:
      return ErrorKind::unavailable;
    case 7:
      return ErrorKind::throttled;
    default:
      return ErrorKind::protocol;
  }
}

// The last attempt that was judged says why the call failed.
std::string explanation_of(const CallReport& report) {
  for (auto attempt = report.attempts.rbegin(); attempt != report.attempts.rend(); ++attempt) {
    if (attempt->verdict && !attempt->explanation.empty()) return attempt->explanation;
  }
  return "the API answered " +
         (report.http_status ? std::to_string(*report.http_status) : std::string{"nothing"});
}

}  // namespace

std::optional<Error> failure(const Response& response) {
  const CallReport& report = response.report;
  if (report.exit_code == 0) return std::nullopt;
  return Error{kind_of(report.exit_code), explanation_of(report), "",
               std::make_shared<CallReport>(report)};
}

}  // namespace skewguard
