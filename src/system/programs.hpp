#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "skewguard/result.hpp"
#include "skewguard/time.hpp"

namespace skewguard::system {

/// Programs that get some input and run in the background: nobody waits for them, and they cannot
/// block the caller. Not thread-safe.
class Programs {
 public:
  static constexpr std::size_t kMaxRunning = 8;  ///< beyond it none is started
  static constexpr Duration kMoment = std::chrono::milliseconds{200};

  Programs() = default;
  ~Programs();  ///< Waits for a moment; what still runs then is left running.
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

  /// Starts `/bin/sh -c command` in its own session, with all of `input` on its standard input, its
  /// output discarded, no other descriptors, and our environment without `withheld`. Error
  /// (`unavailable`): it could not be started; the shell reports a missing command. Reaps programs
  /// that have ended.
  Result<void> start(const std::string& command, std::string_view input,
                     const std::vector<std::string_view>& withheld);
  /// Waits until all have ended, for at most `at_most`; returns how many still run.
  std::size_t wait(Duration at_most) noexcept;

 private:
  struct Running {
    int pid;
    int handle;  ///< pidfd, readable once it has ended; -1 if the kernel has none
  };
  void reap() noexcept;

  std::vector<Running> running_;
};

struct OutputLimits {
  Duration time = std::chrono::seconds{1};  ///< a question to a service on this machine
  std::size_t bytes = std::size_t{64} * 1024;
};

/// Runs a program and returns what it writes to standard output. `words`: its path and arguments.
/// It runs without a shell, with empty standard input, discarded standard error, no other
/// descriptors, and an environment of only LC_ALL=C and a plain PATH. When its output ends, it and
/// its session are killed. Its exit code is ignored. Error: `unavailable`, it could not be started;
/// `timeout`; `protocol`, it wrote too much. Blocks.
Result<std::string> output_of(const std::vector<std::string>& words, OutputLimits limits = {});

}  // namespace skewguard::system
