// The C functions on several threads and in forked processes, with the client's own thread.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "../../no_fork.hpp"
#include "c_testing.hpp"

namespace skewguard::c {
namespace {

using skewguard::testing::Answer;
using skewguard::testing::Asked;

/// A client with a thread of its own; the hosts answer at once.
struct ThreadedClient {
  ThreadedClient() {
    for (auto* host : {&environment.login(), &environment.api()}) host->set_delays(0s, 0s);
    auto dependencies = environment.dependencies();
    dependencies.executor.reset();
    client = client_of(environment, std::move(dependencies));
  }
  [[nodiscard]] CCall guard(skewguard_queue* queue = nullptr, std::uint64_t tag = 0) {
    return CCall(skewguard_guard_begin(client.get(), "GET", "/x", 0, -1, queue, tag, nullptr));
  }
  void silence_login() {
    environment.login().set_script([](const Asked&) { return Answer{.never = true}; });
  }

  testing::TestEnvironment environment;
  CClient client;
};

/// Answers each send with 200; the status of the call.
int finish(const CCall& call) {
  OwnAnswer good(200, "");
  while (skewguard_call_next(call.get(), -1) == SKEWGUARD_SEND)
    skewguard_call_answer(call.get(), good.get(), nullptr);
  return skewguard_call_status(call.get());
}

int error_of(const CCall& call) {
  return skewguard_error_kind_of(skewguard_call_error(call.get()));
}

TEST(CThreads, ShareAClient) {
  ThreadedClient client;
  std::vector<std::thread> threads;
  std::vector<int> good(4, 0);
  threads.reserve(good.size());
  for (int& count : good) {
    threads.emplace_back([&client, &count] {
      for (int i = 0; i < 50; ++i) count += finish(client.guard()) == 200 ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, std::vector<int>(4, 50));
  EXPECT_EQ(client.environment.token_requests(), 1U);
}

TEST(CThreads, FreeingTheClientEndsTheWaitsOfOthers) {
  ThreadedClient client;
  client.silence_login();
  std::vector<CCall> calls;
  std::vector<std::thread> threads;
  calls.reserve(4);
  threads.reserve(4);
  for (int i = 0; i < 4; ++i) calls.push_back(client.guard());
  for (auto& call : calls) {
    threads.emplace_back(
        [&call] { EXPECT_EQ(skewguard_call_next(call.get(), -1), SKEWGUARD_DONE); });
  }
  client.client.reset();
  for (auto& thread : threads) thread.join();
  for (const auto& call : calls) EXPECT_EQ(error_of(call), SKEWGUARD_CANCELLED);
}

TEST(CThreads, CallsMayBeFreedWhileTheLoopWorksOnThem) {
  ThreadedClient client;
  const CQueue queue(skewguard_queue_new(nullptr));
  for (std::uint64_t i = 0; i < 500; ++i) static_cast<void>(client.guard(queue.get(), i));
  EXPECT_EQ(finish(client.guard()), 200);
  std::uint64_t tag = 0;
  EXPECT_EQ(skewguard_queue_pop(queue.get(), &tag, 1), 0U);
}

TEST(CThreads, WaitOnOneDescriptor) {
  ThreadedClient client;
  const CQueue queue(skewguard_queue_new(nullptr));
  std::vector<CCall> calls;
  calls.reserve(100);
  for (std::uint64_t i = 0; i < 100; ++i) calls.push_back(client.guard(queue.get(), i));
  pollfd news{skewguard_queue_fd(queue.get()), POLLIN, 0};
  for (std::size_t done = 0; done < calls.size();) {
    ASSERT_EQ(::poll(&news, 1, -1), 1);
    std::uint64_t tag = 0;
    if (skewguard_queue_pop(queue.get(), &tag, 1) == 0) continue;
    OwnAnswer good(200, "");
    const auto& call = calls[tag];
    if (skewguard_call_next(call.get(), 0) == SKEWGUARD_SEND) {
      skewguard_call_answer(call.get(), good.get(), nullptr);
    } else {
      ++done;
    }
  }
  for (const auto& call : calls) EXPECT_EQ(skewguard_call_status(call.get()), 200);
}

TEST(CThreads, AWaitEndsWhenItsTimeIsOver) {
  ThreadedClient client;
  client.silence_login();
  const auto call = client.guard();
  EXPECT_EQ(skewguard_call_next(call.get(), 1'000'000), SKEWGUARD_WAITING);
}

#ifndef SKEWGUARD_NO_FORK

/// What `child` returns in a forked process: 0 = good.
template <typename F>
int in_child(const F& child) {
  const pid_t pid = ::fork();
  if (pid == 0) ::_exit(child());
  int status = -1;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);
  return status;
}

TEST(CFork, TheChildUsesTheClientAndFreesWhatIsItsParents) {
  ThreadedClient client;
  CQueue queue(skewguard_queue_new(nullptr));
  ASSERT_EQ(finish(client.guard()), 200);
  auto done = client.guard();
  ASSERT_EQ(finish(done), 200);
  auto sending = client.guard(queue.get(), 1);
  ASSERT_EQ(skewguard_call_next(sending.get(), -1), SKEWGUARD_SEND);
  EXPECT_EQ(in_child([&] {
              done.reset();
              sending.reset();
              queue.reset();
              std::uint64_t generation = 7;
              if (finish(client.guard()) != 200) return 1;
              if (skewguard_lease(client.client.get(), nullptr, 0, &generation) == 0) return 2;
              if (generation != 1) return 3;
              client.client.reset();
              return 0;
            }),
            0);
  EXPECT_EQ(finish(sending), 200) << "nothing of it happened to the parent";
  std::uint64_t tag = 0;
  EXPECT_EQ(skewguard_queue_pop(queue.get(), &tag, 1), 1U);
}

TEST(CFork, TheChildFreesACallThatAnotherThreadWaitsFor) {
  ThreadedClient client;
  client.silence_login();
  auto call = client.guard();
  std::thread waiting([&call] { skewguard_call_next(call.get(), -1); });
  EXPECT_EQ(in_child([&] {
              call.reset();
              client.client.reset();
              return 0;
            }),
            0);
  client.client.reset();
  waiting.join();
}

#endif

}  // namespace
}  // namespace skewguard::c
