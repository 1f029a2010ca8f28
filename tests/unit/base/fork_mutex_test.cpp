#include "base/fork_mutex.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "../../hung.hpp"
#include "skewguard/secret.hpp"

#ifndef __SANITIZE_THREAD__  // it knows no fork of a process with threads

namespace skewguard {
namespace {

/// The exit code of a child that runs `work`; -1 where it hung.
template <typename Work>
int in_a_child(const Work& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::alarm(static_cast<unsigned>(
        kHung.count()));  // ends a child that waits for a lock that nobody gives back
    ::_exit(work());
  }
  int status = -1;
  if (::waitpid(child, &status, 0) != child || !WIFEXITED(status)) return -1;
  return WEXITSTATUS(status);
}

TEST(ForkMutex, IsFreeInAForkedChildWhateverOtherThreadsDid) {
  ForkMutex outer, inner;
  std::atomic<bool> over{false};
  const auto nested = [&] {
    while (!over) {
      const std::scoped_lock one(outer);
      const Secret secret("the arena's lock is taken within");
      const std::scoped_lock other(inner);
    }
  };
  const auto made_within = [&] {
    while (!over) {
      const std::scoped_lock one(inner);
      const ForkMutex fresh;
    }
  };
  std::thread first(nested), second(made_within);
  for (int i = 0; i < 100 && !HasFailure(); ++i) {
    EXPECT_EQ(in_a_child([&] {
                const std::scoped_lock one(outer);
                const std::scoped_lock other(inner);
                const ForkMutex fresh;
                return 7;
              }),
              7);
  }
  over = true;
  first.join();
  second.join();
}

TEST(ForkMutex, StaysItsOwnersThroughAFork) {
  ForkMutex mutex;
  mutex.lock();
  EXPECT_EQ(in_a_child([&] {
              mutex.unlock();
              mutex.lock();
              return 7;
            }),
            7);
  std::atomic<bool> got{false};
  std::thread other([&] {
    const std::scoped_lock lock(mutex);
    got = true;
  });
  for (int i = 0; i < 100; ++i) std::this_thread::yield();
  EXPECT_FALSE(got);
  mutex.unlock();
  other.join();
}

TEST(ForkMutex, LeavesTheListWhenItGoes) {
  auto first = std::make_unique<ForkMutex>();
  auto second = std::make_unique<ForkMutex>();
  auto third = std::make_unique<ForkMutex>();
  second.reset();
  EXPECT_EQ(in_a_child([] { return 7; }), 7);
  third.reset();
  first.reset();
  EXPECT_EQ(in_a_child([] { return 7; }), 7);
}

}  // namespace
}  // namespace skewguard

#endif
