#include "diagnosis/exit_code.hpp"

namespace skewguard::diagnosis {

int exit_code(std::optional<ErrorKind> failure) noexcept {
  if (!failure) return 0;
  switch (*failure) {
    case ErrorKind::protocol:
      break;
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
  }
  return 1;
}

void conclude(CallReport& report, std::optional<ErrorKind> failure) noexcept {
  report.failure = failure;
  report.exit_code = exit_code(failure);
  report.mitigated = !failure && report.verdict != Verdict::ok;
}

}  // namespace skewguard::diagnosis
