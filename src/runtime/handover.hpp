#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "skewguard/executor.hpp"
#include "skewguard/time.hpp"

namespace skewguard::runtime {

/// Passes values from the loop to a blocked caller, which may give up first. Thread-safe.
template <typename T>
class Handover {
 public:
  void put(T value) {
    {
      const std::lock_guard lock(mutex_);
      value_ = std::move(value);
    }
    ready_.notify_one();
  }
  /// The next value from the loop; empty if none came in time.
  std::optional<T> wait(Executor& loop, Duration timeout) {
    const bool ran = loop.run_here([this] { return has_value(); }, timeout);
    std::unique_lock lock(mutex_);
    if (!ran) ready_.wait_for(lock, timeout, [this] { return value_.has_value(); });
    return std::exchange(value_, std::nullopt);
  }

 private:
  bool has_value() {
    const std::lock_guard lock(mutex_);
    return value_.has_value();
  }

  std::mutex mutex_;
  std::condition_variable ready_;
  std::optional<T> value_;
};

}  // namespace skewguard::runtime
