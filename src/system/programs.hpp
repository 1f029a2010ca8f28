#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "skewguard/result.hpp"
#include "skewguard/time.hpp"

namespace skewguard::system {

/// Programs that are told something and go their own way: nobody waits for them, and they cannot
/// hold up whoever started them. Not thread-safe.
class Programs {
 public:
  static constexpr std::size_t kMostRunning = 8;  ///< beyond it none is started
  static constexpr Duration kMoment = std::chrono::milliseconds{200};

  Programs() = default;
  ~Programs();  ///< Waits for a moment; what still runs then is left running.
  Programs(const Programs&) = delete;
  Programs& operator=(const Programs&) = delete;

  /// Starts `/bin/sh -c command` in a session of its own, with `input` whole on its standard input,
  /// its output thrown away, no other descriptor of ours, and our environment less `withheld`.
  /// Error (`unavailable`): it could not be started; a command that is not there is the shell's to
  /// find. Reaps those that have ended.
  Result<void> start(const std::string& command, std::string_view input,
                     const std::vector<std::string_view>& withheld);
  /// Waits until all have ended, at most for `at_most`; returns how many still run.
  std::size_t wait(Duration at_most) noexcept;

 private:
  struct Running {
    int pid;
    int handle;  ///< pidfd, readable once it has ended; -1 where the kernel has none
  };
  void reap() noexcept;

  std::vector<Running> running_;
};

struct OutputLimits {
  Duration time = std::chrono::seconds{1};  ///< a question to a service on this machine
  std::size_t bytes = std::size_t{64} * 1024;
};

/// What a program writes to its standard output: `words` are its path and arguments. It runs
/// without a shell, with nothing on its standard input, its errors thrown away, no other descriptor
/// of ours, and LC_ALL=C and a plain PATH for its whole environment. It and what it started in its
/// session are ended once its output is. Its exit code is no matter: what it wrote tells.
/// Error: `unavailable`, it could not be started; `timeout`; `protocol`, it wrote more. Blocks.
Result<std::string> output_of(const std::vector<std::string>& words, OutputLimits limits = {});

}  // namespace skewguard::system
