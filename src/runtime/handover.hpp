#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "skewguard/time.hpp"

namespace skewguard::runtime {

/// Values handed from the loop to a blocked caller, who may leave first. Thread-safe.
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
  /// The next value; nothing where none came in time.
  std::optional<T> wait(Duration at_most) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, at_most, [this] { return value_.has_value(); });
    return std::exchange(value_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable ready_;
  std::optional<T> value_;
};

}  // namespace skewguard::runtime
