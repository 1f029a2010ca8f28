#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

#include "skewguard/time.hpp"
#include "time/date_sample.hpp"

namespace skewguard::clocks {

/// The position of a request among the others.
struct Turn {
  std::size_t of_all = 0;         ///< requests sent before it, on any connection
  std::size_t on_connection = 0;  ///< requests on its connection, with this one
  std::size_t losses = 0;         ///< of those before it, failed ones: whether a clock was asked?
  bool check = false;             ///< any other answer than the expected one is a contradiction
};

/// An answer, and which request it belongs to.
struct Answered : time::DateSample {
  Turn turn;
};

/// What the answers of one clock, in the order of their requests, show about it; empty if they show
/// nothing.
using BoundOfOne = std::function<std::optional<OffsetBound>(std::span<const Answered>)>;

/// An interval that contains one of the clocks behind a name if each connection meets one clock,
/// and also if the requests go to two or three clocks in turn, counted over all requests or on each
/// connection. In each case some answers are known to come from one clock: all those of a
/// connection, or every second or third. For each case the narrowest interval from such answers
/// counts, and the result is the hull of these. Empty if one case gives none. `max_on_connection`:
/// clocks that may take turns on each connection, 2 or 3.
std::optional<OffsetBound> bound_of_some_clock(std::span<const Answered> heard,
                                               const BoundOfOne& bound_of,
                                               std::size_t max_on_connection = 3);

}  // namespace skewguard::clocks
