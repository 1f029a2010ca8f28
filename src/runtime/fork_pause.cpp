#include "runtime/fork_pause.hpp"

#include <pthread.h>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/fork_mutex.hpp"

namespace skewguard::runtime {
namespace {

constexpr std::chrono::seconds kLongest{1};

/// One loop during one fork().
class Pause {
 public:
  /// On the loop's thread, until the fork is over.
  void hold() {
    std::unique_lock lock(mutex_);
    held_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return over_; });
  }
  void wait_until_held() {
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, kLongest, [this] { return held_; });
  }
  void end() {
    const std::lock_guard lock(mutex_);
    over_ = true;
    changed_.notify_all();
  }

 private:
  std::mutex mutex_;  // over all below
  std::condition_variable changed_;
  bool held_ = false;
  bool over_ = false;
};

/// The loops of this process, guarded by the mutex.
struct Loops {
  std::mutex mutex;  ///< held throughout a fork()
  std::vector<const ForkPause::Post*> all;
  std::vector<std::shared_ptr<Pause>> paused;
};
Loops& loops() {
  static auto* const only = std::make_unique<Loops>().release();  // for forks after main(), too
  return *only;
}

void before_fork() {
  loops().mutex.lock();
  try {
    for (const auto* post : loops().all) {
      auto pause = std::make_shared<Pause>();
      if ((*post)([pause] { pause->hold(); })) loops().paused.push_back(std::move(pause));
    }
  } catch (...) {  // no memory: the child takes its chance
  }
  for (const auto& pause : loops().paused) pause->wait_until_held();
}

void after_fork_in_parent() {
  for (const auto& pause : std::exchange(loops().paused, {})) pause->end();
  loops().mutex.unlock();
}

/// No thread runs the loops here. Their resources are never released.
void after_fork_in_child() {
  loops().paused.clear();
  loops().all.clear();
  loops().mutex.unlock();
}

void serve_forks() {
  static const int once = [] {
    serve_children_with_mutexes();  // so this is done before: a loop on its way may need those
    return ::pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
  }();
  static_cast<void>(once);
}

}  // namespace

ForkPause::ForkPause(Post post) : post_(std::move(post)) {
  serve_forks();
  const std::lock_guard lock(loops().mutex);
  loops().all.push_back(&post_);
}

ForkPause::~ForkPause() {
  const std::lock_guard lock(loops().mutex);
  std::erase(loops().all, &post_);
}

}  // namespace skewguard::runtime
