#pragma once

#include <utility>

#include "skewguard/log.hpp"

namespace skewguard {

/// A sink for log lines, with a minimum level.
class Log {
 public:
  Log() = default;  ///< nowhere
  Log(LogSink sink, LogLevel least) : sink_(std::move(sink)), least_(least) {}

  /// Whether a line of that level will be written. If not, do not bother to compose it.
  [[nodiscard]] bool takes(LogLevel level) const noexcept { return sink_ && level >= least_; }
  /// Drops lines below the level, and exceptions from the sink, which is the user's code.
  void write(const LogLine& line) const noexcept {
    if (!takes(line.level)) return;
    try {
      sink_(line);
    } catch (...) {
      return;
    }
  }

 private:
  LogSink sink_;
  LogLevel least_ = LogLevel::info;
};

}  // namespace skewguard
