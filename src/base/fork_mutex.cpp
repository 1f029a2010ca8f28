#include "base/fork_mutex.hpp"

#include <pthread.h>

#include "base/secret_arena.hpp"

namespace skewguard {

/// All there are.
class ForkMutexes {
 public:
  void add(ForkMutex& one) {
    const std::lock_guard lock(mutex_);
    one.next_ = first_;
    one.link_ = &first_;
    if (first_ != nullptr) first_->link_ = &one.next_;
    first_ = &one;
  }
  void remove(ForkMutex& one) {
    const std::lock_guard lock(mutex_);
    *one.link_ = one.next_;
    if (one.next_ != nullptr) one.next_->link_ = one.link_;
  }

  /// Never waits for one while it holds another: the thread that holds the other may be waiting for
  /// this one.
  void before_fork() {
    while (true) {
      mutex_.lock();
      ForkMutex* at = first_;
      while (at != nullptr && at->try_lock_for_fork()) at = at->next_;
      if (at == nullptr) return;
      for (ForkMutex* held = first_; held != at; held = held->next_) held->unlock_after_fork();
      mutex_.unlock();
      std::this_thread::yield();
    }
  }
  void after_fork() {
    for (ForkMutex* held = first_; held != nullptr; held = held->next_) held->unlock_after_fork();
    mutex_.unlock();
  }

 private:
  std::mutex mutex_;  // over the list
  ForkMutex* first_ = nullptr;
};

namespace {

constinit ForkMutexes the_mutexes;

}  // namespace

/// Handlers run in reverse order of registration: the holder of one of these may need the arena.
void serve_children_with_mutexes() {
  static const int once = [] {
    serve_children_with_secrets();
    return ::pthread_atfork([] { the_mutexes.before_fork(); }, [] { the_mutexes.after_fork(); },
                            [] { the_mutexes.after_fork(); });
  }();
  static_cast<void>(once);
}

ForkMutex::ForkMutex() {
  serve_children_with_mutexes();
  the_mutexes.add(*this);
}
ForkMutex::~ForkMutex() {
  the_mutexes.remove(*this);
}

bool ForkMutex::try_lock_for_fork() {
  if (owner_.load(std::memory_order_relaxed) == std::this_thread::get_id()) return true;
  forking_ = mutex_.try_lock();
  return forking_;
}

void ForkMutex::unlock_after_fork() {
  if (!forking_) return;  // the forking thread's own all along
  forking_ = false;
  mutex_.unlock();
}

}  // namespace skewguard
