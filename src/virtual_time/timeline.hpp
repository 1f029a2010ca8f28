#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "skewguard/time.hpp"

/// Virtual time: one true time, and any number of machines in it whose clocks go wrong in their own
/// ways, each with processes that can be frozen and killed. Nothing here reads a clock, and nothing
/// is thread-safe.
namespace skewguard::virtual_time {

class Process;

/// No wait is longer: sums of times do not overflow.
inline constexpr Duration kLongestWait = std::chrono::hours{24 * 365 * 100};

/// True time since the start, and what happens when. Time moves only when someone asks for the next
/// thing that happens, and jumps there.
class Timeline {
 public:
  using Function = std::function<void()>;
  using Event = std::pair<Duration, std::uint64_t>;  ///< when, and the order within one moment

  Timeline() = default;
  Timeline(const Timeline&) = delete;
  Timeline& operator=(const Timeline&) = delete;

  [[nodiscard]] Duration now() const noexcept { return now_; }
  /// Schedules something that happens outside of all machines. A `when` in the past means now.
  Event at(Duration when, Function function);
  /// Schedules it `span` (>= 0, at most kLongestWait) from now.
  Event after(Duration span, Function function);

  /// Moves time to the first function that is due by `limit` (at least now), and takes that
  /// function out. Empty: nothing is due by then, and it is `limit` now.
  Function take(Duration limit);
  /// Runs what is due in the next `span` (>= 0).
  void run_for(Duration span);
  /// Runs what is due while `busy()`. False: it still was when `at_most` had passed or nothing was
  /// left to run.
  bool run_while(const std::function<bool()>& busy, Duration at_most);

 private:
  friend class Process;
  /// A function, or a process that has something to run.
  struct Due {
    Function function;
    Process* process = nullptr;
  };

  Event schedule(Duration when, Due due);
  void remove(const Event& event) { due_.erase(event); }

  Duration now_{0};
  std::uint64_t last_ = 0;
  std::map<Event, Due> due_;
};

}  // namespace skewguard::virtual_time
