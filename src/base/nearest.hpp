#pragma once

#include <algorithm>
#include <cstddef>
#include <optional>
#include <ranges>
#include <string_view>
#include <vector>

#include "base/strings.hpp"

/// "Did you mean ...?"
namespace skewguard {

/// Insertions, deletions, substitutions and swaps of neighbors that turn `a` into `b` (optimal
/// string alignment), ASCII case aside. O(|a| * |b|).
inline std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  const auto same = [&](std::size_t i, std::size_t j) {
    return ascii_lower(a[i - 1]) == ascii_lower(b[j - 1]);
  };
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same(i, j) ? 0U : 1U)});
      const bool swapped = i > 1 && j > 1 && ascii_lower(a[i - 1]) == ascii_lower(b[j - 2]) &&
                           ascii_lower(a[i - 2]) == ascii_lower(b[j - 1]);
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

/// The one of `names` that `typed` most likely meant: the least distance, the first of equals.
/// Empty if even the nearest differs in more than a third of the longer word: a wild guess would
/// mislead.
template <std::ranges::input_range Names>
std::optional<std::string_view> nearest(std::string_view typed, const Names& names) {
  constexpr std::size_t kMaxTyped = 64;  // a name is shorter; keeps hostile input linear
  if (typed.empty() || typed.size() > kMaxTyped) return std::nullopt;
  std::optional<std::string_view> best;
  std::size_t least = 0;
  for (const auto& name : names) {
    const std::string_view candidate(name);
    const std::size_t distance = edit_distance(typed, candidate);
    if (distance > std::max<std::size_t>(1, std::max(typed.size(), candidate.size()) / 3)) continue;
    if (best && distance >= least) continue;
    best = candidate;
    least = distance;
  }
  return best;
}

}  // namespace skewguard
