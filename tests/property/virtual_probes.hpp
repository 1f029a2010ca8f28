// Measurements of a server's clock with a ProbePlan, on virtual time, from a seed.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "clock_history.hpp"
#include "clocks/probe_plan.hpp"

namespace skewguard::testing {

using clocks::ProbeBudget;
using clocks::ProbePlan;

inline Duration of_ms(double ms) {
  return Duration{static_cast<std::int64_t>(ms * 1e6)};
}

/// One direction.
using Leg = std::function<Duration(Random&)>;

/// What is behind one name: clocks (server minus local at time 0, rate against local, how late its
/// date string may be), of which each connection or each request meets one.
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
/// Which of a name's clocks answers.
enum class Chosen {
  for_request,              ///< at random
  for_request_in_turn,      ///< one after the other
  for_request_in_own_turn,  ///< one after the other on each connection
  for_connection,           ///< at random, for good
  for_connection_in_turn,   ///< one after the other, for good
};
struct Server {
  std::vector<Clock> clocks;
  double second_share = 0;  ///< of the second one, where there are two
  Chosen chosen = Chosen::for_request;
  std::size_t keep_alive = std::numeric_limits<std::size_t>::max();  ///< answers per connection
  double hangs_up = 0;    ///< how often it closes a connection after an answer all the same
  double loses = 0;       ///< how often it does so without one, before or after a clock was asked
  std::size_t lines = 4;  ///< connections that the client holds open beside fresh ones
};

/// The server's side of a measurement: its connections, and which clock each of them meets.
class Gateway {
 public:
  Gateway(const Server& server, Random& random)
      : server_(server), random_(random), turn_(random.next() % 2) {}

  /// The clock that answers the next request on this connection.
  std::size_t clock_for(std::uint64_t connection) {
    if (server_.clocks.size() < 2) return 0;
    switch (server_.chosen) {
      case Chosen::for_request:
        return drawn();
      case Chosen::for_request_in_turn:
        return turn_++ % server_.clocks.size();
      case Chosen::for_request_in_own_turn:
        return own_turns_.try_emplace(connection, turn_).first->second++ % server_.clocks.size();
      default:
        break;
    }
    const auto [known, added] = by_connection_.try_emplace(connection, 0);
    if (added) {
      known->second =
          server_.chosen == Chosen::for_connection ? drawn() : turn_++ % server_.clocks.size();
    }
    return known->second;
  }

 private:
  std::size_t drawn() { return random_.chance(server_.second_share) ? 1 : 0; }

  const Server& server_;
  Random& random_;
  std::size_t turn_;
  std::map<std::uint64_t, std::size_t> by_connection_;
  std::map<std::uint64_t, std::size_t> own_turns_;
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
  std::vector<std::size_t> answered_by{};  ///< the clock of each answer
};

/// One round, from `result.start` on, as doctor::ClockProbe drives it.
class Round {
 public:
  Round(Random& random, Measured& result, const Leg& leg, const Server& server)
      : random_(random), result_(result), leg_(leg), server_(server), gateway_(server, random) {}

  void play() {
    UnslewedTime now = result_.start;
    for (;;) {
      const auto next = result_.plan.next(now);
      const bool first = next.shot && (coming_.empty() || next.shot->at <= coming_.front().at());
      if (first && shoot(*next.shot, std::max(now, next.shot->at))) {
        now = std::max(now, next.shot->at);
      } else if (!coming_.empty()) {
        now = std::max(now, hear());
      } else {
        EXPECT_TRUE(!next.shot && next.wait == ProbePlan::Wait::over) << "it hangs";
        break;
      }
    }
    result_.end = now;
  }

 private:
  struct Line {
    std::uint64_t id;
    std::size_t carried = 0;
    bool busy = false;
  };
  struct Answer {
    time::DateSample sample;
    bool lost = false;
    [[nodiscard]] UnslewedTime at() const { return sample.received.unslewed(); }
  };

  /// False where no connection is free.
  bool shoot(const ProbePlan::Shot& shot, UnslewedTime now) {
    const auto place = line_for(shot, now);
    if (!place) return false;
    Line& line = lines_[*place];
    line.busy = true;
    ++line.carried;
    result_.plan.sent(now, line.id);
    const UnslewedTime stamped = now + leg_(random_);
    if (random_.chance(server_.loses)) {
      if (random_.chance(0.5)) gateway_.clock_for(line.id);
      await({{.received = reading(stamped + leg_(random_)), .connection = line.id}, true});
      return true;
    }
    const std::size_t clock = gateway_.clock_for(line.id);
    result_.answered_by.push_back(clock);
    const seconds date = date_at(server_.clocks[clock], stamped, random_);
    await({{.sent = reading(now),
            .received = reading(stamped + leg_(random_)),
            .date = date,
            .connection = line.id}});
    return true;
  }

  void await(const Answer& answer) {
    coming_.push_back(answer);
    std::ranges::sort(coming_, {}, &Answer::at);
  }

  std::optional<std::size_t> line_for(const ProbePlan::Shot& shot, UnslewedTime now) {
    while (lines_.size() < server_.lines) lines_.push_back({++last_id_});
    if (shot.over == ProbePlan::Over::fresh) {
      lines_.push_back({++last_id_});
      return lines_.size() - 1;
    }
    std::vector<std::uint64_t> idle;
    for (const Line& line : lines_)
      if (!line.busy) idle.push_back(line.id);
    if (idle.empty()) return std::nullopt;
    const std::uint64_t chosen = idle[result_.plan.choose(shot.over, idle, now)];
    return std::ranges::find(lines_, chosen, &Line::id) - lines_.begin();
  }

  UnslewedTime hear() {
    const Answer answer = coming_.front();
    coming_.erase(coming_.begin());
    const auto line = std::ranges::find(lines_, answer.sample.connection, &Line::id);
    line->busy = false;
    if (answer.lost) {
      lines_.erase(line);
      result_.plan.lost(answer.sample.connection);
      return answer.at();
    }
    if (line->carried >= server_.keep_alive || random_.chance(server_.hangs_up)) lines_.erase(line);
    result_.plan.answered(answer.sample);
    return answer.at();
  }

  Random& random_;
  Measured& result_;
  const Leg& leg_;
  const Server& server_;
  Gateway gateway_;
  std::vector<Line> lines_;
  std::vector<Answer> coming_;  // in order
  std::uint64_t last_id_ = random_.next() >> 1U;
};

inline void play(Random& random, Measured& result, const Leg& leg, const Server& server) {
  Round(random, result, leg, server).play();
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
