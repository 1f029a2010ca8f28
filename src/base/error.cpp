#include "skewguard/error.hpp"

namespace skewguard {

std::string_view to_string(ErrorKind kind) noexcept {
  switch (kind) {
    case ErrorKind::config:
      return "config";
    case ErrorKind::credentials:
      return "credentials";
    case ErrorKind::clock:
      return "clock";
    case ErrorKind::forbidden:
      return "forbidden";
    case ErrorKind::throttled:
      return "throttled";
    case ErrorKind::unavailable:
      return "unavailable";
    case ErrorKind::timeout:
      return "timeout";
    case ErrorKind::protocol:
      return "protocol";
    case ErrorKind::cancelled:
      return "cancelled";
  }
  return "protocol";
}

std::string describe(const Error& error) {
  if (error.remedy.empty()) return error.message;
  return error.message + ": " + error.remedy;
}

}  // namespace skewguard
