// Measurements of a server's clock with a ProbePlan, on virtual time, from a seed.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <vector>

#include "clock_world.hpp"
#include "clocks/probe_plan.hpp"

namespace skewguard::testing {

using clocks::ProbeBudget;
using clocks::ProbePlan;

inline Duration of_ms(double ms) {
  return Duration{static_cast<std::int64_t>(ms * 1e6)};
}

/// One direction.
using Leg = std::function<Duration(Random&)>;

/// What stands behind one name: clocks (server minus local at time 0, rate against local, how late
/// its date string may be), of which each connection or each request meets one.
struct Clock {
  Duration offset{};
  double drift = 0;
  Duration late{0};
  Duration step{0};  ///< at `stepped`
  UnslewedTime stepped = UnslewedTime::max();
  Duration kept{0};  ///< how long an answer is kept and shown again; 0 = it is not
  /// How late (below a second) the date string is renewed at each second; empty = at once.
  std::function<Duration(std::int64_t second)> renewed_late{};
};
struct Server {
  std::vector<Clock> clocks;
  double second_share = 0;  ///< of the second one, where there are two

  const Clock& pick(Random& random) const {
    return clocks[clocks.size() > 1 && random.chance(second_share) ? 1 : 0];
  }
};

inline Now reading(UnslewedTime at) {
  const Duration since = at.time_since_epoch();
  return {.boot = Instant{since},
          .wall = WallTime{since},
          .mono = MonotonicTime{since},
          .raw = RawTime{since}};
}

inline Duration offset_at(const Clock& clock, UnslewedTime at) {
  const auto drifted =
      static_cast<std::int64_t>(clock.drift * static_cast<double>(at.time_since_epoch().count()));
  return clock.offset + Duration{drifted} + (at < clock.stepped ? Duration{0} : clock.step);
}

/// What `clock` shows at `stamped`.
inline seconds date_at(const Clock& clock, UnslewedTime stamped, Random& random) {
  Duration shown = stamped.time_since_epoch() + offset_at(clock, stamped) -
                   random.between(Duration{0}, clock.late);
  if (clock.kept > Duration{0}) shown -= shown % clock.kept;
  const auto second = std::chrono::floor<seconds>(shown);
  if (!clock.renewed_late || shown - second >= clock.renewed_late(second.count())) return second;
  return second - seconds{1};
}

/// A measurement from start to end.
struct Measured {
  ProbePlan plan;
  UnslewedTime start;
  UnslewedTime end;
};

/// One round, from `result.start` on.
inline void play(Random& random, Measured& result, const Leg& leg, const Server& server) {
  struct Later {
    bool operator()(const time::DateSample& a, const time::DateSample& b) const {
      return a.received.boot > b.received.boot;
    }
  };
  std::priority_queue<time::DateSample, std::vector<time::DateSample>, Later> coming;
  UnslewedTime now = result.start;
  std::uint64_t connection = 0;
  const auto hear = [&] {
    now = std::max(now, coming.top().received.unslewed());
    result.plan.answered(coming.top());
    coming.pop();
  };
  for (;;) {
    const auto next = result.plan.next(now);
    if (next.shot && (coming.empty() || next.shot->at <= coming.top().received.unslewed())) {
      now = std::max(now, next.shot->at);
      result.plan.sent(now);
      const UnslewedTime stamped = now + leg(random);
      const seconds date = date_at(server.pick(random), stamped, random);
      coming.push({.sent = reading(now),
                   .received = reading(stamped + leg(random)),
                   .date = date,
                   .connection = next.shot->fresh ? 100 + ++connection : 1 + connection % 4});
    } else if (!coming.empty()) {
      hear();
    } else {
      EXPECT_TRUE(!next.shot && next.wait == ProbePlan::Wait::over) << "it hangs";
      break;
    }
  }
  result.end = now;
}

inline Measured measure(Random& random, const ProbeBudget& budget, const Leg& leg,
                        const Server& server) {
  const UnslewedTime start{seconds{100} + random.between(Duration{0}, seconds{1})};
  Measured result{ProbePlan(budget, start), start, start};
  play(random, result, leg, server);
  return result;
}

/// Another round, `later` than the end of the last one.
inline void go_on(Random& random, Measured& measured, const ProbeBudget& budget, Duration later,
                  const Leg& leg, const Server& server) {
  measured.start = measured.end + later;
  measured.plan.go_on(budget, measured.start);
  play(random, measured, leg, server);
}

}  // namespace skewguard::testing
