#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "skewguard/export.hpp"
#include "skewguard/time.hpp"
#include "skewguard/verdict.hpp"

namespace SKEWGUARD_API skewguard {

/// By severity. `trace`: name look-ups and header fields; `debug`: connections, requests, answers,
/// what is known about the clocks, the token store; `info`: tokens, retries, waits as they begin;
/// `warn`: rejections, and clock steps; `critical`: a token that is valid by the local wall clock
/// was refused.
enum class LogLevel { trace, debug, info, warn, error, critical };
/// The name of the enumerator.
std::string_view to_string(LogLevel level) noexcept;

/// One line of the structured log. Never contains a secret or a token.
struct LogLine {
  LogLevel level = LogLevel::info;
  std::string message;               ///< plain words; may quote a server's, which may not be UTF-8
  std::optional<Verdict> verdict{};  ///< of the rejection that it is about
  std::string server{};              ///< origin (scheme://host:port); may be empty
  std::string correlation_id{};      ///< that the server gave its answer; may be empty
  Duration wait{0};                  ///< that begins with this line; 0 = none
};

/// Receives log lines; an empty one drops them. Called on the control loop: it must not block.
/// Exceptions are dropped.
using LogSink = std::function<void(const LogLine&)>;

}  // namespace skewguard
