#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "skewguard/log.hpp"

namespace skewguard {

/// A sink for log lines, with a minimum level.
class Log {
 public:
  Log() = default;  ///< nowhere
  Log(LogSink sink, LogLevel least) : sink_(std::move(sink)), least_(least) {}
  /// What `hooks` has: a sink, and a level that stays or changes.
  template <typename Hooks>
  static Log of(const Hooks& hooks) {
    Log log(hooks.log, hooks.log_level);
    log.changing_ = hooks.changing_log_level;
    return log;
  }

  /// Whether a line of that level will be written. If not, do not bother to compose it.
  [[nodiscard]] bool takes(LogLevel level) const noexcept {
    const LogLevel least = changing_ ? changing_->load(std::memory_order_relaxed) : least_;
    return sink_ && level >= least;
  }
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
  std::shared_ptr<const std::atomic<LogLevel>> changing_;  // null: least_ stays
};

}  // namespace skewguard
