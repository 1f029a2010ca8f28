#include "c/queue.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <array>
#include <filesystem>
#include <vector>

#include "c_testing.hpp"

namespace skewguard::c {
namespace {

bool readable(const CQueue& queue) {
  pollfd asked{skewguard_queue_fd(queue.get()), POLLIN, 0};
  return ::poll(&asked, 1, 0) == 1;
}

std::vector<std::uint64_t> popped(const CQueue& queue) {
  std::array<std::uint64_t, 8> tags{};
  const auto count = skewguard_queue_pop(queue.get(), tags.data(), tags.size());
  return {tags.begin(), tags.begin() + static_cast<std::ptrdiff_t>(count)};
}

std::size_t open_descriptors() {
  const std::filesystem::directory_iterator open("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(open), end(open)));
}

using Tags = std::vector<std::uint64_t>;

TEST(CQueueOfCalls, GetsATagForEachNews) {
  VirtualClient client;
  const CQueue queue(skewguard_queue_new(nullptr));
  ASSERT_TRUE(queue);
  EXPECT_FALSE(readable(queue));
  const auto first = client.guard("GET", 0, queue.get(), 11);
  const auto second = client.guard("GET", 0, queue.get(), 22);
  client.next(first);
  client.next(second);
  EXPECT_TRUE(readable(queue));
  std::uint64_t tag = 0;
  EXPECT_EQ(skewguard_queue_pop(queue.get(), &tag, 1), 1U);
  EXPECT_EQ(tag, 11U);
  EXPECT_TRUE(readable(queue));
  EXPECT_EQ(popped(queue), Tags{22});
  EXPECT_FALSE(readable(queue));
  EXPECT_EQ(popped(queue), Tags{});
  client.answer(second, 200);
  client.next(second);
  EXPECT_EQ(popped(queue), Tags{22});
}

TEST(CQueueOfCalls, ACallThatIsFreedTakesItsTagsAlong) {
  VirtualClient client;
  const CQueue queue(skewguard_queue_new(nullptr));
  auto call = client.guard("GET", 0, queue.get(), 1);
  client.next(call);
  ASSERT_TRUE(readable(queue));
  call.reset();
  EXPECT_FALSE(readable(queue));
  client.machine().run();  // the end of the call is nobody's news
  EXPECT_EQ(popped(queue), Tags{});
}

TEST(CQueueOfCalls, ManyCallsTakeNoDescriptorOfTheirOwn) {
  VirtualClient client;
  const auto before = open_descriptors();
  const CQueue queue(skewguard_queue_new(nullptr));
  std::vector<CCall> calls;
  calls.reserve(2'000);
  for (std::uint64_t i = 0; i < 2'000; ++i) calls.push_back(client.guard("GET", 0, queue.get(), i));
  for (const auto& call : calls) ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  EXPECT_EQ(open_descriptors(), before + 1);
  calls.clear();
  EXPECT_FALSE(readable(queue));
}

TEST(CQueueOfCalls, CallsGoOnWithoutIt) {
  VirtualClient client;
  const auto before = open_descriptors();
  CQueue queue(skewguard_queue_new(nullptr));
  const auto call = client.guard("GET", 0, queue.get(), 1);
  queue.reset();
  EXPECT_EQ(open_descriptors(), before);
  ASSERT_EQ(client.next(call), SKEWGUARD_SEND);
  EXPECT_EQ(client.answer(call, 200), 0);
  EXPECT_EQ(client.next(call), SKEWGUARD_DONE);
}

TEST(CQueueOfCalls, NothingHappensWithoutAQueue) {
  std::uint64_t tag = 0;
  EXPECT_EQ(skewguard_queue_fd(nullptr), -1);
  EXPECT_EQ(skewguard_queue_pop(nullptr, &tag, 1), 0U);
  skewguard_queue_free(nullptr);
}

}  // namespace
}  // namespace skewguard::c
