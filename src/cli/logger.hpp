#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/one_line.hpp"
#include "cli/process_io.hpp"
#include "settings/settings.hpp"
#include "skewguard/error.hpp"
#include "skewguard/log.hpp"

namespace skewguard::cli {

/// Writes lines to standard error: as text ("skewguard: warning: ..."), or as JSON, one object per
/// line. Thread-safe: the control loop and the command both write. Must not outlive the ProcessIo.
class Logger {
 public:
  Logger(const ProcessIo& process, const settings::Settings& settings);

  /// Drops lines below the level, and everything in quiet mode. At the default level in text, it
  /// also omits rejections, because the command's last line reports them; waits of more than two
  /// seconds are announced as they begin.
  void write(const LogLine& line);
  /// Whether write() omits rejections, so that the command must report them.
  [[nodiscard]] bool holds_rejections() const noexcept {
    return !json_ && !quiet_ && level_ == LogLevel::warn;
  }
  /// Prints the line that says why the command failed, at every level.
  void fail(const Error& error);
  /// The hooks of a client that logs here.
  [[nodiscard]] Hooks hooks();

 private:
  void print(const LogLine& line, bool failure);
  [[nodiscard]] std::string as_text(const LogLine& line, bool failure) const;
  [[nodiscard]] std::string as_json(const LogLine& line) const;

  const ProcessIo& process_;
  LogLevel level_;
  bool quiet_;
  bool json_;
  bool color_;
  std::mutex mutex_;  // only for writing
};

}  // namespace skewguard::cli
