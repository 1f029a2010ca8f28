#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "clocks/agreement.hpp"
#include "skewguard/time.hpp"

namespace skewguard::clocks {

/// A clock is called different, and wrong, only beyond this; where a smaller difference counts as
/// harm, beyond that one.
inline constexpr Duration kTolerance = std::chrono::seconds{1};

/// Whose clock is wrong. Sources are named by their place in what was given, in that order.
struct Blame {
  bool differ = false;  ///< clocks differ by more than the tolerance, local or not
  /// Sources that differ from the local clock.
  std::vector<std::size_t> from_local;
  /// Set where the local clock is wrong: the truth minus the local clock.
  std::optional<OffsetBound> local_off;
  std::vector<std::size_t> wrong;  ///< sources whose clock is

  /// They differ, and nobody can tell who is wrong.
  [[nodiscard]] bool unknown() const noexcept { return differ && !local_off && wrong.empty(); }
};

/// Two of different keepers meet the agreed interval: more than one hand says so.
bool borne_out(std::span<const Source> sources, const OffsetBound& agreed);

/// Blames a clock only where the evidence excludes its innocence.
///
/// - A source differs from the local clock if its interval and [-tolerance, +tolerance] are
/// disjoint.
/// - The local clock is wrong if a majority of all sources agree on an interval beside 0; among the
///   sources two of different keepers meet, both beside 0 on that side, one of them over the
///   tolerance; and the kernel does not claim to be synchronised within less than they leave
///   between them and 0.
/// - A source is wrong if it misses by more than the tolerance what a majority agrees on, and two
/// others of
///   different keepers bear that out.
///
/// `kernel_within`: how far off the kernel says the local clock may be; nothing where it makes no
/// such claim.
Blame who_is_wrong(std::span<const Source> sources, std::optional<Duration> kernel_within,
                   Duration tolerance = kTolerance);

}  // namespace skewguard::clocks
