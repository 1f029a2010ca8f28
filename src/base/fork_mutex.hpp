#pragma once

#include <atomic>
#include <mutex>
#include <thread>

namespace skewguard {

/// From here on fork() waits until every ForkMutex is free. Register handlers that must run before
/// that wait (pthread_atfork) after calling this.
void serve_children_with_mutexes();

/// A mutex that is never locked by another thread in a forked child: fork() waits until it is free
/// or held by the forking thread, and releases it in parent and child. For data that a child keeps
/// using, since no other thread exists there to unlock. Hold it only briefly; a thread that holds
/// one may lock others.
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
