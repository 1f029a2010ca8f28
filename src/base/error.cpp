#include "skewguard/error.hpp"

#include <utility>

#include "base/strings.hpp"

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
  if (error.message.ends_with('.')) return error.message + " " + as_sentence(error.remedy);
  return error.message + ": " + error.remedy;
}

Exception::Exception(Error error)
    : std::runtime_error(describe(error)),
      error_(std::make_shared<const Error>(std::move(error))) {}
Exception::~Exception() = default;

void Exception::raise(Error error) {
  throw Exception(std::move(error));
}

void Exception::end_process(const Error& error) noexcept {
  raise(error);  // nobody can catch it
}

}  // namespace skewguard
