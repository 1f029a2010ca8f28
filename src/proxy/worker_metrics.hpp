#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "proxy/access_log.hpp"
#include "skewguard/time.hpp"

namespace skewguard::proxy {

/// A number that one thread changes and any thread may read: no lock, and no bus lock.
class WorkerCount {
 public:
  void add(std::int64_t change = 1) noexcept { set(value() + change); }
  void set(std::int64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const noexcept {
    return value_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::int64_t> value_{0};
};

/// What one worker counts. Its thread changes it, any thread may read it.
class WorkerMetrics {
 public:
  static constexpr std::size_t kMaxStatus = 600;
  /// Upper ends of the buckets, in seconds.
  static constexpr std::array<double, 18> kEnds{0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005,
                                                0.01,   0.025,   0.05,   0.1,   0.25,   0.5,
                                                1,      2.5,     5,      10,    20,     60};
  struct Histogram {
    void add(Duration duration) noexcept;
    std::array<WorkerCount, kEnds.size() + 1> buckets;
    WorkerCount sum;  ///< nanoseconds
  };

  /// A request was answered, or its client left (status 0).
  void answered(const AccessRecord& record) noexcept;

  std::array<WorkerCount, kMaxStatus> requests;  ///< by the status of their answers
  WorkerCount waiting;                           ///< requests that wait for a token now
  WorkerCount connections;                       ///< of clients, now
  Histogram added;                               ///< AccessRecord::added of forwarded requests
  Histogram upstream;                            ///< and AccessRecord::upstream
};

}  // namespace skewguard::proxy
