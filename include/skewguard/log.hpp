#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "skewguard/export.hpp"
#include "skewguard/verdict.hpp"

namespace SKEWGUARD_API skewguard {

enum class LogLevel { trace, debug, info, warn, error, critical };
std::string_view to_string(LogLevel level) noexcept;

/// One line of the structured log. Never holds a secret or a token.
struct LogLine {
  LogLevel level = LogLevel::info;
  std::string message;
  std::optional<Verdict> verdict{};
  std::string server{};
  std::string correlation_id{};
};

/// Where lines go; an empty one drops them. Called on the control loop: it must not block.
using LogSink = std::function<void(const LogLine&)>;

}  // namespace skewguard
