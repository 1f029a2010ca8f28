#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "clocks/agreement.hpp"
#include "skewguard/time.hpp"

namespace skewguard::clocks {

/// Clocks count as different, and as wrong, only beyond this, or beyond a smaller difference that
/// counts as harmful.
inline constexpr Duration kTolerance = std::chrono::seconds{1};

/// Whose clock is wrong. Sources are identified by their index.
struct Blame {
  bool differ = false;  ///< clocks differ by more than the tolerance, local or not
  /// Sources that differ from the local clock.
  std::vector<std::size_t> from_local;
  /// Set if the local clock is wrong: true time minus the local clock.
  std::optional<OffsetBound> local_off;
  std::vector<std::size_t> wrong;  ///< sources whose clock is

  /// They differ, and it is not known who is wrong.
  [[nodiscard]] bool unknown() const noexcept { return differ && !local_off && wrong.empty(); }
};

/// Whether two sources of different keepers meet the agreed interval.
bool borne_out(std::span<const Source> sources, const OffsetBound& agreed);

/// Blames a clock only if the evidence excludes its innocence.
///
/// - A source differs from the local clock if its interval and [-tolerance, +tolerance] are
/// disjoint.
/// - The local clock is wrong if a majority of all sources agree on an interval beside 0; among the
///   sources two of different keepers meet, both beside 0 on that side, one of them over the
///   tolerance; and the kernel does not claim to be synchronized within less than they leave
///   between them and 0.
/// - A source is wrong if it misses by more than the tolerance what a majority agrees on, and two
/// others of
///   different keepers bear that out.
///
/// `kernel_within`: the kernel's bound on the error of the local clock; empty if it gives none.
Blame who_is_wrong(std::span<const Source> sources, std::optional<Duration> kernel_within,
                   Duration tolerance = kTolerance);

}  // namespace skewguard::clocks
