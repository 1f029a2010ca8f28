#pragma once

#include <atomic>
#include <mutex>
#include <thread>

namespace skewguard {

/// From here on fork() waits for the ForkMutexes. Whatever shall be done before that waiting is
/// registered (pthread_atfork) after this.
void serve_children_with_mutexes();

/// A mutex that no forked child finds locked: fork() waits until it is free, or the forking
/// thread's own, and gives it back on both sides. For what a child goes on using: a child has no
/// other thread that would unlock. Held for moments only, and whoever holds one may lock others.
class ForkMutex {
 public:
  ForkMutex();
  ~ForkMutex();
  ForkMutex(const ForkMutex&) = delete;
  ForkMutex& operator=(const ForkMutex&) = delete;

  void lock() {
    mutex_.lock();
    owner_.store(std::this_thread::get_id(), std::memory_order_relaxed);
  }
  void unlock() {
    owner_.store({}, std::memory_order_relaxed);
    mutex_.unlock();
  }

 private:
  friend class ForkMutexes;
  [[nodiscard]] bool try_lock_for_fork();
  void unlock_after_fork();

  std::mutex mutex_;
  std::atomic<std::thread::id> owner_{};
  bool forking_ = false;        // fork() holds it
  ForkMutex* next_ = nullptr;   // of all there are
  ForkMutex** link_ = nullptr;  // what points to this one
};

}  // namespace skewguard
