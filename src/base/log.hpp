#pragma once

#include <utility>

#include "skewguard/log.hpp"

namespace skewguard {

/// Where log lines go, and from which level on.
class Log {
 public:
  Log() = default;  ///< nowhere
  Log(LogSink sink, LogLevel least) : sink_(std::move(sink)), least_(least) {}

  /// Whether a line of that level goes anywhere: otherwise it need not be worded.
  [[nodiscard]] bool takes(LogLevel level) const noexcept { return sink_ && level >= least_; }
  /// Drops what is below the level, and what the sink throws: it is the user's.
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
