#include "skewguard/event_queue.hpp"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <variant>

namespace skewguard {
namespace {

LogLine line(std::string message, LogLevel level = LogLevel::info) {
  return {level, std::move(message)};
}

std::string message_of(const std::optional<Event>& event) {
  return event ? std::get<LogLine>(event->what).message : "none";
}

TEST(EventQueue, KeepsEventsInTheirOrder) {
  EventQueue queue;
  const Hooks hooks = queue.hooks();
  hooks.log(line("first"));
  hooks.on_rejection(Rejection{});
  hooks.on_resolved(CallReport{});
  EXPECT_EQ(message_of(queue.next()), "first");
  EXPECT_TRUE(std::holds_alternative<Rejection>(queue.next()->what));
  EXPECT_TRUE(std::holds_alternative<CallReport>(queue.next()->what));
  EXPECT_FALSE(queue.next());
}

TEST(EventQueue, DropsAndCountsTheOldestBeyondItsCapacity) {
  EventQueue queue;
  const Hooks hooks = queue.hooks();
  for (std::size_t i = 0; i < EventQueue::kCapacity; ++i) hooks.log(line(std::to_string(i)));
  hooks.log(line("one more"));
  hooks.log(line("two more"));
  auto oldest = queue.next();
  EXPECT_EQ(message_of(oldest), "2");
  EXPECT_EQ(oldest->dropped, 2U);
  EXPECT_EQ(queue.next()->dropped, 0U);
  std::size_t left = 0;
  while (queue.next()) ++left;
  EXPECT_EQ(left, EventQueue::kCapacity - 2);
}

TEST(EventQueue, KeepsOnlyWhatIsWanted) {
  EventQueue queue({.log = false, .rejections = true, .resolved = false});
  const Hooks hooks = queue.hooks();
  EXPECT_GT(hooks.changing_log_level->load(), LogLevel::critical);
  hooks.log(line("unwanted"));
  hooks.on_resolved(CallReport{});
  EXPECT_FALSE(queue.next());
  queue.want({.log = true, .rejections = false, .resolved = false, .level = LogLevel::debug});
  EXPECT_EQ(hooks.changing_log_level->load(), LogLevel::debug);
  hooks.on_rejection(Rejection{});
  hooks.log(line("wanted"));
  queue.want({.log = false, .rejections = true, .resolved = false});
  EXPECT_EQ(message_of(queue.next()), "wanted") << "what is in it stays";
  hooks.on_rejection(Rejection{});
  queue.want({.log = false, .rejections = false, .resolved = false});
  EXPECT_FALSE(queue.next());
}

TEST(EventQueue, TellsOfNewsOnceUntilSomebodyHasAskedInVain) {
  EventQueue queue;
  const Hooks hooks = queue.hooks();
  int told = 0;
  hooks.log(line("before"));
  queue.want({}, [&] { ++told; });
  EXPECT_EQ(told, 1);
  hooks.log(line("after"));
  EXPECT_TRUE(queue.next());
  hooks.log(line("still"));
  EXPECT_EQ(told, 1);
  while (queue.next()) continue;
  hooks.log(line("again"));
  EXPECT_EQ(told, 2);
  EXPECT_EQ(message_of(queue.next()), "again");
}

TEST(EventQueue, IsFilledAndReadByManyThreads) {
  constexpr int kEach = 500;
  EventQueue queue;
  std::atomic<int> writing{2};
  const auto write = [&] {
    const Hooks hooks = queue.hooks();
    for (int i = 0; i < kEach; ++i) hooks.log(line("x"));
    --writing;
  };
  std::uint64_t seen = 0;
  std::thread first(write);
  std::thread second(write);
  while (writing > 0) {
    if (const auto event = queue.next()) seen += 1 + event->dropped;
  }
  first.join();
  second.join();
  while (const auto event = queue.next()) seen += 1 + event->dropped;
  EXPECT_EQ(seen, 2U * kEach);
}

TEST(EventQueue, AForkedProcessBeginsWithAnEmptyOne) {
  EventQueue queue;
  int told = 0;
  queue.want({}, [&] { ++told; });
  queue.hooks().log(line("of the parent"));
  const pid_t child = ::fork();
  if (child == 0) {
    bool good = !queue.next();
    queue.hooks().log(line("of the child"));
    good = good && told == 1 && message_of(queue.next()) == "of the child";
    ::_exit(good ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(message_of(queue.next()), "of the parent");
}

}  // namespace
}  // namespace skewguard
