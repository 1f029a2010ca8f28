#include "clocks/who_is_wrong.hpp"

#include <algorithm>

namespace skewguard::clocks {
namespace {

constexpr OffsetBound kLocal{};

bool differs_from_local(const Source& source, Duration tolerance) {
  return distance(source.bound, kLocal) > tolerance;
}

bool same_side(const OffsetBound& a, const OffsetBound& b) {
  return (a.low > Duration{0} && b.low > Duration{0}) ||
         (a.high < Duration{0} && b.high < Duration{0});
}

/// Whether these two show, as far as two can, that the local clock is off toward `agreed`.
bool convict_local(const Source& a, const Source& b, const OffsetBound& agreed,
                   std::optional<Duration> kernel_within, Duration tolerance) {
  if (a.keeper == b.keeper || !a.bound.meets(b.bound)) return false;
  if (!same_side(a.bound, b.bound) || !same_side(a.bound, agreed)) return false;
  if (!differs_from_local(a, tolerance) && !differs_from_local(b, tolerance)) return false;
  const Duration gap = std::max(distance(a.bound, kLocal), distance(b.bound, kLocal));
  return !kernel_within || *kernel_within >= gap;
}

/// Calls `holds` with each pair, until one does.
template <typename Holds>
bool any_pair(std::span<const Source> sources, Holds holds) {
  for (std::size_t i = 0; i < sources.size(); ++i) {
    for (std::size_t j = i + 1; j < sources.size(); ++j) {
      if (holds(sources[i], sources[j])) return true;
    }
  }
  return false;
}

}  // namespace

bool borne_out(std::span<const Source> sources, const OffsetBound& agreed) {
  return any_pair(sources, [&](const Source& a, const Source& b) {
    return a.keeper != b.keeper && a.bound.meets(agreed) && b.bound.meets(agreed);
  });
}

Blame who_is_wrong(std::span<const Source> sources, std::optional<Duration> kernel_within,
                   Duration tolerance) {
  Blame blame;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (differs_from_local(sources[i], tolerance)) blame.from_local.push_back(i);
  }
  blame.differ =
      !blame.from_local.empty() || any_pair(sources, [&](const Source& a, const Source& b) {
        return distance(a.bound, b.bound) > tolerance;
      });
  const Agreement agreement = agree(sources, tolerance);
  if (!agreement.agreed) return blame;
  const OffsetBound& agreed = *agreement.agreed;
  if (borne_out(sources, agreed)) blame.wrong = agreement.falsetickers;
  if (any_pair(sources, [&](const Source& a, const Source& b) {
        return convict_local(a, b, agreed, kernel_within, tolerance);
      })) {
    blame.local_off = agreed;
  }
  return blame;
}

}  // namespace skewguard::clocks
