#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/one_line.hpp"
#include "cli/world.hpp"
#include "settings/settings.hpp"
#include "skewguard/error.hpp"
#include "skewguard/log.hpp"

namespace skewguard::cli {

/// Writes lines to standard error: as text ("skewguard: warning: ..."), or as JSON, one object a
/// line. Thread-safe: the control loop and the command both write. Must not outlive the world.
class Logger {
 public:
  Logger(const World& world, const settings::Settings& settings);

  /// Drops what is below the level, and everything if the user wants it quiet. At the default
  /// level in text, rejections on the way are left out too, since the command's last line tells
  /// them, once; waits of more than two seconds are announced as they begin.
  void write(const LogLine& line);
  /// Whether write() leaves rejections on the way out, so that the command must tell them.
  [[nodiscard]] bool holds_rejections() const noexcept {
    return !json_ && !quiet_ && level_ == LogLevel::warn;
  }
  /// The one line that says why the command failed; printed at every level.
  void fail(const Error& error);
  /// Of a client whose lines come here.
  [[nodiscard]] Hooks hooks();

 private:
  void print(const LogLine& line, bool failure);
  [[nodiscard]] std::string as_text(const LogLine& line, bool failure) const;
  [[nodiscard]] std::string as_json(const LogLine& line) const;

  const World& world_;
  LogLevel level_;
  bool quiet_;
  bool json_;
  bool color_;
  std::mutex mutex_;  // over the writing alone
};

}  // namespace skewguard::cli
