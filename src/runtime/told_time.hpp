#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>

#include "skewguard/executor.hpp"
#include "skewguard/transport.hpp"

namespace skewguard::runtime {

/// What time it is, by a referee: asked once for all who want to know, and remembered for a while,
/// silence too, unless the wall clock is stepped. Part of an engine: on the control loop alone.
/// Held by a shared_ptr: what is under way knows it weakly.
class ToldTime : public std::enable_shared_from_this<ToldTime> {
 public:
  using Told = std::function<void(const std::optional<TimeTold>&)>;
  /// A referee has so long; who waits for it waits a bit longer.
  static constexpr Duration kAnswerWithin = std::chrono::milliseconds{2500};
  static constexpr Duration kPatience = std::chrono::seconds{3};
  static constexpr Duration kRemembered = std::chrono::minutes{1};

  /// All must outlive this.
  ToldTime(Executor& loop, ClockSource& clock, Referee& referee)
      : loop_(loop), clock_(clock), referee_(referee) {}

  /// `told` is called once, perhaps from within this call, and before half of the time until
  /// `wanted` is over. What it gets holds for the wall clock as it is then.
  void ask(Instant wanted, Told told);

 private:
  struct Heard {
    std::optional<TimeTold> told;
    Now at;
  };
  struct Waiting {
    Told told;
    Executor::Timer timer;
  };

  [[nodiscard]] bool remembers(const Now& now) const;
  void ask_referee(const Now& now);
  void hear(const std::optional<TimeTold>& told);
  void answer(std::uint64_t waiting, const std::optional<TimeTold>& told);

  Executor& loop_;
  ClockSource& clock_;
  Referee& referee_;
  std::map<std::uint64_t, Waiting> waiting_;
  std::uint64_t last_ = 0;
  std::optional<Instant> asked_;  // and no answer yet
  std::optional<Heard> heard_;
};

}  // namespace skewguard::runtime
