#include "proxy/worker_metrics.hpp"

#include <algorithm>
#include <chrono>

namespace skewguard::proxy {

void WorkerMetrics::Histogram::add(Duration duration) noexcept {
  const double seconds = std::chrono::duration<double>(duration).count();
  const auto bucket = std::ranges::lower_bound(kEnds, seconds) - kEnds.begin();
  buckets[static_cast<std::size_t>(bucket)].add();
  sum.add(duration.count());
}

void WorkerMetrics::answered(const AccessRecord& record) noexcept {
  if (record.status >= 0 && static_cast<std::size_t>(record.status) < kMaxStatus) {
    requests[static_cast<std::size_t>(record.status)].add();
  }
  if (record.attempts == 0) return;
  added.add(record.added);
  upstream.add(record.upstream);
}

}  // namespace skewguard::proxy
