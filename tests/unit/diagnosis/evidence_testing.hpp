#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "diagnosis/evidence.hpp"

/// Refusals of a token, without a machine around them.
namespace skewguard::diagnosis {

constexpr ServerId kApi{0};
constexpr Duration kNoon = std::chrono::seconds{1'767'268'800};  // 2026-01-01T12:00:00Z

inline Instant at(Duration since_start) {
  return Instant{std::chrono::hours{1} + since_start};
}
inline ServerTime noon_plus(Duration d) {
  return {kApi, kNoon + d};
}

/// A token asked for at 0, begun at noon, 300 s long; refused at `when`, when the API said `date`.
inline Trial refusal(Duration when, std::optional<Duration> date, std::uint64_t generation = 1) {
  constexpr Duration kOneWay = std::chrono::milliseconds{20};
  constexpr Duration kLife = std::chrono::seconds{300};
  Trial t;
  t.token.generation = generation;
  t.token.asked = at(Duration{0});
  t.token.received = at(kOneWay);
  t.token.dead_at = at(kLife);
  t.token.begins = noon_plus(Duration{0});
  t.token.ends = noon_plus(kLife);
  t.sent = at(when - kOneWay);
  t.received = at(when);
  if (date) t.date = noon_plus(*date);
  return t;
}
inline Evidence evidence(std::vector<Trial> trials) {
  using std::chrono::seconds;
  Evidence e;
  e.now = trials.back().received;
  e.trials = std::move(trials);
  e.limits = {at(seconds{600}), seconds{15}, seconds{3}, 3, seconds{1}};
  return e;
}

}  // namespace skewguard::diagnosis
