#include "clocks/agreement.hpp"

#include <algorithm>
#include <functional>
#include <tuple>

namespace skewguard::clocks {
namespace {

struct Edge {
  Duration at;
  bool closes = false;  ///< intervals are closed: at one point they open before others close
  friend bool operator<(const Edge& a, const Edge& b) {
    return std::tie(a.at, a.closes) < std::tie(b.at, b.closes);
  }
};

std::vector<Edge> edges_of(std::span<const Source> sources) {
  std::vector<Edge> edges;
  edges.reserve(2 * sources.size());
  for (const Source& source : sources) {
    edges.push_back({source.bound.low, false});
    edges.push_back({source.bound.high, true});
  }
  std::ranges::sort(edges, std::less<>{});
  return edges;
}

}  // namespace

Agreement agree(std::span<const Source> sources, Duration margin) {
  Agreement result;
  const std::size_t majority = sources.size() / 2 + 1;
  const std::vector<Edge> edges = edges_of(sources);
  std::size_t open = 0;
  std::size_t most = 0;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (edges[i].closes) {
      if (open == majority) result.agreed->high = edges[i].at;
      --open;
      continue;
    }
    ++open;
    if (open == majority && !result.agreed) result.agreed = OffsetBound{edges[i].at, edges[i].at};
    if (open > most) {
      most = open;
      result.shared = {edges[i].at, edges[i + 1].at};
    }
  }
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const OffsetBound& bound = sources[i].bound;
    if (bound.holds(result.shared.low)) result.largest.push_back(i);
    if (result.agreed && distance(bound, *result.agreed) > margin) {
      result.falsetickers.push_back(i);
    }
  }
  return result;
}

}  // namespace skewguard::clocks
