#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "skewguard/time.hpp"

namespace skewguard::clocks {

/// One clock that was observed over NTP or HTTP.
struct Source {
  std::string name;
  OffsetBound bound;  ///< this clock minus the local wall clock; low <= high
  /// Who keeps the clock. Two clocks of one keeper may be wrong together, so they count as one.
  std::string keeper;
};

/// What several sources say together (Marzullo's algorithm; RFC 5905 section 11.2.1). Sources are
/// identified by their index.
struct Agreement {
  /// The largest set of sources whose intervals share a point; if there are several, the one at the
  /// lowest offset.
  std::vector<std::size_t> largest;
  OffsetBound shared{};  ///< what the largest set shares
  /// Contains the truth if more than half of all sources do: from the lowest to the highest point
  /// that more than half of them contain. Empty without a majority; a tie is not one. It may be
  /// wider than `shared`: liars can form a larger set than honest sources.
  std::optional<OffsetBound> agreed;
  /// Sources whose interval is further from the agreed one than the margin: wrong, if the majority
  /// is right. Empty without a majority.
  std::vector<std::size_t> falsetickers;
};

/// O(n log n).
Agreement agree(std::span<const Source> sources, Duration margin);

/// The distance between two intervals; negative if they overlap.
constexpr Duration distance(const OffsetBound& a, const OffsetBound& b) noexcept {
  return a.low > b.high ? a.low - b.high : b.low - a.high;
}

}  // namespace skewguard::clocks
