#include "clocks/turns.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

namespace skewguard::clocks {
namespace {

/// Answers with the same one are from one clock.
using Share = std::tuple<std::uint64_t, std::size_t, std::size_t>;
using Shared = std::pair<Share, const Answered*>;

/// The narrowest of what the shares tell.
std::optional<OffsetBound> narrowest(std::vector<Shared>& shared, const BoundOfOne& bound_of) {
  std::ranges::sort(
      shared, {}, [](const Shared& one) { return std::pair(one.first, one.second->turn.of_all); });
  std::optional<OffsetBound> best;
  std::vector<Answered> answers;
  for (auto next = shared.begin(); next != shared.end();) {
    const Share share = next->first;
    answers.clear();
    for (; next != shared.end() && next->first == share; ++next) answers.push_back(*next->second);
    const auto bound = bound_of(answers);
    if (bound && (!best || bound->width() < best->width())) best = bound;
  }
  return best;
}

}  // namespace

std::optional<OffsetBound> bound_of_some_clock(std::span<const Answered> heard,
                                               const BoundOfOne& bound_of,
                                               std::size_t max_on_connection) {
  using ShareOf = std::function<Share(const Answered&)>;
  const auto over_all = [](std::size_t clocks) -> ShareOf {
    return [clocks](const Answered& answer) {
      return Share{0, answer.turn.losses, answer.turn.of_all % clocks};
    };
  };
  const auto on_connection = [](std::size_t clocks) -> ShareOf {
    return [clocks](const Answered& answer) {
      return Share{answer.connection, answer.turn.losses, answer.turn.on_connection % clocks};
    };
  };
  std::optional<OffsetBound> hull;
  std::vector<Shared> shared;
  for (const ShareOf& share_of : {on_connection(1), on_connection(2),
                                  on_connection(max_on_connection), over_all(2), over_all(3)}) {
    shared.clear();
    for (const Answered& answer : heard) shared.emplace_back(share_of(answer), &answer);
    const auto bound = narrowest(shared, bound_of);
    if (!bound) return std::nullopt;
    if (!hull) hull = bound;
    *hull = {std::min(hull->low, bound->low), std::max(hull->high, bound->high)};
  }
  return hull;
}

}  // namespace skewguard::clocks
