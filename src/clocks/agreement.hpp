#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "skewguard/time.hpp"

namespace skewguard::clocks {

/// One clock that we have heard of, over NTP or HTTP.
struct Source {
  std::string name;
  OffsetBound bound;  ///< this clock minus the local wall clock; low <= high
  /// Whose clock it is. Two of one keeper may be wrong together: they bear each other out no more
  /// than one of them does.
  std::string keeper;
};

/// What several sources say together (Marzullo; RFC 5905 section 11.2.1). Sources are named by
/// their place in what was given, in that order.
struct Agreement {
  /// The largest set of sources whose intervals share a point; of several, that at the lowest
  /// offset.
  std::vector<std::size_t> largest;
  OffsetBound shared{};  ///< what the largest set shares
  /// Holds the truth if more than half of all sources do: from the lowest to the highest point that
  /// more than half of them hold. Nothing: no majority, ties are none. It may be wider than
  /// `shared`: liars can make up a set larger than that of the honest.
  std::optional<OffsetBound> agreed;
  /// Sources whose interval misses the agreed one by more than the margin: wrong, if a majority is
  /// right. Empty without a majority.
  std::vector<std::size_t> falsetickers;
};

/// O(n log n).
Agreement agree(std::span<const Source> sources, Duration margin);

/// What lies between two intervals; negative where they meet.
constexpr Duration distance(const OffsetBound& a, const OffsetBound& b) noexcept {
  return a.low > b.high ? a.low - b.high : b.low - a.high;
}

}  // namespace skewguard::clocks
