#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>

#include "engine/loop.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::engine {

/// The current time according to a referee. The referee is asked once for all callers, and its
/// answer, or its silence, is kept for a while, unless the wall clock is set. Used within turns.
class TrueTimeCache {
 public:
  using Handler = std::function<void(const std::optional<TimeReport>&)>;
  /// How long a referee has to answer, and how much longer callers wait for it.
  static constexpr Duration kAnswerWithin = std::chrono::milliseconds{2500};
  static constexpr Duration kPatience = std::chrono::seconds{3};
  static constexpr Duration kKept = std::chrono::minutes{1};

  /// Both must outlive this.
  TrueTimeCache(Loop& loop, Referee& referee) : loop_(loop), referee_(referee) {}

  /// Calls `handler` once within a turn, perhaps within this call, and before half of the time
  /// until `wanted` has passed. The answer holds for the wall clock as it is then.
  void ask(Instant wanted, Handler handler);

 private:
  struct Answer {
    std::optional<TimeReport> report;
    Now at;
  };
  struct Waiting {
    Handler handler;
    Executor::Timer timer;
  };

  [[nodiscard]] bool is_fresh(const Now& now) const;
  void ask_referee();
  void hear(const std::optional<TimeReport>& report);
  void answer(std::uint64_t waiting, const std::optional<TimeReport>& report);

  Loop& loop_;
  Referee& referee_;
  std::map<std::uint64_t, Waiting> waiting_;
  std::uint64_t last_ = 0;
  std::optional<Instant> asked_;  // and no answer yet
  std::optional<Answer> heard_;
};

}  // namespace skewguard::engine
